//! The typed opam file: every field of the format as a type (the opam manual, "opam").
//!
//! [`OpamFile::parse`] reads a package's file the way opam does: an error in syntax or in
//! `opam-version` sets the file aside (rules P1 to P8), an error in a field drops that field (rule P9).

mod fields;
mod opam_file;
mod parse;
mod place;
mod read;
mod signs;
mod types;

pub use fields::Extent;
pub use opam_file::OpamFile;
pub use parse::Parsed;
pub use place::field_line;
pub use types::{
    Argument, Checksum, Command, Depext, EnvUpdate, Extension, ExtraFile, Feature, Filtered, Flags, HashKind,
    PinDepend, Source, Url,
};
