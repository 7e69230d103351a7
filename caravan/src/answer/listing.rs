//! The answer of `revdeps` and `deps`.

use super::package::{Package, Variables};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The form of the answer of `revdeps`.
pub(crate) const REVDEPS: &str = "caravan.revdeps/1";
/// The form of the answer of `deps`.
pub(crate) const DEPS: &str = "caravan.deps/1";

/// `caravan.revdeps/1` or `caravan.deps/1`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListingAnswer {
    /// `caravan.revdeps/1`: the packages depend on the targets; `caravan.deps/1`: the targets depend on them.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = [REVDEPS, DEPS])))]
    pub schema: Cow<'static, str>,
    /// The platform's variables.
    pub platform: Variables,
    /// What the list is about, as the question has it.
    pub targets: Vec<String>,
    /// The packages, in opam's order.
    pub packages: Vec<Package>,
    /// `[A, B]` for every `NAME.VERSION` A that depends directly on a B, both from the targets and the packages, in opam's
    /// order, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edges: Option<Vec<[String; 2]>>,
    /// With `edges`: `NAME.VERSION` of the targets, from which a tree grows and which a graph has in bold. Not in JSON,
    /// where `targets` says what was asked about.
    #[serde(skip)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub target_versions: Vec<String>,
}
