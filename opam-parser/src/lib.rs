//! Reads opam metadata: opam files, and whole repositories of them.
//!
//! A file becomes a syntax tree with a place for every node, then a type with a field for every field of the
//! format; what is wrong is told with its place and costs as little as it costs opam. A repository (a
//! directory, a commit, an archive) becomes an *index*: one compact, immutable structure that solvers read
//! without parsing anything, and that is mapped from a file the next time.
//!
//! ```text
//! bytes ──syntax──> tree ──file──> OpamFile      what one file says, with diagnostics
//!                            │
//! Source ──────────────── index ──> Index        what a repository says, for solvers
//!   directory, git commit,   │
//!   archive                  └──repository──> Cache   kept on disk, shared by processes
//! ```
//!
//! # Example
//!
//! ```
//! use opam_parser::file::OpamFile;
//! use opam_parser::index::Index;
//! use opam_parser::source::directory::DirectorySource;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A broken field is dropped and reported; the rest is used, as opam does it.
//! let text = br#"opam-version: "2.0" depends: ["ocaml" {>= 4}] synopsis: "An example""#;
//! let parsed = OpamFile::parse(text);
//! assert_eq!(parsed.diagnostics[0].position(text).ok_or("it has a place")?.column, 43);
//! assert_eq!(parsed.file.and_then(|file| file.synopsis).ok_or("it is used")?, "An example");
//!
//! let source = DirectorySource::open(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/repository").as_ref())?;
//! let index = Index::read(&source)?;
//! let ocaml = index.find_name("ocaml").ok_or("it is there")?;
//! let newest = index.package_range(ocaml).last().ok_or("it has versions")?;
//! assert_eq!(index.package_text(newest), "ocaml.5.4.1");
//! # Ok(())
//! # }
//! ```
//!
//! # Modules
//!
//! * [`syntax`]: the grammar; a tree whose every node knows its place; the printer.
//! * [`version`], [`name`], [`atom`]: what packages are called, and their order.
//! * [`filter`], [`formula`]: conditions on variables and on packages.
//! * [`mod@file`]: the typed opam file.
//! * [`diagnostic`]: what is wrong in a file, and where.
//! * [`source`]: where opam files come from.
//! * [`index`]: one compact, immutable structure of a whole repository.
//! * [`repository`]: opening repositories through a cache on disk.
//!
//! Nothing here knows about solving; nothing reads the environment but [`source::opam_root`] and
//! [`repository::Cache::default_directory`], and those only when asked.
//!
//! # Features
//!
//! Both are on by default. Without `git` no C code is built.
//!
//! * `git`: commits of git repositories (`source::git`), and their history (`source::history`).
//! * `archive`: repositories in `.tar.gz` and `.tar` files (`source::archive`).

pub mod atom;
pub mod diagnostic;
pub mod file;
pub mod filter;
pub mod formula;
pub mod index;
pub mod name;
pub mod repository;
#[cfg(feature = "schemars")]
mod schema;
pub mod source;
pub mod syntax;
pub mod version;
