//! What ocaml-docs-ci and mirage-ci have in common: roots by name, constraints on any name, several repositories or
//! one, no compiler of its own.

use serde::{Deserialize, Serialize};

/// A platform: what its packages see.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Vars {
    /// opam's `arch`
    pub arch: String,
    /// opam's `os`
    pub os: String,
    /// opam's `os-family`
    pub os_family: String,
    /// opam's `os-distribution`
    pub os_distribution: String,
    /// opam's `os-version`
    pub os_version: String,
}
