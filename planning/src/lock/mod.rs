//! Lock files: a project's solution, to be had again.
//!
//! ```text
//! a project's opam files, pinned ── solve ──> a solution ─┬─ opam ──> NAME.opam.locked, as `opam lock` writes it
//!                     only what builds with dune ─────────┴─ monorepo ──> PROJECT.opam.locked, for opam-monorepo
//! every lock file ── read again, solved for ──> the same solution, or an error
//! ```

mod check;
mod error;
mod monorepo;
mod monorepo_file;
mod opam;
mod quote;
mod roots;

pub use error::LockError;
pub use monorepo::{Monorepo, MonorepoRules, monorepo};
pub use opam::locked;
pub use roots::roots;
