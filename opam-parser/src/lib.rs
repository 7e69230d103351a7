//! Reads opam metadata: the files, and whole repositories of them.
//!
//! ```text
//! bytes ──syntax──> tree ──file──> OpamFile      what one file says, with diagnostics
//!                            │
//! Source ──────────────── index ──> Index        what a repository says, for solvers
//!   directory, git commit,   │
//!   archive                  └──repository──> Cache   kept on disk, shared by processes
//! ```
//!
//! * [`syntax`]: the grammar; a tree whose every node knows its place; the printer.
//! * [`version`], [`name`], [`atom`]: what packages are called, and their order.
//! * [`filter`], [`formula`]: conditions on variables and on packages.
//! * [`mod@file`]: the typed opam file.
//! * [`source`]: where opam files come from.
//! * [`index`]: one compact, immutable structure of a whole repository.
//! * [`repository`]: opening repositories through a cache on disk.
//!
//! Nothing here knows about solving; nothing reads the environment but [`source::opam_root`] and
//! [`repository::Cache::default_directory`], and those only when asked.
//!
//! # Example
//!
//! ```
//! use opam_parser::file::OpamFile;
//!
//! let parsed = OpamFile::parse(br#"opam-version: "2.0" depends: ["ocaml" {>= "4.08"} "dune"]"#);
//! assert!(parsed.diagnostics.is_empty());
//! assert!(parsed.file.is_some());
//!
//! // A broken field is dropped and reported; the rest is used, as opam does it.
//! let source = br#"opam-version: "2.0" depends: ["ocaml" {>= 4}]"#;
//! let parsed = OpamFile::parse(source);
//! assert_eq!(parsed.diagnostics[0].position(source).unwrap().column, 43);
//! ```

pub mod atom;
pub mod diagnostic;
pub mod file;
pub mod filter;
pub mod formula;
pub mod index;
pub mod name;
pub mod repository;
pub mod source;
pub mod syntax;
pub mod version;
