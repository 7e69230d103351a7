//! What differs between two states of a repository, package by package.

use caravan_revdeps::changes;
use serde::{Deserialize, Serialize};

/// What became of one package version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChangedPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What became of it, as opam-repo-ci has it.
    pub kind: ChangeKind,
    /// There is something to test.
    pub has_tests: bool,
    /// Of one that was there before and is there after, the fields that differ, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<ChangedField>,
    /// The path of its opam file in its repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What is wrong with its file, if it is broken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<FileProblem>,
}

impl ChangedPackage {
    /// `NAME.VERSION`
    pub fn package(&self) -> String {
        format!("{}.{}", self.name, self.version)
    }
}

impl From<&changes::PackageChange> for ChangedPackage {
    fn from(change: &changes::PackageChange) -> Self {
        Self {
            name: change.name.to_string(),
            version: change.version.to_string(),
            kind: change.kind.into(),
            has_tests: change.has_tests,
            fields: change.fields.iter().map(ChangedField::from).collect(),
            path: change.path.clone(),
            problems: change.problems.iter().map(FileProblem::from).collect(),
        }
    }
}

/// What became of a package version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It is the first version of a new name.
    NewPackage,
    /// It is a new version of a known name.
    NewRelease,
    /// It is not there any more.
    Deleted,
    /// It was made unavailable: `available: false`.
    Unavailable,
    /// Something changed that has a part in solving, building or testing.
    SignificantlyChanged,
    /// Nothing changed but words about it.
    InsignificantlyChanged,
    /// Its opam file cannot be read.
    Broken,
}

impl From<changes::ChangeKind> for ChangeKind {
    fn from(kind: changes::ChangeKind) -> Self {
        match kind {
            changes::ChangeKind::NewPackage => Self::NewPackage,
            changes::ChangeKind::NewRelease => Self::NewRelease,
            changes::ChangeKind::Deleted => Self::Deleted,
            changes::ChangeKind::Unavailable => Self::Unavailable,
            changes::ChangeKind::SignificantlyChanged => Self::SignificantlyChanged,
            changes::ChangeKind::InsignificantlyChanged => Self::InsignificantlyChanged,
            changes::ChangeKind::Broken => Self::Broken,
        }
    }
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChangedField {
    /// Its name; of a section with a title both: `extra-source "fix.patch"`.
    pub field: String,
    /// What the difference can affect.
    pub affects: Vec<Effect>,
    /// Its line in the new file, from 1; not there if the field is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

impl From<&changes::FieldChange> for ChangedField {
    fn from(change: &changes::FieldChange) -> Self {
        let affects = change.affects.iter().map(|effect| Effect::from(*effect)).collect();
        Self { field: change.field.clone(), affects, line: change.line }
    }
}

/// What a difference can affect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// What can be installed together, and which versions are chosen.
    Solving,
    /// What is built and installed.
    Building,
    /// The tests.
    Tests,
    /// The documentation.
    Documentation,
    /// What is read about the package, and how one works on it.
    Metadata,
}

impl From<changes::Effect> for Effect {
    fn from(effect: changes::Effect) -> Self {
        match effect {
            changes::Effect::Solving => Self::Solving,
            changes::Effect::Building => Self::Building,
            changes::Effect::Tests => Self::Tests,
            changes::Effect::Documentation => Self::Documentation,
            changes::Effect::Metadata => Self::Metadata,
        }
    }
}

/// Something that is wrong in an opam file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FileProblem {
    /// The line, from 1, if it has one.
    pub line: Option<u32>,
    /// What is wrong.
    pub message: String,
}

impl From<&changes::Problem> for FileProblem {
    fn from(problem: &changes::Problem) -> Self {
        Self { line: problem.line, message: problem.message.clone() }
    }
}
