//! Requests and responses, as strictly as the OCaml side reads and writes them: no member is optional, none
//! is unknown, tuples are arrays, and variants are arrays that begin with their name.

use crate::protocols::Response;
use crate::repository::RepositoryName;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A platform.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(rename = "SolverServiceVars"))]
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
    /// The package that is the compiler: `ocaml-base-compiler`
    pub ocaml_package: String,
    /// Its version.
    pub ocaml_version: String,
    /// opam's `opam-version`
    pub opam_version: String,
    /// Whether the oldest versions are wanted.
    pub lower_bound: bool,
}

/// A question for several platforms.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(rename = "SolverServiceRequest"))]
pub struct SolveRequest {
    /// Repositories, each a URL and a commit; later ones are laid over earlier ones.
    pub opam_repository_commits: Vec<(String, String)>,
    /// The packages that must be installed, `NAME.VERSION` and the opam file of each.
    pub root_pkgs: Vec<(String, OpamText)>,
    /// Packages that have only this version, should they be needed.
    pub pinned_pkgs: Vec<(String, OpamText)>,
    /// The platforms, each with a name for it.
    pub platforms: Vec<(String, Vars)>,
}

/// The text of an opam file, which need not be UTF-8.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct OpamText(pub Vec<u8>);

impl fmt::Debug for OpamText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(&self.0), f)
    }
}

impl From<&str> for OpamText {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl Serialize for OpamText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&String::from_utf8_lossy(&self.0))
    }
}

impl<'de> Deserialize<'de> for OpamText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = OpamText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the text of an opam file")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<OpamText, E> {
                Ok(text.into())
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<OpamText, E> {
                Ok(OpamText(bytes.to_vec()))
            }
        }
        // A string that is not checked to be UTF-8.
        deserializer.deserialize_bytes(Bytes)
    }
}

/// The answer for one platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(rename = "SolverServiceSelection"))]
pub struct Selection {
    /// The platform's name.
    pub id: String,
    /// Those of the roots that are meant for it.
    pub compat_pkgs: Vec<String>,
    /// All packages to install, roots included.
    pub packages: Vec<String>,
    /// For each repository that has one of them the oldest commit at which the answer is the same.
    pub commits: Vec<(String, String)>,
    /// Whether the oldest versions were wanted.
    pub lower_bound: bool,
}

impl SolveRequest {
    /// The repositories that it names.
    pub fn repositories(&self) -> Vec<RepositoryName> {
        let name = |(url, commit): &(String, String)| RepositoryName { url: url.clone(), commit: commit.clone() };
        self.opam_repository_commits.iter().map(name).collect()
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for OpamText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OpamText".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "the text of an opam file" })
    }
}

/// The answer to a request: for each platform with a solution that solution, in the order of the request.
pub type SolveResponse = Response<Selection>;
