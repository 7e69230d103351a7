//! Files that are not, or not yet, anywhere else: edited ones, and those of tests.

use super::{Entry, Reader, Sink, Source, SourceError, Stamp, Top, Unread};
use std::collections::BTreeMap;

/// Opam files by package, `NAME.VERSION`.
#[derive(Clone, Debug, Default)]
pub struct MemorySource {
    files: BTreeMap<String, Vec<u8>>,
}

impl MemorySource {
    /// A repository of these packages, each `NAME.VERSION` with the text of its opam file.
    pub fn new<P: Into<String>, T: Into<Vec<u8>>>(files: impl IntoIterator<Item = (P, T)>) -> Self {
        Self { files: files.into_iter().map(|(package, text)| (package.into(), text.into())).collect() }
    }
}

impl Source for MemorySource {
    fn label(&self) -> String {
        "memory".to_owned()
    }

    fn tops(&self) -> Result<Vec<Top>, SourceError> {
        Ok(self.files.keys().map(|name| Top { name: name.clone(), stamp: Stamp::default() }).collect())
    }

    fn reader(&self) -> Result<Box<dyn Reader + '_>, SourceError> {
        Ok(Box::new(MemoryReader(self)))
    }

    fn fetch(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        let package = path.split('/').nth(1).unwrap_or_default();
        self.files.get(package).cloned().ok_or_else(|| SourceError::Missing(path.into()))
    }
}

struct MemoryReader<'m>(&'m MemorySource);

impl Reader for MemoryReader<'_> {
    fn visit(&mut self, top: &mut Top, sink: &mut Sink<'_>) -> Result<Vec<Unread>, SourceError> {
        self.0.files.get(&top.name).map_or(Ok(()), |text| sink(&mut MemoryEntry(text)))?;
        Ok(Vec::new())
    }
}

struct MemoryEntry<'m>(&'m [u8]);

impl Entry for MemoryEntry<'_> {
    fn directory(&self) -> &str {
        ""
    }

    fn stamp(&self) -> Stamp {
        Stamp::default()
    }

    fn opam(&mut self) -> Result<Option<&[u8]>, SourceError> {
        Ok(Some(self.0))
    }

    fn companion(&mut self, _: &str) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(None)
    }
}
