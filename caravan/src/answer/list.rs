//! The answer of `list`.

use super::outcome::Outcome;
use super::package::{Package, Variables};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// `caravan.list/1`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListAnswer {
    /// `caravan.list/1`
    #[cfg_attr(feature = "schema", schemars(extend("const" = "caravan.list/1")))]
    pub schema: Cow<'static, str>,
    /// The platform's variables.
    pub platform: Variables,
    /// The packages, in opam's order.
    pub packages: Vec<Package>,
    /// Whether all packages were asked for, and not only those whose names match patterns: then an empty list is not a
    /// no. Not in JSON, which has no exit code.
    #[serde(skip)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub all_names: bool,
}

impl ListAnswer {
    /// No if there were patterns and nothing matches.
    pub(crate) fn outcome(&self) -> Outcome {
        if self.all_names || !self.packages.is_empty() { Outcome::Yes } else { Outcome::No }
    }
}
