//! ocaml-docs-ci: one repository; each selected package with all that it is built with.

use super::{Response, Vars};
use opam_parser::syntax::RelOp;
use serde::{Deserialize, Serialize};

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "DocsCiRequest"))]
#[serde(deny_unknown_fields)]
pub struct SolveRequest {
    /// The commit of opam-repository.
    pub opam_repository_commit: String,
    /// The packages that must be installed.
    pub pkgs: Vec<String>,
    /// What versions may be.
    pub constraints: Vec<(String, (Relation,), String)>,
    /// The platforms, each with a name for it.
    pub platforms: Vec<(String, Vars)>,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Relation {
    /// `=`
    Eq,
    /// `>=`
    Geq,
    /// `>`
    Gt,
    /// `<=`
    Leq,
    /// `<`
    Lt,
    /// `!=`
    Neq,
}

impl From<Relation> for RelOp {
    fn from(relation: Relation) -> Self {
        match relation {
            Relation::Eq => Self::Eq,
            Relation::Geq => Self::Geq,
            Relation::Gt => Self::Gt,
            Relation::Leq => Self::Leq,
            Relation::Lt => Self::Lt,
            Relation::Neq => Self::Neq,
        }
    }
}

/// The answer for a platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "DocsCiSelection"))]
pub struct Selection {
    /// The platform's name.
    pub id: String,
    /// Every package with all that it is built with.
    pub packages: Vec<(String, Vec<String>)>,
    /// The oldest commit at which the answer is the same.
    pub commit: String,
}

/// The answer to a request.
pub type SolveResponse = Response<Selection>;
