//! What to build for the documentation of every version of every package, as ocaml-docs-ci does it.
//!
//! ```text
//! package versions ── solve ──> solutions ── realise ──> a package with all that it is built with: its
//!     documentation depends on that, its universe     ── jobs ───> jobs that together build all of them
//!                                                      ── bless ──> for each version the one that is shown
//! a later commit ── step ──> what changed, solved and planned again
//! ```

mod blessed;
mod jobs;
mod plan;
mod universes;

pub use jobs::Preparation;
pub use plan::Docs;
pub use universes::Universe;
