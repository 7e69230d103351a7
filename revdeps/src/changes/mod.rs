//! What differs between two states of a repository, package by package.
//!
//! ```text
//! two states ── differences ──> paths ── edits() ──> the texts of each package, before and after
//!     ── Changes::of() ──> each package's kind, as opam-repo-ci has it, and its fields with their effects
//! ```

mod classify;
mod edits;
mod effective;
mod fields;
mod package_change;

pub use edits::{Edit, edits};
pub use fields::{Effect, FieldChange};
pub use package_change::{ChangeKind, Changes, PackageChange, Problem};
