//! The requests and responses of the CI services of the OCaml community, each in its own form.

pub mod docs_ci;
pub mod mirage_ci;
mod named_roots;
mod response;
pub mod solver_service;
mod yojson;

pub use named_roots::Vars;
pub use response::{Refusal, Response};
