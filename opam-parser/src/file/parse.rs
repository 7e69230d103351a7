//! Text to opam files.

use super::fields::{self, Extent};
use super::opam_file::OpamFile;
use super::read;
use super::types::Source;
use crate::diagnostic::{Diagnostic, Severity};
use crate::syntax;

/// A file as far as it could be read, and what was wrong with it.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The file; `None` if something in it sets the whole file aside.
    pub file: Option<OpamFile>,
    /// Everything that was wrong, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl OpamFile {
    /// Reads a package's opam file completely.
    pub fn parse(source: &[u8]) -> Parsed {
        Self::parse_extent(source, Extent::All)
    }

    /// Reads a package's opam file as far as `extent` says; the other fields stay empty and
    /// unchecked.
    pub fn parse_extent(source: &[u8], extent: Extent) -> Parsed {
        let (tree, mut diagnostics) = syntax::parse_file(source);
        syntax::check_version(&tree, &mut diagnostics);
        let is_error = |found: &Diagnostic| found.severity == Severity::Error;
        if diagnostics.iter().any(is_error) {
            return Parsed { file: None, diagnostics };
        }
        let file = fields::read(&tree, extent, &mut diagnostics);
        diagnostics.sort_by_key(|found| found.span.map(|span| span.start));
        let file = (!diagnostics.iter().any(is_error)).then_some(file);
        Parsed { file, diagnostics }
    }

    /// Reads a legacy `url` file: the fields of the section alone (rule R6). `None` if it names no
    /// source.
    pub fn parse_url_file(source: &[u8]) -> Option<Source> {
        let (tree, diagnostics) = syntax::parse_file(source);
        let broken = diagnostics.iter().any(|found| found.severity == Severity::Error);
        if broken { None } else { read::source(tree.items(), &mut vec![]).ok().flatten() }
    }
}
