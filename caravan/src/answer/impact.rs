//! The answer of `impact`.

use super::changes::ChangedPackage;
use super::difference::Difference;
use super::facts::Fact;
use super::package::{NotTold, Variables};
use super::rebuild::RebuildSet;
use caravan_revdeps::impact;
use caravan_revdeps::rebuild::Policy;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// `caravan.impact/1`: what a change does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImpactAnswer {
    /// `caravan.impact/1`
    #[cfg_attr(feature = "schema", schemars(extend("const" = "caravan.impact/1")))]
    pub schema: Cow<'static, str>,
    /// The earlier state, in words.
    pub base: String,
    /// The later state, in words.
    pub head: String,
    /// Whether the change is good.
    pub verdict: Verdict,
    /// The packages that differ, in opam's order.
    pub packages: Vec<ChangedPackage>,
    /// Paths below `packages/` that differ and belong to no package.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unexpected: Vec<String>,
    /// Names that are gone and still wanted.
    pub dangling: Vec<DanglingName>,
    /// What was asked of the rebuild sets.
    pub policy: Policy,
    /// How many entries of all rebuild sets were wanted at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<usize>,
    /// Each platform, in the order in which they were asked for.
    pub platforms: Vec<PlatformImpact>,
}

impl ImpactAnswer {
    pub(crate) fn outcome(&self) -> super::outcome::Outcome {
        match self.verdict {
            Verdict::Clean => super::outcome::Outcome::Yes,
            Verdict::Broken => super::outcome::Outcome::No,
            Verdict::Unknown => super::outcome::Outcome::Unknown,
        }
    }
}

/// Whether a change is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing broke.
    Clean,
    /// Something broke.
    Broken,
    /// Nothing is known to have broken, but not all could be told.
    Unknown,
}

impl From<impact::Verdict> for Verdict {
    fn from(verdict: impact::Verdict) -> Self {
        match verdict {
            impact::Verdict::Clean => Self::Clean,
            impact::Verdict::Broken => Self::Broken,
            impact::Verdict::Unknown => Self::Unknown,
        }
    }
}

/// A name that has no versions any more, and that packages still mention.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DanglingName {
    /// The name.
    pub name: String,
    /// The packages whose `depends` mentions it, as `NAME.VERSION` in opam's order.
    pub required_by: Vec<String>,
    /// Those whose `depopts` does.
    pub wanted_by: Vec<String>,
}

impl From<&impact::Dangling> for DanglingName {
    fn from(dangling: &impact::Dangling) -> Self {
        Self {
            name: dangling.name.clone(),
            required_by: dangling.required_by.clone(),
            wanted_by: dangling.wanted_by.clone(),
        }
    }
}

/// What a change does on one platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlatformImpact {
    /// A line that names it, with what is installed on it.
    pub label: String,
    /// Its variables.
    pub platform: Variables,
    /// What is installed already.
    pub roots: Vec<String>,
    /// Why nothing could be told, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Versions that cannot be installed any more.
    pub lost: Vec<LostVersion>,
    /// Versions that can be installed now.
    pub gained: Vec<GainedVersion>,
    /// New versions that cannot be installed.
    pub refused: Vec<RefusedVersion>,
    /// Versions that depend on what changed and can be installed neither before nor after.
    pub broken_before: Vec<String>,
    /// Versions, and names as `opam install` takes them, of which it could not be told what becomes of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_told: Vec<NotTold>,
    /// Names whose best selection changed.
    pub reselected: Vec<ReselectedName>,
    /// Circles of dependencies.
    pub cycles: Cycles,
    /// What to build and test again.
    pub rebuild: RebuildSet,
}

/// A version that cannot be installed any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LostVersion {
    /// `NAME.VERSION`
    pub package: String,
    /// Whose doing it is.
    pub cause: LossCause,
    /// Whether nobody can have meant it.
    pub breaks: bool,
    /// Why it cannot be installed; nothing where it is not there any more.
    pub facts: Vec<Fact>,
}

/// Whose doing it is that a version cannot be installed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LossCause {
    /// It was deleted.
    Deleted,
    /// Its new opam file cannot be read.
    BrokenFile,
    /// It was made unavailable everywhere.
    Unavailable,
    /// Its own file changed, so that it is for other compilers or platforms now.
    Restricted,
    /// Its own file changed, so that nothing can install it.
    Itself,
    /// Its own file is the same; something that it depends on changed.
    Dependencies,
}

impl From<impact::Cause> for LossCause {
    fn from(cause: impact::Cause) -> Self {
        match cause {
            impact::Cause::Deleted => Self::Deleted,
            impact::Cause::BrokenFile => Self::BrokenFile,
            impact::Cause::Unavailable => Self::Unavailable,
            impact::Cause::Restricted => Self::Restricted,
            impact::Cause::Itself => Self::Itself,
            impact::Cause::Dependencies => Self::Dependencies,
        }
    }
}

/// A version that can be installed now and could not before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GainedVersion {
    /// `NAME.VERSION`
    pub package: String,
    /// It was not there before.
    pub new: bool,
}

impl From<&impact::Gained> for GainedVersion {
    fn from(gained: &impact::Gained) -> Self {
        Self { package: gained.package.clone(), new: gained.new }
    }
}

/// A new version that cannot be installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RefusedVersion {
    /// `NAME.VERSION`
    pub package: String,
    /// It is for other compilers or platforms.
    pub elsewhere: bool,
    /// Why it cannot be installed.
    pub facts: Vec<Fact>,
}

/// A name whose best selection is another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReselectedName {
    /// The name that is asked for.
    pub name: String,
    /// What differs between the selections, in opam's order.
    pub differences: Vec<Difference>,
}

impl From<&impact::Reselected> for ReselectedName {
    fn from(reselected: &impact::Reselected) -> Self {
        let differences = reselected.differences.iter().map(Difference::from).collect();
        Self { name: reselected.name.clone(), differences }
    }
}

/// Circles of dependencies, each as `NAME.VERSION`s of which every one wants the next to be installed before it, and
/// the last the first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cycles {
    /// Those that the change makes.
    pub made: Vec<Vec<String>>,
    /// Those that it breaks.
    pub broken: Vec<Vec<String>>,
}

impl From<&impact::Cycles> for Cycles {
    fn from(cycles: &impact::Cycles) -> Self {
        Self { made: cycles.made.clone(), broken: cycles.broken.clone() }
    }
}
