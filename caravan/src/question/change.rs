//! Questions about what changes in a repository.

use super::Text;
use crate::repository::{RepositoryName, StateName};
use caravan_revdeps::bisect::Sought;
use caravan_revdeps::rebuild::Policy;
use caravan_solver::Platform;
use opam_parser::atom::Atom;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What a change does: what breaks and why, what to build and test again. The answer is `caravan.impact/1`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Impact {
    /// The repositories, of which the first changes. None: those of the asker, or nothing but the two states.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<RepositoryName>,
    /// The earlier state; without it, where the later one parted from the branch that changes go to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<StateName>,
    /// The later state, a fork's for instance; without it, the repository as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<StateName>,
    /// The later state is the earlier one with the packages of this directory. Services do not know this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add: Option<PathBuf>,
    /// On which platforms; none: Linux on x86_64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<Platform>,
    /// With which compilers; none: the newest release and that of OCaml 4.14.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ocaml: Vec<String>,
    /// What to build and test again.
    pub policy: Policy,
    /// How many of these at most, on all platforms together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<usize>,
    /// After how many milliseconds to give up on a platform; without it, never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_limit_ms: Option<u64>,
}

/// Upper bounds that keep what a change broke installable with older versions, as a patch. The answer is
/// `caravan.bounds/1`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Bounds {
    /// The repositories, of which the first changes. None: those of the asker, or nothing but the two states.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<RepositoryName>,
    /// The earlier state; without it, where the later one parted from the branch that changes go to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<StateName>,
    /// The later state; without it, the repository as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<StateName>,
    /// The later state is the earlier one with the packages of this directory. Services do not know this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add: Option<PathBuf>,
    /// What the change broke, each `NAME.VERSION`.
    pub broken: Vec<String>,
    /// On which platforms; none: Linux on x86_64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<Platform>,
    /// With which compilers; none: the newest release and that of OCaml 4.14.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ocaml: Vec<String>,
}

/// Which commits made something installable or uninstallable, or changed its solution. The answer is
/// `caravan.bisect/1`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Bisect {
    /// The newest commit to look at; without it, that of the asker's repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<StateName>,
    /// The commit at which to stop, a revision of the same repository; without it, the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// What is to be installed together, as `NAME`, `NAME.VERSION` or `NAME>=VERSION`.
    pub packages: Vec<Text<Atom>>,
    /// What is looked for.
    #[serde(default)]
    pub sought: Sought,
    /// Every commit that changed it, not only the latest.
    #[serde(default)]
    pub all: bool,
    /// With what the packages need for their tests.
    #[serde(default)]
    pub with_test: bool,
    /// The compiler: `5.4.1`, or `5.4` for its newest release at the newest commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ocaml: Option<String>,
    /// On which platform; without it, Linux on x86_64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// After how many milliseconds to give up on a commit; without it, never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit_ms: Option<u64>,
}
