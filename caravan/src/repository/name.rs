//! How questions name repositories and their states.

use serde::{Deserialize, Serialize};

/// A repository at a commit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RepositoryName {
    /// Its URL.
    pub url: String,
    /// The commit's id.
    pub commit: String,
}

/// A state of the repository that a question is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum StateName {
    /// A repository at a commit.
    Commit(RepositoryName),
    /// A revision of the repository, or the path of a directory or archive. Services do not know these.
    Revision(String),
}

/// A commit in a clone that is on the same machine. The requests of mirage-ci name repositories so.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CloneName {
    /// The folder of the clone.
    pub folder: String,
    /// The commit's id.
    pub commit: String,
}
