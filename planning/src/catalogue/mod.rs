//! Platforms as data: which distributions, architectures and compilers there are, and which of them CI
//! services use.
//!
//! ```text
//! platforms.toml (or the user's own) ── parse ──> Catalogue ─┬─ platform(id) ──> CatalogueEntry ── target ──> a target
//!                                 a repository's compilers ──┘─ set(name) ──> entries
//! ```

mod compilers;
mod data;
mod entry;
mod error;
mod names;
mod read;
mod sets;

pub use compilers::{Compiler, Compilers};
pub use data::Catalogue;
pub use entry::CatalogueEntry;
pub use error::CatalogueError;
pub use read::BUILTIN;
