//! The answer of `health`.

mod findings;

use super::outcome::Outcome;
use super::{Fact, Variables};
use caravan_planning::matrix::ReasonClass as Class;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Which packages can be installed on which platforms, with what, and why not: `caravan.health/1`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HealthAnswer {
    /// `caravan.health/1`
    #[cfg_attr(feature = "schema", schemars(extend("const" = "caravan.health/1")))]
    pub schema: Cow<'static, str>,
    /// The platforms, in the order of the cells.
    pub platforms: Vec<HealthPlatform>,
    /// The packages, in opam's order.
    pub packages: Vec<HealthPackage>,
    /// Two of the platforms beside each other, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<HealthComparison>,
    /// Whether the question named packages: then text lists each of them, where else it has the numbers only.
    #[serde(skip)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub names_packages: bool,
}

/// A platform, and how many packages can be installed there.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HealthPlatform {
    /// What it is called.
    pub id: String,
    /// The repository and its state.
    pub repository: String,
    /// opam's variables.
    pub variables: Variables,
    /// How many packages can be installed.
    pub installable: usize,
    /// How many cannot, by the kind of reason.
    pub not_installable: BTreeMap<ReasonClass, usize>,
    /// Of how many it could not be told.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_told: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl HealthPlatform {
    /// How many packages were asked about.
    pub fn total(&self) -> usize {
        self.installable + self.not_installable.values().sum::<usize>() + self.not_told
    }

    /// How many of 100 packages can be installed.
    pub fn percentage(&self) -> f64 {
        self.installable as f64 * 100.0 / self.total().max(1) as f64
    }
}

/// A package on all platforms.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HealthPackage {
    /// `NAME.VERSION`; where the platforms have different versions, that of the last.
    pub package: String,
    /// What became of it on each platform; `null` where the repository does not have it.
    pub cells: Vec<Option<HealthCell>>,
}

/// A package on a platform.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum HealthCell {
    /// It can be installed.
    Installable {
        /// `NAME.VERSION`
        package: String,
        /// The best selection, itself included, each `NAME.VERSION`.
        selection: Vec<String>,
    },
    /// It cannot.
    Not {
        /// `NAME.VERSION`
        package: String,
        /// Why not.
        reason: HealthReason,
    },
    /// It could not be told.
    NotTold {
        /// `NAME.VERSION`
        package: String,
        /// Why not: which limit was reached.
        not_told: String,
    },
}

impl HealthCell {
    /// Why it cannot be installed.
    pub fn reason(&self) -> Option<&HealthReason> {
        match self {
            Self::Installable { .. } | Self::NotTold { .. } => None,
            Self::Not { reason, .. } => Some(reason),
        }
    }
}

/// Why a package cannot be installed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HealthReason {
    /// The kind of reason.
    pub class: ReasonClass,
    /// From the package to the one that the cause speaks of, each needing the next.
    pub path: Vec<String>,
    /// The cause in a line.
    pub cause: String,
    /// The facts that together exclude it, where the cause alone does not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
}

/// Kinds of reasons, by what would have to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReasonClass {
    /// It, or something that it needs, is for older compilers.
    CompilerTooNew,
    /// It, or something that it needs, is for newer compilers.
    CompilerTooOld,
    /// It, or something that it needs, is not available on this platform.
    Platform,
    /// It, or something that it needs, requires something that does not exist.
    MissingDependency,
    /// What it needs does not fit together.
    Conflict,
    /// It, or something that it needs, is not available anywhere.
    Unavailable,
}

impl ReasonClass {
    /// All, in the order in which tables show them.
    pub const ALL: [Self; 6] = [
        Self::CompilerTooNew,
        Self::CompilerTooOld,
        Self::Platform,
        Self::MissingDependency,
        Self::Conflict,
        Self::Unavailable,
    ];

    /// As people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::CompilerTooNew => "compiler too new",
            Self::CompilerTooOld => "compiler too old",
            Self::Platform => "platform",
            Self::MissingDependency => "missing dependency",
            Self::Conflict => "conflict",
            Self::Unavailable => "unavailable",
        }
    }
}

impl From<Class> for ReasonClass {
    fn from(class: Class) -> Self {
        match class {
            Class::CompilerTooNew => Self::CompilerTooNew,
            Class::CompilerTooOld => Self::CompilerTooOld,
            Class::Platform => Self::Platform,
            Class::MissingDependency => Self::MissingDependency,
            Class::Conflict => Self::Conflict,
            Class::Unavailable => Self::Unavailable,
        }
    }
}

/// Two platforms beside each other.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HealthComparison {
    /// The first platform.
    pub before: String,
    /// The second.
    pub after: String,
    /// Packages that can be installed on the first only, with the reason on the second.
    pub lost: Vec<HealthLost>,
    /// Packages that can be installed on the second only.
    pub won: Vec<String>,
    /// How many can be installed on both.
    pub both: usize,
    /// How many on neither.
    pub neither: usize,
    /// Of how many it could not be told on one of them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_told: usize,
    /// Packages that only the first has.
    pub gone: Vec<String>,
    /// Packages that only the second has.
    pub new: Vec<String>,
    /// What is responsible: the constraints that would free the most of what is lost, first the one that
    /// would free most.
    pub blockers: Vec<Blocker>,
}

/// A package that can be installed on the first of two platforms only.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HealthLost {
    /// `NAME.VERSION` on the second platform.
    pub package: String,
    /// Why not there.
    pub reason: HealthReason,
}

/// A constraint that stands in the way.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Blocker {
    /// Whose it is, `NAME.VERSION`.
    pub package: String,
    /// The field that says it.
    pub field: BlockerField,
    /// On what; `null` for `available`.
    pub on: Option<String>,
    /// What it says: `ocaml < 5.5`
    pub constraint: String,
    /// The version that it keeps out, the newest that can be there; `null` for `available`.
    pub keeps_out: Option<String>,
    /// Versions that say the same, and would free nothing else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<String>,
    /// The packages that could be installed without it, found by solving again.
    pub frees: Vec<String>,
    /// How many could be installed without it and all before it.
    pub together: usize,
}

/// The field of an opam file whose constraint stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum BlockerField {
    /// `depends`
    Depends,
    /// `conflicts`
    Conflicts,
    /// `available`
    Available,
}

impl HealthAnswer {
    /// The kinds of reasons that there are, in the order in which tables show them.
    pub fn reason_classes(&self) -> Vec<ReasonClass> {
        let is_there = |class: &ReasonClass| self.platforms.iter().any(|of| of.not_installable.contains_key(class));
        ReasonClass::ALL.into_iter().filter(is_there).collect()
    }

    /// Unknown if something could not be told, else no if two platforms were compared and something is lost.
    pub(crate) fn outcome(&self) -> Outcome {
        if self.platforms.iter().any(|platform| platform.not_told > 0) {
            return Outcome::Unknown;
        }
        let lost = self.comparison.as_ref().is_some_and(|comparison| !comparison.lost.is_empty());
        if lost { Outcome::No } else { Outcome::Yes }
    }
}
