//! What to build and test again because something changed.

use caravan_revdeps::rebuild;
use serde::{Deserialize, Serialize};

/// What to build and test again on one platform.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RebuildSet {
    /// How many stages there are.
    pub stages: usize,
    /// By stage, then in opam's order.
    pub entries: Vec<RebuildEntry>,
    /// What depends on the change and is not among them, by reason.
    pub left_out: LeftOut,
}

/// One package version to build or test again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RebuildEntry {
    /// `NAME.VERSION`
    pub package: String,
    /// The first stage in which there is something to do for it.
    pub stage: usize,
    /// The shortest way to a changed package: each depends on the next.
    pub path: Vec<String>,
    /// How the package depends on the second of them.
    pub relation: Relation,
    /// The changed packages that it is built or tested with.
    pub with: Vec<String>,
    /// How many other entries need it.
    pub dependents: usize,
    /// How to build it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<RebuildJob>,
    /// How to test it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<RebuildJob>,
    /// Why it has tests that are not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests_impossible: Option<TestsImpossible>,
}

impl RebuildEntry {
    /// Its jobs.
    pub fn jobs(&self) -> impl Iterator<Item = &RebuildJob> {
        self.build.iter().chain(&self.test)
    }
}

/// How a package depends on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// By its `depends`.
    Depends,
    /// By its `depopts`.
    Depopts,
    /// By what its tests need.
    Tests,
    /// By another choice of versions than the one that it is built with.
    Possible,
}

impl From<rebuild::Relation> for Relation {
    fn from(relation: rebuild::Relation) -> Self {
        match relation {
            rebuild::Relation::Depends => Self::Depends,
            rebuild::Relation::Depopts => Self::Depopts,
            rebuild::Relation::Tests => Self::Tests,
            rebuild::Relation::Possible => Self::Possible,
        }
    }
}

/// A build, or a build with tests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RebuildJob {
    /// From 1: it needs no build of this stage or a later one.
    pub stage: usize,
    /// The entries whose builds it needs.
    pub needs: Vec<String>,
    /// What to install.
    pub selections: Vec<RebuildSelection>,
}

/// What to install for a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RebuildSelection {
    /// The changed packages in it.
    pub with: Vec<String>,
    /// All packages, each `NAME.VERSION`.
    pub packages: Vec<String>,
}

/// Why tests are not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TestsImpossible {
    /// What they need could not be installed before either.
    Before,
    /// What they need cannot be installed together with the change.
    WithTheChange,
}

impl TestsImpossible {
    /// Why tests are not run, if there are some that are not.
    pub(crate) fn of(tests: &rebuild::Tests) -> Option<Self> {
        match tests {
            rebuild::Tests::Impossible { before: true } => Some(Self::Before),
            rebuild::Tests::Impossible { before: false } => Some(Self::WithTheChange),
            rebuild::Tests::None | rebuild::Tests::Job(_) => None,
        }
    }
}

/// What depends on the change and is not built again, each `NAME.VERSION`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeftOut {
    /// It cannot be installed together with the change.
    pub not_together: Vec<String>,
    /// It can be, but then nothing of what it needs uses the change.
    pub unused: Vec<String>,
    /// The policy takes another version.
    pub other_version: Vec<String>,
    /// It is to be avoided.
    pub avoided: Vec<String>,
    /// Nobody maintains it.
    pub abandoned: Vec<String>,
    /// The budget is spent on others.
    pub over_budget: Vec<String>,
    /// It could not be told: the search took more steps than one solve may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_told: Vec<String>,
}
