//! Where a repository is, as a person names it.

use crate::source::archive::ArchiveSource;
use crate::source::directory::DirectorySource;
use crate::source::git::GitSource;
use crate::source::{Source, SourceError};
use std::path::PathBuf;

/// Where a repository is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A directory with `packages/` in it.
    Directory {
        /// The directory.
        path: PathBuf,
        /// Files that change whenever the directory does. With them nothing below has to be
        /// looked at ([`crate::source::opam_root::update_marks`]).
        marks: Option<Vec<PathBuf>>,
    },
    /// A commit of a git repository.
    Git {
        /// The repository, bare or not.
        path: PathBuf,
        /// Any revision expression.
        revision: String,
        /// Go back from there along first parents to the last commit of that time.
        before: Option<Before>,
    },
    /// A `.tar.gz` or `.tar` file.
    Archive {
        /// The file.
        path: PathBuf,
    },
}

/// A moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// Seconds since 1970.
    pub seconds: i64,
    /// As it was given.
    pub shown: String,
}

impl Location {
    /// Opens it without the cache, for its files.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn source(&self) -> Result<Box<dyn Source>, SourceError> {
        Ok(match self {
            Location::Directory { path, .. } => Box::new(DirectorySource::open(path)?),
            Location::Git { .. } => Box::new(self.git()?),
            Location::Archive { path } => Box::new(ArchiveSource::open(path)?),
        })
    }

    pub(super) fn git(&self) -> Result<GitSource, SourceError> {
        match self {
            Location::Git { path, revision, before: None } => GitSource::open(path, revision),
            Location::Git { path, revision, before: Some(Before { seconds, shown }) } => {
                GitSource::open_at_time(path, revision, *seconds, shown)
            }
            Location::Directory { path, .. } | Location::Archive { path } => Err(SourceError::NotGit(path.clone())),
        }
    }

    /// What to call it in messages.
    pub fn label(&self) -> String {
        match self {
            Location::Directory { path, .. } | Location::Archive { path } => path.display().to_string(),
            Location::Git { path, revision, before: None } => format!("{}#{revision}", path.display()),
            Location::Git { path, revision, before: Some(before) } => {
                format!("{}#{revision} at {}", path.display(), before.shown)
            }
        }
    }
}
