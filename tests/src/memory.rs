//! A repository made of texts.

use opam_parser::index::Index;
use opam_parser::source::memory::MemorySource;

/// The index of packages that are given as `NAME.VERSION` and the text of the opam file, whose first
/// line, `opam-version: "2.0"`, is added.
pub fn index_of_texts<'t>(packages: impl IntoIterator<Item = (&'t str, &'t str)>) -> Index {
    super::index_of(&source_of_texts(packages))
}

/// The same as a source.
pub fn source_of_texts<'t>(packages: impl IntoIterator<Item = (&'t str, &'t str)>) -> MemorySource {
    let text = |(package, body): (&str, &str)| (package.to_owned(), format!("opam-version: \"2.0\"\n{body}\n"));
    MemorySource::new(packages.into_iter().map(text))
}
