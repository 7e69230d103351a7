//! Plans over a whole opam repository: health checks, compiler releases, builds, documentation, lock files.
//!
//! Nothing here knows where repositories are, prints, or reads the clock.
//!
//! # Example
//!
//! ```
//! use caravan_planning::builds::Builds;
//! use caravan_planning::matrix::{Matrix, MatrixRequest, latest};
//! use caravan_solver::target::Target;
//! use caravan_solver::{Flags, Platform, Request, Stop};
//! use opam_parser::index::Index;
//! use opam_parser::source::directory::DirectorySource;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let source = DirectorySource::open(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/repository").as_ref())?;
//! let index = Index::read(&source)?;
//! let platform = Platform::linux_x86_64();
//! let target = Target { label: "debian".to_owned(), platform, request: Request::default() };
//! let rows = latest(&index, &index.packages().collect::<Vec<_>>());
//! let request = MatrixRequest { targets: &[target], rows, flags: Flags::default() };
//! let matrix = Matrix::decide(&index, request, &Stop::new(), &|_| {})?;
//! let builds = Builds::of(&matrix);
//! assert!(builds.builds.len() <= builds.without_sharing());
//! # Ok(())
//! # }
//! ```
//!
//! # What leads to what
//!
//! ```text
//! platforms.toml + a repository's compilers ── catalogue ──> platforms
//! Index × platforms ── matrix ──> for each package and platform a selection, or the reason why not
//!     ├─ compare ──> what two of them differ in, and which constraints are responsible
//!     ├─ builds ──> distinct builds, a schedule, OBuilder specs, Dockerfiles
//!     └─ docs ──> universes, jobs that build all of them, blessed ones; from commit to commit
//! a project ── lock ──> lock files for opam and opam-monorepo
//! ```
//!
//! Rules are cited by their ids in `docs/semantics.md`.

pub mod builds;
pub mod catalogue;
pub mod compare;
pub mod docs;
pub mod lock;
pub mod matrix;
