//! The variables of a machine: `arch`, `os` and so on (section 3.4 of `docs/semantics.md`; the opam manual,
//! "Global variables").

mod detect;
mod variables;

pub use variables::{OPAM_VERSION, Platform};
