//! mirage-ci: several repositories, of which the earlier ones are on top.

use super::{Response, Vars};
use crate::repository::CloneName;
use serde::{Deserialize, Serialize};

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "MirageCiRequest"))]
#[serde(deny_unknown_fields)]
pub struct SolveRequest {
    /// Repositories: a name, the directory of a clone, and a commit.
    pub opam_repos_folders: Vec<(String, String, String)>,
    /// The packages that must be installed.
    pub pkgs: Vec<String>,
    /// Versions that packages have if they are installed.
    pub constraints: Vec<(String, String)>,
    /// The platforms, each with a name for it.
    pub platforms: Vec<(String, Vars)>,
}

impl SolveRequest {
    /// The clones that it names, in its order.
    pub(crate) fn clones(&self) -> impl Iterator<Item = CloneName> {
        let name = |(_, folder, commit): &(String, String, String)| CloneName {
            folder: folder.clone(),
            commit: commit.clone(),
        };
        self.opam_repos_folders.iter().map(name)
    }
}

/// The answer for a platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "MirageCiSelection"))]
pub struct Selection {
    /// The platform's name.
    pub id: String,
    /// What to install.
    pub packages: Vec<String>,
    /// For each repository that is needed its name and the oldest commit at which the answer is the same.
    pub commits: Vec<(String, String)>,
}

/// The answer to a request.
pub type SolveResponse = Response<Selection>;
