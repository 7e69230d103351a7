//! Answers "which versions, on this platform?" for an opam repository.
//!
//! ```text
//! Index ── Setting ──> View ── Request ──> solve ──> Selection
//!  platform, dialect, pins │                  └────> NoSolution ──> explain ──> Explanation
//!                          │
//!                          └ per package: filters evaluated, constraints as masks of versions
//! ```
//!
//! * [`Problem`]: a question as data, in two halves. The [`Setting`] decides what the packages look
//!   like; a [`View`] is made of it, once for all questions and threads. The [`Request`] is one
//!   question.
//! * [`Platform`]: the variables of a machine. [`Dialect`]: whose reading of opam files counts.
//! * [`reduce`]: a formula of the index with its filters evaluated (semantics sheet, rules F21 to
//!   F25), over any representation of version constraints. Reverse dependencies use it too.
//! * [`solve()`]: the best answer; [`solve_proved`] shows that it is; [`solve_together`] is for several
//!   platforms, [`solve_all`] and [`installable`] for thousands of packages. The module `engine` is the search.
//! * [`explain()`]: why there is none; [`explain_versions`]: why a version is not newer.
//! * [`verify()`]: whether an answer holds. It shares no code with the search.
//! * [`Stop`]: deadlines and cancellation.
//!
//! # Example
//!
//! ```
//! use caravan_solver::{Platform, Request, View, solve};
//! use opam_parser::index::Index;
//! use opam_parser::source::directory::DirectorySource;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let source = DirectorySource::open(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/repository").as_ref())?;
//! let index = Index::read(&source)?;
//! let view = View::new(&index, &Platform::linux_x86_64());
//! let selection = solve(&view, &Request::new(["caravan-demo".parse()?]))?;
//! assert!(selection.packages().iter().any(|package| index.package_text(*package).starts_with("ocaml.")));
//! # Ok(())
//! # }
//! ```

pub mod compiler;
pub mod dialect;
mod engine;
pub mod environment;
pub mod explain;
pub mod mask;
pub mod platform;
pub mod problem;
mod question;
pub mod reduce;
pub mod report;
pub mod solve;
pub mod stop;
pub mod verify;
pub mod view;

pub use dialect::Dialect;
pub use explain::{Explanation, explain, explain_facts, explain_versions};
pub use platform::Platform;
pub use problem::{Flags, Problem, Request, Root, Setting};
pub use solve::{
    Installability, Selection, SolveError, Together, hold, installable, solve, solve_all, solve_checked, solve_proved,
    solve_together, solve_until, witnesses,
};
pub use stop::{Stop, Stopped};
pub use verify::{Violation, verify};
pub use view::{Amendments, View};
