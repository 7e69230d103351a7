//! The answer of `bounds`.

use caravan_revdeps::bounds;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// `caravan.bounds/1`: upper bounds that keep what a change broke installable with older versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BoundsAnswer {
    /// `caravan.bounds/1`
    #[cfg_attr(feature = "schema", schemars(extend("const" = "caravan.bounds/1")))]
    pub schema: Cow<'static, str>,
    /// The earlier state, in words.
    pub base: String,
    /// The later state, in words.
    pub head: String,
    /// The bounds, in opam's order.
    pub bounds: Vec<ProposedBound>,
    /// Broken packages that need no bound of their own, because those of others keep them away from the change.
    pub covered: Vec<String>,
    /// Broken packages that use nothing of the change: no bound would help them.
    pub unrelated: Vec<String>,
    /// Broken packages that cannot be installed with any older version.
    pub lost: Vec<String>,
    /// Broken packages that no bound keeps away from the change.
    pub unbounded: Vec<String>,
    /// A unified diff, as `git apply` takes it.
    pub patch: String,
}

impl BoundsAnswer {
    pub(crate) fn outcome(&self) -> super::outcome::Outcome {
        let kept = self.lost.is_empty() && self.unbounded.is_empty() && self.unrelated.is_empty();
        if kept { super::outcome::Outcome::Yes } else { super::outcome::Outcome::No }
    }
}

/// A bound of one package on another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProposedBound {
    /// `NAME.VERSION` of the broken package.
    pub package: String,
    /// The changed package's name.
    pub on: String,
    /// The changed version.
    pub version: String,
    /// Only that version is refused, since there are newer ones that did not change.
    pub only: bool,
    /// It stands in `conflicts`, since the package does not depend on it directly.
    pub conflict: bool,
}

impl From<bounds::ProposedBound> for ProposedBound {
    fn from(bound: bounds::ProposedBound) -> Self {
        let bounds::ProposedBound { package, on, version, only, conflict } = bound;
        Self { package, on, version, only, conflict }
    }
}
