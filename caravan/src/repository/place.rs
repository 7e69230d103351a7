//! Where repositories are.

use opam_parser::repository::Location;
use std::path::{Path, PathBuf};

/// Where a repository is, and what to call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where it is.
    pub location: Location,
    /// What answers call it: as the question or the command line names it.
    pub label: String,
}

impl Place {
    /// A place that is called as its location is.
    pub fn new(location: Location) -> Self {
        Self { label: location.label(), location }
    }

    /// A commit, or another revision, of the git repository in a folder.
    pub fn in_clone(folder: impl Into<PathBuf>, revision: impl Into<String>) -> Self {
        Self::new(Location::Git { path: folder.into(), revision: revision.into(), before: None })
    }

    /// The same, called by another name.
    #[must_use]
    pub fn labelled(self, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..self }
    }
}

/// A directory as a place.
pub(crate) fn directory(path: &Path) -> Place {
    Place::new(Location::Directory { path: path.to_owned(), marks: None })
}
