//! Questions about many packages on many platforms, and about a project's lock files.

use super::object::two_objects;
use crate::repository::{RepositoryName, StateName};
use caravan_solver::problem::Pin;
use caravan_solver::{Platform, Setting};
use serde::{Deserialize, Serialize};

/// What can be installed on which platforms, and why the rest cannot. The answer is `caravan.health/1`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Health {
    /// The repositories. None: those of the asker.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<RepositoryName>,
    /// Names, with `*` for any characters and `?` for any one; none: all packages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<String>,
    /// Every version, not only the newest of each name that is not to be avoided.
    pub all_versions: bool,
    /// Each with what it needs for its tests.
    pub with_test: bool,
    /// Each with what it needs for its documentation.
    pub with_doc: bool,
    /// Platforms of the catalogue, sets of them, or `OS/ARCH[/DISTRO]`; none: the set `health-check`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<String>,
    /// Compilers for `machine`, or for every `OS/ARCH[/DISTRO]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ocaml: Vec<String>,
    /// The platform that compilers are for if no platform is named; without it, Linux on x86_64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine: Option<Platform>,
    /// A catalogue in TOML instead of the built-in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<String>,
    /// Compare two platforms, commits or both: what is lost, what is won, what stands in the way.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "two_objects")]
    pub compare: Option<[ComparedSide; 2]>,
    /// How many of the constraints that stand in the way to look for.
    pub blockers: usize,
    /// After how many milliseconds to give up; without it, never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_limit_ms: Option<u64>,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            repositories: vec![],
            patterns: vec![],
            all_versions: false,
            with_test: false,
            with_doc: false,
            platforms: vec![],
            ocaml: vec![],
            machine: None,
            catalogue: None,
            compare: None,
            blockers: 10,
            time_limit_ms: None,
        }
    }
}

/// One of two sides that are compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ComparedSide {
    /// The platform; without it, the only one of the question, else the newest compiler's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// The state of the repository; without it, the repository as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<StateName>,
}

/// The distinct builds that realise the solutions of many packages, and when to do them. The answer is
/// `caravan.builds/1`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Builds {
    /// The repositories. None: those of the asker.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<RepositoryName>,
    /// Names, with `*` for any characters and `?` for any one; none: all packages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<String>,
    /// Every version, not only the newest of each name that is not to be avoided.
    pub all_versions: bool,
    /// Each with what it needs for its tests.
    pub with_test: bool,
    /// Platforms of the catalogue, or sets of them; none: the set `health-check`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<String>,
    /// Compilers for every `OS/ARCH[/DISTRO]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ocaml: Vec<String>,
    /// A catalogue in TOML instead of the built-in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<String>,
    /// How many builds can be done at a time.
    pub workers: u16,
    /// How long builds take: a package and seconds on each line, `*` for all others. Without it every build takes a
    /// second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<String>,
    /// Whether builds get their keys, which costs a look into every file.
    pub keys: bool,
    /// Which recipes are wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipes: Option<Recipes>,
}

impl Default for Builds {
    fn default() -> Self {
        Self {
            repositories: vec![],
            patterns: vec![],
            all_versions: false,
            with_test: false,
            platforms: vec![],
            ocaml: vec![],
            catalogue: None,
            workers: 1,
            times: None,
            keys: true,
            recipes: None,
        }
    }
}

/// Which recipes of a build plan are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Recipes {
    /// OBuilder specs.
    pub obuilder: bool,
    /// Dockerfiles.
    pub dockerfile: bool,
    /// One for each job, not for each platform.
    pub per_job: bool,
}

/// What to build for the documentation of packages. The answer is `caravan.docs/1`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Docs {
    /// The repositories. None: those of the asker.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<RepositoryName>,
    /// Names, with `*` for any characters and `?` for any one; none: all packages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<String>,
    /// Only the newest version of each name that is not to be avoided.
    pub latest: bool,
    /// A state whose documentation is there already: only what is new since then is planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<StateName>,
    /// A platform of the catalogue; its compiler is the newest that may be used.
    pub platform: String,
    /// A catalogue in TOML instead of the built-in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<String>,
}

impl Default for Docs {
    fn default() -> Self {
        Self {
            repositories: vec![],
            patterns: vec![],
            latest: false,
            base: None,
            platform: "docs-ci".to_owned(),
            catalogue: None,
        }
    }
}

/// A project's solution as lock files. The answer is `caravan.lock/2`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// The repositories; the setting says which of them counts. None: those of the asker.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<RepositoryName>,
    /// What the packages look like. Its pins are those that the project has beside its own packages.
    #[serde(default)]
    pub setting: Setting,
    /// The packages that the project defines.
    pub packages: Vec<Pin>,
    /// What the project is called, where a lock file is for all of it; without it, `project`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who is to read the lock files.
    #[serde(default)]
    pub tool: LockFor,
    /// Without what the project's tests need.
    #[serde(default)]
    pub build_only: bool,
    /// For opam-monorepo: also packages that build with jbuilder, dune's predecessor.
    #[serde(default)]
    pub allow_jbuilder: bool,
    /// For opam-monorepo: only packages with the tag `cross-compile`.
    #[serde(default)]
    pub require_cross_compile: bool,
    /// The compiler: `5.4.1`, or `5.4` for its newest release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ocaml: Option<String>,
}

/// Who is to read a lock file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LockFor {
    /// opam: `NAME.opam.locked` for each package of the project, as `opam lock` writes it.
    #[default]
    Opam,
    /// opam-monorepo: `PROJECT.opam.locked`, for packages that are built from their sources together with the
    /// project.
    OpamMonorepo,
}

/// The platforms that plans are made for. The answer is `caravan.platforms/1`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Platforms {
    /// The repositories, which say which compilers there are. None: those of the asker.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<RepositoryName>,
    /// Platforms and sets; none: all sets are listed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<String>,
    /// A catalogue in TOML instead of the built-in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<String>,
}
