//! A repository made of texts.

use opam_parser::index::{Index, Stamp};
use opam_parser::source::{Entry, Reader, Sink, Source, SourceError, Top};
use std::collections::BTreeMap;

/// The index of packages that are given as `NAME.VERSION` and the text of the opam file, whose first
/// line, `opam-version: "2.0"`, is added.
pub fn index_of_texts<'t>(packages: impl IntoIterator<Item = (&'t str, &'t str)>) -> Index {
    let text = |(package, body): (&str, &str)| (package.to_owned(), format!("opam-version: \"2.0\"\n{body}\n"));
    super::index_of(&Memory(packages.into_iter().map(text).collect()))
}

struct Memory(BTreeMap<String, String>);

impl Source for Memory {
    fn label(&self) -> String {
        "memory".to_owned()
    }

    fn tops(&self) -> Result<Vec<Top>, SourceError> {
        Ok(self.0.keys().map(|name| Top { name: name.clone(), stamp: Stamp::default() }).collect())
    }

    fn reader(&self) -> Result<Box<dyn Reader + '_>, SourceError> {
        Ok(Box::new(MemoryReader(self)))
    }

    fn fetch(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        let name = path.split('/').nth(1).unwrap_or_default();
        self.0.get(name).map(|text| text.clone().into_bytes()).ok_or_else(|| SourceError::Missing(path.into()))
    }
}

struct MemoryReader<'m>(&'m Memory);

impl Reader for MemoryReader<'_> {
    fn visit(&mut self, top: &mut Top, sink: &mut Sink<'_>) -> Result<(), SourceError> {
        self.0.0.get(&top.name).map_or(Ok(()), |text| sink(&mut MemoryEntry(text)))
    }
}

struct MemoryEntry<'m>(&'m str);

impl Entry for MemoryEntry<'_> {
    fn directory(&self) -> &str {
        ""
    }

    fn stamp(&self) -> Stamp {
        Stamp::default()
    }

    fn opam(&mut self) -> Result<Option<&[u8]>, SourceError> {
        Ok(Some(self.0.as_bytes()))
    }

    fn companion(&mut self, _: &str) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(None)
    }
}
