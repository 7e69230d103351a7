//! Reads opam metadata.
pub mod atom;
pub mod diagnostic;
pub mod file;
pub mod filter;
pub mod formula;
pub mod name;
pub mod syntax;
pub mod version;
pub mod index;
pub mod source;
