//! Questions about opam repositories and their answers: which versions to install, what depends on a package, what a
//! change does, what can be installed where, what to build.
//!
//! ```text
//! Question ── ask ── Repositories (directories, commits, archives, URLs; cached) ──> Answer ── render ──> text, HTML, …
//!                └── Observer: log, warnings, progress
//! ```
//!
//! A [`Question`] and its [`Answer`] are data: the command line, HTTP, Cap'n Proto and clusters only translate.
//!
//! * [`Repository::open`] opens one repository, whatever kind of place it is in; [`Repository::ask`] asks it.
//! * [`ask()`] is for programs that open repositories in a way of their own ([`Repositories`]), watch what happens
//!   ([`Observer`]) or give up after a while ([`Stop`]). [`Local`] finds repositories as the command line does.
//! * [`Error`] has a kind, with its exit code and HTTP status, and says what to do.
//!
//! # Example
//!
//! ```
//! use caravan::question::Solve;
//! use caravan::vocabulary::{Platform, Problem, Request, Setting};
//! use caravan::{Answer, Question, Repository};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let place = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/repository");
//! let repository = Repository::open(place)?;
//! let setting = Setting::new(Platform::linux_x86_64());
//! let problem = Problem { setting, request: Request::new(["caravan-demo".parse()?]) };
//! let answer = repository.ask(&Question::Solve(Box::new(Solve::new(problem))))?;
//! let Answer::Solve(solved) = &answer else { return Err("a solve has another answer".into()) };
//! let packages = solved.answers[0].packages.as_ref().ok_or("there is a solution")?;
//! assert!(packages.iter().any(|package| package.name == "ocaml"));
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! * `render` (on by default): answers as text for a terminal, Markdown, a page, annotations, graphs.
//! * `download`: repositories that are archives on the web. Brings an HTTP client and TLS.
//! * `schema`: JSON Schemas of questions and answers.

pub mod answer;
mod answering;
mod error;
pub mod escape;
pub mod key;
mod observer;
pub mod plan_input;
pub mod platform;
pub mod project;
pub mod protocols;
pub mod question;
mod reach;
#[cfg(feature = "render")]
pub mod render;
pub mod repository;
#[cfg(feature = "schema")]
pub mod schema;

pub use answer::{Answer, Outcome};
pub use answering::{Context, ask};
pub use caravan_solver::{STEP_LIMIT, Stop, Stopped};
pub use error::{Error, ErrorKind};
pub use observer::{Observer, Silent, Warning};
pub use question::Question;
pub use repository::{Local, Options, Repositories, Repository};

/// The words that questions are made of.
pub mod vocabulary {
    pub use caravan_revdeps::bisect::Sought;
    pub use caravan_revdeps::rebuild::{Policy, TestPolicy, Versions};
    pub use caravan_solver::problem::{Avoid, Constraint, Cycles, LowerBounds, Pin, Preference};
    pub use caravan_solver::{Dialect, Flags, Platform, Problem, Request, Root, Setting};
    pub use opam_parser::atom::{Atom, AtomError};
    pub use opam_parser::index::Precedence;
    pub use opam_parser::name::PackageName;
    pub use opam_parser::repository::{Cache, CacheError, CacheInfo, Location};
    pub use opam_parser::syntax::RelOp;
    pub use opam_parser::version::Version;
}
