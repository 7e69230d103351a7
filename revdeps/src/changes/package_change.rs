//! What became of the packages of a repository.

use super::fields::{Effect, FieldChange};
use opam_parser::name::PackageName;
use opam_parser::version::Version;
use std::fmt;

/// The packages that differ, in opam's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Each with what became of it.
    pub packages: Vec<PackageChange>,
    /// Paths below `packages/` that differ and belong to no package; opam-repo-ci refuses them.
    pub unexpected: Vec<String>,
}

/// What became of one package version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageChange {
    /// Its name.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// What became of it.
    pub kind: ChangeKind,
    /// There is something to test (opam-repo-ci, `has_tests`).
    pub has_tests: bool,
    /// Of one that was there before and is there after, the fields that differ, by name.
    pub fields: Vec<FieldChange>,
    /// The path of its opam file.
    pub path: Option<String>,
    /// What is wrong with its file, if it is broken.
    pub problems: Vec<Problem>,
}

/// Something that is wrong in an opam file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1, if it has one.
    pub line: Option<u32>,
    /// What is wrong.
    pub message: String,
}

/// What became of a package version, as opam-repo-ci classifies the packages of a pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// The first version of a new name.
    NewPackage,
    /// A new version of a known name.
    NewRelease,
    /// It is not there any more.
    Deleted,
    /// It was made unavailable: `available: false`.
    Unavailable,
    /// Something changed that has a part in solving, building or testing.
    SignificantlyChanged,
    /// Nothing changed but words about it.
    InsignificantlyChanged,
    /// Its opam file cannot be read. opam-repo-ci stops here; the package is as good as deleted.
    Broken,
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NewPackage => "new package",
            Self::NewRelease => "new release",
            Self::Deleted => "deleted",
            Self::Unavailable => "made unavailable",
            Self::SignificantlyChanged => "changed",
            Self::InsignificantlyChanged => "changed in words only",
            Self::Broken => "broken",
        })
    }
}

impl fmt::Display for PackageChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.name, self.version)
    }
}

impl PackageChange {
    /// Whether it can matter to those that depend on it: there is something new to build them with.
    pub fn concerns_dependents(&self) -> bool {
        match self.kind {
            ChangeKind::NewPackage | ChangeKind::NewRelease => true,
            ChangeKind::SignificantlyChanged => {
                let matters = |effect: &Effect| matches!(effect, Effect::Solving | Effect::Building);
                self.fields.iter().any(|field| field.affects.iter().any(matters))
            }
            ChangeKind::Deleted | ChangeKind::Unavailable | ChangeKind::InsignificantlyChanged | ChangeKind::Broken => {
                false
            }
        }
    }
}

impl Changes {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty() && self.unexpected.is_empty()
    }
}
