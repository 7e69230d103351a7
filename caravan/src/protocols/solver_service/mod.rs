//! ocurrent/solver-service: one request for several platforms, with the opam files of a project.
//!
//! ```text
//! SolveRequest ── json (as strict as the OCaml side) ──> answer: roots meant for each platform, solve, oldest commits
//!                                                          └──> SolveResponse
//! ```

mod json;
mod reading;

pub use json::{OpamText, Selection, SolveRequest, SolveResponse, Vars};
pub use reading::BadRequest;
