//! Answers "which versions, on this platform?" for an opam repository.
//!
//! ```text
//! Index ── Platform ──> View ── Problem ──> solve() ──> Selection
//!                        │                      └─────> NoSolution, with its explanation
//!                        └ per package: filters evaluated, constraints as version masks
//! ```
//!
//! * [`Platform`]: the variables of a machine.
//! * [`reduce`]: a formula of the index with its filters evaluated (semantics sheet, rules F21 to
//!   F25), over any representation of version constraints. Reverse dependencies use it too.
//! * [`View`]: an index as one platform sees it. A package is compiled when somebody first looks at
//!   it, once for all solves and threads.
//! * [`Problem`] and [`solve()`]: what is asked, and the answer.
//!
//! # Example
//!
//! ```
//! use caravan_solver::{Platform, Problem, View, solve};
//! use opam_parser::index::{Built, build};
//! use opam_parser::source::directory::DirectorySource;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let source = DirectorySource::open(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/repository").as_ref())?;
//! let Built::New(index) = build(&source, None, &|_, _| {})? else { unreachable!() };
//! let view = View::new(&index, &Platform::linux_x86_64());
//! let selection = solve(&view, &Problem::new(["caravan-demo".parse()?]))?;
//! assert!(selection.packages().iter().any(|package| index.package_text(*package).starts_with("ocaml.")));
//! # Ok(())
//! # }
//! ```

pub mod environment;
pub mod mask;
pub mod platform;
pub mod problem;
pub mod reduce;
pub mod solve;
pub mod view;

pub use platform::Platform;
pub use problem::{Flags, Problem, Root};
pub use solve::{Explanation, Selection, SolveError, solve};
pub use view::View;
