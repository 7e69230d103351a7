//! Answers "which versions, on this platform?" for opam repositories: a solver for package versions that
//! knows opam's formulas, filters and conflicts, finds the best selection in an order that the question
//! defines, and says why there is none.
//!
//! ```
//! use caravan_solver::{Platform, Request, Solver, View};
//! use opam_parser::index::Index;
//! use opam_parser::source::directory::DirectorySource;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let source = DirectorySource::open(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/repository").as_ref())?;
//! let index = Index::read(&source)?;
//! let view = View::new(&index, &Platform::linux_x86_64());
//! let selection = Solver::new(&view).solve(&Request::new(["caravan-demo".parse()?]))?;
//! assert!(selection.packages().iter().any(|package| index.package_text(*package).starts_with("ocaml.")));
//! # Ok(())
//! # }
//! ```
//!
//! # What it can do
//!
//! * The best selection for a request ([`Solver::solve`]), for thousands of them on all threads
//!   ([`Solver::solve_all`]), and for several platforms at once with the same versions where that is possible
//!   ([`Solver::for_platforms`]). Newest or oldest versions; versions to avoid; time limits and cancellation
//!   ([`Stop`]).
//! * A proof that a selection is the best ([`Solver::prove`]), and a check of every rule by code that the search
//!   does not use ([`verify()`], [`Solver::verify`]).
//! * Why there is no answer: a few facts of opam files that contradict each other, and what would help
//!   ([`Solver::explain`]); why a version is not newer ([`Solver::explain_versions`]).
//! * Which of thousands of packages can be installed ([`Solver::installable`]), with the selections that show it
//!   ([`Solver::witnesses`]); whether a selection from elsewhere is one here ([`Solver::validate`]).
//! * Other answers to what packages say, without editing files ([`Overrides`]).
//! * opam's own reading of opam files, and that of the opam-0install family ([`Dialect`]).
//!
//! Feature `schemars`: JSON schemas (`schemars::JsonSchema`) of [`Problem`] and everything that it consists of.
//!
//! # How it fits together
//!
//! ```text
//! Index ── Setting ──> View ── Request ──> Solver ──> Selection
//!  platform, dialect, pins │                   └────> NoSolution ──> Explanation
//!                          │
//!                          └ per package: filters evaluated, constraints as masks of versions
//! ```
//!
//! * [`Problem`]: a question as data, in two halves. The [`Setting`] decides what the packages look like; a
//!   [`View`] is made of it, once for all questions and threads. The [`Request`] is one question.
//! * [`Platform`]: the variables of a machine.
//! * [`reduce`]: a formula of the index with its filters evaluated (rules F21 to F25 of `docs/semantics.md`),
//!   over any representation of version constraints. Reverse dependencies use it too.
//! * The module `engine` is the search: PubGrub's, over sets of versions as bits. It is private; its module
//!   comment has a table of its words.

pub mod compiler;
mod constraint;
pub mod dialect;
mod engine;
pub mod environment;
mod error;
pub mod explain;
pub mod mask;
pub mod platform;
mod policy;
pub mod problem;
mod question;
pub mod reduce;
mod selection;
mod solve;
pub mod solver;
pub mod stop;
pub mod target;
mod value;
pub mod verify;
pub mod view;

pub use dialect::Dialect;
pub use error::{PlatformError, SolveError};
pub use explain::Explanation;
pub use platform::Platform;
pub use problem::{Constraint, Flags, Problem, Request, Root, Setting};
pub use selection::Selection;
pub use solve::batch::{Installability, Verdict};
pub use solve::platforms::PlatformSelections;
pub use solver::{PlatformsSolver, Solver};
pub use stop::{STEP_LIMIT, Stop, Stopped};
pub use verify::{Violation, verify};
pub use view::{Overrides, View};
