//! ocurrent/solver-service's contract (`solver-service-protocol.md`, sections 3 and 4).

mod answer;
mod json;
mod roots;
mod stable;

pub use answer::{Asked, Found, State, answer};
pub use json::{OpamText, Refusal, Selection, SolveRequest, SolveResponse, Vars};
pub use stable::{Lineage, LineageError};
