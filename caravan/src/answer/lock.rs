//! The answer of `lock`.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A project's solution as lock files: `caravan.lock/2`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LockAnswer {
    /// `caravan.lock/2`
    #[cfg_attr(feature = "schema", schemars(extend("const" = "caravan.lock/2")))]
    pub schema: Cow<'static, str>,
    /// The lock files.
    pub files: Vec<LockFile>,
}

/// A lock file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LockFile {
    /// What the file is called: `foo.opam.locked`. Whoever writes it to a place says here which.
    pub path: String,
    /// The packages of the solution without the project's own, each `NAME.VERSION`.
    pub packages: Vec<String>,
    /// Of a lock file for opam-monorepo, those of them that are built from their sources together with the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendored: Option<Vec<String>>,
    /// What is in the file.
    pub text: String,
}
