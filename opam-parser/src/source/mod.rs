//! Where opam files come from: a directory, a commit of a git repository, an archive.
//!
//! A [`Source`] lists the entries directly below `packages/`, each with a [`Stamp`] of its state,
//! and gives [`Reader`]s, one for each thread, that visit the opam files below an entry (rules R1
//! and R2 of `docs/semantics.md`: the first directory on a path that holds a regular file `opam` is
//! a package's, and its own name is the package's name and version).

#[cfg(feature = "archive")]
pub mod archive;
pub mod compare;
pub mod directory;
#[cfg(feature = "git")]
pub mod git;
#[cfg(feature = "git")]
pub mod history;
pub mod limits;
pub mod memory;
pub mod opam_root;
mod stamp;
#[cfg(feature = "archive")]
mod unpack;
mod walk;

pub use limits::Limit;
pub use stamp::{Stamp, is_same};

use std::path::PathBuf;

/// Why a source cannot be read. Each says what it is about and what can be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// There is nothing at the path.
    #[error("there is no `{0}`")]
    Missing(PathBuf),
    /// A directory without `packages/`, or a file that is no archive.
    #[error("`{path}` is not an opam repository: {reason}")]
    NotARepository {
        /// Where.
        path: PathBuf,
        /// What is missing.
        reason: &'static str,
    },
    /// A path that is not a git repository although a revision of it was asked for.
    #[error("`{0}` is not a git repository, so it has no revisions")]
    NotGit(PathBuf),
    /// git knows no such revision.
    #[error("`{repository}` has no revision `{revision}`")]
    NoRevision {
        /// The repository.
        repository: PathBuf,
        /// What was asked for.
        revision: String,
    },
    /// There is no commit as old as that.
    #[error("`{repository}` has no commit before {date}")]
    NoCommitBefore {
        /// The repository.
        repository: PathBuf,
        /// The date, as it was given.
        date: String,
    },
    /// Reading it is a feature that this build does not have.
    #[error("`{path}` cannot be read: the feature `{feature}` of opam-parser was left out when it was built")]
    LeftOut {
        /// Where.
        path: PathBuf,
        /// The feature.
        feature: &'static str,
    },
    /// The operating system says no.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// libgit2 says no.
    #[error("cannot read the git repository `{repository}`: {message}")]
    Git {
        /// The repository.
        repository: PathBuf,
        /// libgit2's words.
        message: String,
    },
    /// A directory `packages/` in which nothing is a package.
    #[error("`{label}` is not an opam repository: nothing in its `packages/` is a package")]
    NoPackages {
        /// The repository.
        label: String,
        /// What could not be read of it.
        unread: Vec<Unread>,
    },
    /// A commit that is among its own ancestors, which only a damaged repository can hold.
    #[error("the commits of `{repository}` are in a circle: `{commit}` comes before itself")]
    CommitCircle {
        /// The repository.
        repository: PathBuf,
        /// The commit.
        commit: String,
    },
    /// More of something than is read.
    #[error("`{path}` {limit}")]
    Limit {
        /// The repository, or a path in it.
        path: String,
        /// The limit.
        limit: Limit,
    },
    /// A file of a repository that is there and cannot be read.
    #[error("this file {reason}")]
    File {
        /// Why, as the end of a sentence.
        reason: String,
    },
    /// An archive that ends in the middle, or was packed by something unknown.
    #[error("cannot read the archive `{path}`: {message}")]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}

/// An entry directly below `packages/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Top {
    /// Its name.
    pub name: String,
    /// Its state. Equal stamps of the same entry mean equal contents, except as
    /// [`Source::unchanged`] says.
    pub stamp: Stamp,
}

/// A path below `packages/` that could not be read. The rest of the repository is read all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// From the root: `packages/utop/utop.2.14.0`.
    pub path: String,
    /// Why, as the end of a sentence that begins with the path: `cannot be read: Permission denied`.
    pub reason: String,
}

/// A file as an earlier index remembers it.
#[derive(Clone, Debug)]
pub struct KnownFile {
    /// Its directory below the top-level entry.
    pub directory: String,
    /// Its state then.
    pub stamp: Stamp,
    /// A companion file `url` or `descr` would have counted, had there been one.
    pub companions: bool,
}

/// A repository of opam files.
pub trait Source: Send + Sync {
    /// What to call it in messages.
    fn label(&self) -> String;

    /// The entries below `packages/`, in byte order. A walk through them begins here: what the limits say of
    /// all of them is counted from now on.
    ///
    /// # Errors
    /// When there is no repository, or it cannot be read, or what is in `packages/` cannot be packages.
    fn tops(&self) -> Result<Vec<Top>, SourceError>;

    /// Whether everything below `top` is as it was. `then` and `known` are what an earlier index
    /// remembers of the entry of that name.
    fn unchanged(&self, top: &Top, then: Stamp, known: &mut dyn Iterator<Item = KnownFile>) -> bool {
        let _ = known;
        is_same(top.stamp, then)
    }

    /// A reader for one thread.
    ///
    /// # Errors
    /// When the repository cannot be opened once more.
    fn reader(&self) -> Result<Box<dyn Reader + '_>, SourceError>;

    /// The contents of one file; the path is below the root, with `/` between its parts.
    ///
    /// # Errors
    /// When there is no such file.
    fn fetch(&self, path: &str) -> Result<Vec<u8>, SourceError>;
}

/// What a [`Reader`] calls with each opam file.
pub type Sink<'s> = dyn FnMut(&mut dyn Entry) -> Result<(), SourceError> + 's;

/// Reads the files of a source on one thread.
pub trait Reader {
    /// Calls `sink` with each opam file below a top-level entry, in the byte order of their paths,
    /// and sets the entry's stamp if the source does not know it before. Gives the paths below it, a few at
    /// least, that could not be read.
    ///
    /// # Errors
    /// When the repository cannot be read any further.
    fn visit(&mut self, top: &mut Top, sink: &mut Sink<'_>) -> Result<Vec<Unread>, SourceError>;
}

/// An opam file during a visit.
pub trait Entry {
    /// Its directory below the top-level entry; empty for the entry itself.
    fn directory(&self) -> &str;

    /// The state of what is read.
    fn stamp(&self) -> Stamp;

    /// The file's text. `None` if it is larger than [`Limit::File`].
    ///
    /// # Errors
    /// When it cannot be read.
    fn opam(&mut self) -> Result<Option<&[u8]>, SourceError>;

    /// A file beside it (rule R6).
    ///
    /// # Errors
    /// When it is there and cannot be read.
    fn companion(&mut self, name: &str) -> Result<Option<Vec<u8>>, SourceError>;
}
