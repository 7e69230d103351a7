//! The builds that realise a set of solutions, each once.
//!
//! ```text
//! solutions ── realise ──> Builds: a graph of distinct builds, and for each job those that it needs
//!     ├─ schedule ──> when, on how many workers, how long
//!     ├─ keys ──> a name for each build that survives what does not concern it
//!     └─ layers ──> steps that many jobs begin with ──> OBuilder specs, Dockerfiles
//! ```
//!
//! Two solutions share a build where package, version and everything that it is built with are equal. What
//! it is built with is what it depends on, and that again: dependencies before it, optional ones that are
//! there, but not those that are only wanted beside it (`post`; docs/semantics.md, rules S11 and D6). Given what it depends
//! on directly, each built in its way, the rest follows, so a build is a package with other builds. Optional
//! dependencies that would close a cycle do not count.

pub mod dockerfile;
mod edges;
pub mod fingerprint;
pub mod grammar;
mod graph;
pub mod keys;
pub mod layers;
mod realise;
pub mod recipe;
pub mod schedule;
mod shell;
pub mod spec;
mod times;

pub use graph::{Build, BuildId, Builds, Job};
pub use times::{Times, TimesError};
