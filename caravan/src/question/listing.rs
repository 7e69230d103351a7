//! Questions about dependencies, one way and the other.

use super::Text;
use crate::repository::RepositoryName;
use caravan_solver::Setting;
use opam_parser::atom::Atom;
use serde::{Deserialize, Serialize};

/// Which packages depend on packages, or which they depend on: which dependencies count, and which of the packages
/// found are listed. The answer is `caravan.revdeps/1` or `caravan.deps/1`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// The repositories; the setting says which of them counts. None: those of the asker.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<RepositoryName>,
    /// What the packages look like.
    #[serde(default)]
    pub setting: Setting,
    /// The packages that the list is about, as `NAME`, `NAME.VERSION` or `NAME>=VERSION`.
    pub packages: Vec<Text<Atom>>,
    /// Also through other packages.
    #[serde(default)]
    pub recursive: bool,
    /// Every version, not only the newest of each name.
    #[serde(default)]
    pub all_versions: bool,
    /// Also versions that are not available on the platform.
    #[serde(default)]
    pub unavailable: bool,
    /// Also optional dependencies.
    #[serde(default)]
    pub depopts: bool,
    /// Also dependencies for tests.
    #[serde(default)]
    pub with_test: bool,
    /// Also dependencies for documentation.
    #[serde(default)]
    pub with_doc: bool,
    /// Also dependencies for working on the package.
    #[serde(default)]
    pub with_dev_setup: bool,
    /// Also dependencies of development versions.
    #[serde(default)]
    pub dev: bool,
    /// Also dependencies that need not be there before (`post`).
    #[serde(default)]
    pub post: bool,
    /// Not dependencies that are only needed to build.
    #[serde(default)]
    pub no_build: bool,
    /// Only what can be installed, with the compiler if one is named.
    #[serde(default)]
    pub installable: bool,
    /// Only what can be installed together with these packages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coinstallable_with: Vec<Text<Atom>>,
    /// Only what a solution for these packages installs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolve: Vec<Text<Atom>>,
    /// The compiler that is installed: `5.4.1`, or `5.4` for its newest release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ocaml: Option<String>,
    /// Also which of the packages depends on which.
    #[serde(default)]
    pub edges: bool,
    /// Of `revdeps`: the list that opam-repo-ci makes: all that depends on the packages directly, optionally or for
    /// tests, or through others, and can be installed together with them. That decides which dependencies count.
    #[serde(default)]
    pub like_opam_repo_ci: bool,
}
