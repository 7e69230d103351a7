//! The texts of many opam files of a repository.

use super::opened::Repository;
use opam_parser::index::FileId;
use opam_parser::source::Source;
use rustc_hash::FxHashMap;
use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

/// The texts of a repository's opam files, each read once. Opening a commit takes longer than reading a file of it, so
/// that is done once for each layer.
pub(crate) struct Texts {
    repository: Arc<Repository>,
    /// For each layer what its files are read from; `None` where it cannot be opened.
    sources: Vec<OnceCell<Option<Box<dyn Source>>>>,
    read: RefCell<FxHashMap<FileId, Option<Vec<u8>>>>,
}

impl Texts {
    /// Nothing is read yet.
    pub(crate) fn new(repository: Arc<Repository>) -> Self {
        let sources = repository.places().iter().map(|_| OnceCell::new()).collect();
        Self { repository, sources, read: RefCell::default() }
    }

    /// The text of a file; `None` where it cannot be read.
    pub(crate) fn get(&self, file: FileId) -> Option<Vec<u8>> {
        self.read.borrow_mut().entry(file).or_insert_with(|| self.fetch(file)).clone()
    }

    fn fetch(&self, file: FileId) -> Option<Vec<u8>> {
        let at = self.repository.index().file(file);
        let place = self.repository.places().get(at.layer)?;
        let source = self.sources.get(at.layer)?.get_or_init(|| place.location.source().ok());
        source.as_ref()?.fetch(&at.path).ok()
    }
}
