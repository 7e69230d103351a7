//! Where a repository is, as a person names it.

#[cfg(feature = "archive")]
use crate::source::archive::ArchiveSource;
use crate::source::directory::DirectorySource;
#[cfg(feature = "git")]
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
    /// A commit of a git repository. Reading it takes the feature `git`.
    Git {
        /// The repository, bare or not.
        path: PathBuf,
        /// Any revision expression.
        revision: String,
        /// Go back from there along first parents to the last commit of that time.
        before: Option<Before>,
    },
    /// A `.tar.gz` or `.tar` file. Reading it takes the feature `archive`.
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
            #[cfg(feature = "git")]
            Location::Git { .. } => Box::new(self.git()?),
            #[cfg(not(feature = "git"))]
            Location::Git { path, .. } => return Err(SourceError::LeftOut { path: path.clone(), feature: "git" }),
            #[cfg(feature = "archive")]
            Location::Archive { path } => Box::new(ArchiveSource::open(path)?),
            #[cfg(not(feature = "archive"))]
            Location::Archive { path } => {
                return Err(SourceError::LeftOut { path: path.clone(), feature: "archive" });
            }
        })
    }

    #[cfg(feature = "git")]
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

#[cfg(all(test, not(any(feature = "git", feature = "archive"))))]
mod tests {
    use super::*;
    use crate::repository::Cache;

    #[test]
    fn what_was_left_out_says_so() {
        let path = PathBuf::from("/there/is/nothing");
        let archive = Location::Archive { path: path.clone() };
        let git = Location::Git { path, revision: "main".to_owned(), before: None };
        for (location, feature) in [(archive, "archive"), (git, "git")] {
            let words = format!("the feature `{feature}` of opam-parser was left out");
            let error = location.source().map(|source| source.label()).expect_err("it was left out");
            assert!(error.to_string().contains(&words), "{error}");
            let error = Cache::new("/there/is/nothing").open(&location, &|_, _| {}).expect_err("it was left out");
            assert!(error.to_string().contains(&words), "{error}");
        }
    }
}
