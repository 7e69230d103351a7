//! The answer of `solve`.

use super::facts::{Fact, Hint};
use super::outcome::Outcome;
use super::package::{Package, Variables};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// `caravan.solve/2`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SolveAnswer {
    /// `caravan.solve/2`
    #[cfg_attr(feature = "schema", schemars(extend("const" = "caravan.solve/2")))]
    pub schema: Cow<'static, str>,
    /// What was asked for, as `utop` or `cohttp >= 6`, without the compiler that was named beside it.
    pub roots: Vec<String>,
    /// One for each platform, in the question's order.
    pub answers: Vec<PlatformSolution>,
    /// If the same versions were wanted on all platforms: the names of which no one version fits all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub differing: Option<Vec<String>>,
    /// `true` if a check was asked for and there is a selection that was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked: Option<bool>,
    /// The names of all roots, that of the compiler included, which text has in bold. Not in JSON, where `roots` says
    /// what was asked for.
    #[serde(skip)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub root_names: Vec<String>,
}

/// What came out for one platform: packages, or why there is no solution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlatformSolution {
    /// The platform's variables.
    pub platform: Variables,
    /// What to install, in opam's order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packages: Option<Vec<Package>>,
    /// The packages that are not at their best versions, and why, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_back: Option<Vec<HeldBack>>,
    /// Why there is no solution, if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_solution: Option<NoSolution>,
}

/// Why there is no solution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NoSolution {
    /// The facts that exclude one, nearest to the question first.
    pub facts: Vec<Fact>,
    /// Changes to the question of which each alone gives a solution.
    pub hints: Vec<Hint>,
}

/// Why a package is not at its best version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HeldBack {
    /// The package.
    pub name: String,
    /// Its version in the solution.
    pub version: String,
    /// The version that would be preferred.
    pub best: String,
    /// The facts that exclude it.
    pub facts: Vec<Fact>,
}

impl SolveAnswer {
    /// No if a platform has no solution.
    pub(crate) fn outcome(&self) -> Outcome {
        let solved = self.answers.iter().all(|answer| answer.packages.is_some());
        if solved { Outcome::Yes } else { Outcome::No }
    }
}
