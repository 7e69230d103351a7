//! How questions are answered.
//!
//! ```text
//! Question ── ask ── Context: repositories, observer, stop ── one module for each kind ──> Answer
//! ```

mod ask;
mod bisect;
mod bounds;
mod builds;
mod change;
mod context;
mod docs;
mod docs_ci;
mod health;
mod impact;
mod installable;
mod list;
mod listing;
mod lock;
mod mirage_ci;
mod named_roots;
mod names;
mod opened;
mod plans;
mod platforms;
mod show;
mod solve;
mod solver_service;
mod universes;

pub use ask::ask;
pub use context::Context;
