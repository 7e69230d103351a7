//! Reverse dependencies of opam packages: what depends on what, what a change of a repository does, and what
//! can be done about it.
//!
//! # Example
//!
//! ```
//! use caravan_revdeps::{Options, PackageSet, direct};
//! use caravan_solver::{Platform, View};
//! use opam_parser::index::Index;
//! use opam_parser::source::directory::DirectorySource;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let source = DirectorySource::open(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/repository").as_ref())?;
//! let index = Index::read(&source)?;
//! let view = View::new(&index, &Platform::linux_x86_64());
//! let name = index.find_name("caravan-log").ok_or("it is in the example repository")?;
//! let dependents = direct(&view, &PackageSet::of(&index, name, |_| true), &Options::default());
//! assert!(!dependents.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! * `git` (default): `bisect`, which reads the history of a git repository.
//! * `schemars`: JSON Schemas of what is part of questions, such as [`rebuild::Policy`].
//!
//! # What leads to what
//!
//! ```text
//! View ── direct(), recursive(), required_by(), edges() ──> the answers of `opam list`   (listing)
//!      ── coinstallable(), like_opam_repo_ci() ──> those that can be installed together
//! two states ── changes ──> what differs, package by package
//!    ── RepositoryChange, on each Target ──> impact::Impact: lost, gained, reselected, cycles, …
//!         └─ rebuild ──> what to build and test again, in stages, with the versions to use
//!    ── bounds ──> a patch with upper bounds for what broke
//! a history ── bisect ──> the commits that changed an answer
//! ```
//!
//! Rules are cited by their ids in `docs/semantics.md`.

#[cfg(feature = "git")]
pub mod bisect;
pub mod bounds;
pub mod changes;
pub mod impact;
mod listing;
pub mod rebuild;
mod repository_change;
mod target_views;

pub use listing::{
    Dependents, Listing, Options, PackageSet, coinstallable, direct, edges, like_opam_repo_ci, recursive, required_by,
    required_by_recursively,
};
pub use repository_change::RepositoryChange;
