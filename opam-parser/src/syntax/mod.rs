//! The syntax of opam files: bytes to a tree with spans, and back.
//!
//! [`parse_file`] never fails: it gives the tree of what could be read and the diagnostics of the
//! rest. [`check_version`] applies the rules about the `opam-version` field that belong to the file
//! format (rules P4 and P5 of `docs/semantics.md`); [`print`](print::print) writes a tree in opam's
//! normal style.

mod lexer;
mod parser;
pub mod print;
mod tree;
mod version_rule;

pub use parser::{MAX_DEPTH, parse_file, parse_value};
pub use tree::{EnvOp, Item, ItemKind, Items, RelOp, SyntaxTree, Value, ValueKind, Values};
pub use version_rule::{FORMAT_VERSION, announced_version, check_version};
