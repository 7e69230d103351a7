//! The answer of `docs`.

use super::outcome::Outcome;
use super::package::NotTold;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What to build for the documentation of packages, and what of it is shown: `caravan.docs/1`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DocsAnswer {
    /// `caravan.docs/1`
    #[cfg_attr(feature = "schema", schemars(extend("const" = "caravan.docs/1")))]
    pub schema: Cow<'static, str>,
    /// The platform.
    pub platform: String,
    /// The repository and its state.
    pub head: String,
    /// The earlier state whose documentation is there already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// How many versions there are.
    pub versions: usize,
    /// How many of them have a solution.
    pub solutions: usize,
    /// How many were solved for; fewer than all if there is an earlier state.
    pub solved: usize,
    /// How many packages there are, with each universe counted.
    pub universes: usize,
    /// What to install.
    pub jobs: Vec<DocsJob>,
    /// The documentation that is shown of each version.
    pub blessed: Vec<BlessedDocs>,
    /// What it could not be told of, each with the platform: it is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_told: Vec<NotTold>,
}

/// A solution to install.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DocsJob {
    /// The version that it is the solution of.
    pub package: String,
    /// All packages to install, in an order in which that can be done.
    pub install: Vec<String>,
    /// Those whose documentation is new, each with its universe: what ocaml-docs-ci prepares.
    pub prepare: Vec<PreparedDocs>,
}

/// A package in a universe.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PreparedDocs {
    /// `NAME.VERSION`
    pub package: String,
    /// The hash of its universe, 32 hexadecimal digits.
    pub universe: String,
}

/// The documentation that is shown of a version.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BlessedDocs {
    /// `NAME.VERSION`
    pub package: String,
    /// The hash of the universe in which it was built.
    pub universe: String,
    /// How many packages that universe has.
    pub size: usize,
}

impl DocsAnswer {
    /// Unknown if something could not be told.
    pub(crate) fn outcome(&self) -> Outcome {
        if self.not_told.is_empty() { Outcome::Yes } else { Outcome::Unknown }
    }
}
