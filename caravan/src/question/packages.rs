//! Questions about packages: which versions to install, which can be installed, what there is.

use super::Text;
use crate::repository::RepositoryName;
use caravan_solver::problem::Avoid;
use caravan_solver::{Flags, Platform, Problem, Setting};
use opam_parser::atom::Atom;
use serde::{Deserialize, Serialize};

/// Which versions to install. The answer is `caravan.solve/2`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Solve {
    /// The repositories; the problem's setting says which of them counts. None: those of the asker.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<RepositoryName>,
    /// What is asked. Its roots may be written in any case, where that is unambiguous.
    pub problem: Problem,
    /// On which platforms; none: on that of the problem.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<Platform>,
    /// A compiler, `5.4.1` or `5.4`, as the first root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ocaml: Option<String>,
    /// Also say why packages are not at their newest versions.
    #[serde(default)]
    pub explain_versions: bool,
    /// Check each selection independently, and prove that it is the best.
    #[serde(default)]
    pub check: bool,
    /// The same versions on all platforms, where that is possible.
    #[serde(default)]
    pub same_versions: bool,
    /// Name the file and line of each fact of an explanation.
    #[serde(default)]
    pub places: bool,
}

/// Which packages can be installed. The answer is `caravan.installable/1`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Installable {
    /// The repositories; the setting says which of them counts. None: those of the asker.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<RepositoryName>,
    /// What the packages look like.
    pub setting: Setting,
    /// On which platforms; none: on that of the setting.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<Platform>,
    /// The compiler that is installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ocaml: Option<String>,
    /// Which packages, as `NAME` or `NAME>=VERSION`; none: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<Text<Atom>>,
    /// Every version, not only the newest of each name.
    pub all_versions: bool,
    /// Each with its tests, documentation and so on.
    pub flags: Flags,
    /// What to do about versions with `avoid-version` or `deprecated`; without it, what the dialect does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avoid: Option<Avoid>,
    /// After how many milliseconds to give up on a platform; without it, never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_limit_ms: Option<u64>,
}

/// Packages by name. The answer is `caravan.list/1`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct List {
    /// The repositories; the setting says which of them counts. None: those of the asker.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<RepositoryName>,
    /// What the packages look like.
    pub setting: Setting,
    /// Names, with `*` for any characters and `?` for any one; none: all packages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<String>,
    /// Every version, not only the newest of each name.
    pub all_versions: bool,
    /// Also versions that are not available on the platform.
    pub unavailable: bool,
}

/// What is known about packages. The answer is `caravan.show/1`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// The repositories; the setting says which of them counts. None: those of the asker.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<RepositoryName>,
    /// What the packages look like.
    #[serde(default)]
    pub setting: Setting,
    /// Which, as `NAME` or `NAME.VERSION`; without a version, the newest that is available.
    pub packages: Vec<Text<Atom>>,
}

impl Solve {
    /// A problem on the platform that it names, about the asker's repositories.
    pub fn new(problem: Problem) -> Self {
        Self {
            repositories: vec![],
            problem,
            platforms: vec![],
            ocaml: None,
            explain_versions: false,
            check: false,
            same_versions: false,
            places: false,
        }
    }
}
