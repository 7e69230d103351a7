//! The opam files that one thread reads and parses.

use super::compile::{Content, FileInput, Problems};
use super::earlier::{Earlier, kept_file};
use super::ids::FileId;
use super::record::{Batch, Record};
use super::storage::Index;
use crate::diagnostic::{Diagnostic, Severity};
use crate::file::{Extent, OpamFile, Parsed};
use crate::name::{PackageName, split_package};
use crate::source::{Entry, MAX_FILE, SourceError, Stamp};
use crate::version::Version;
use bstr::{BString, ByteSlice};
use std::ops::Range;

/// The files that one thread read.
#[derive(Default)]
pub(super) struct Visited {
    pub(super) batch: Batch,
    pub(super) files: Vec<VisitedFile>,
    pub(super) tops: Vec<VisitedTop>,
}

/// An entry below `packages/`.
pub(super) struct VisitedTop {
    /// Its place among all entries.
    pub(super) place: usize,
    pub(super) stamp: Stamp,
    /// Its files, by their places in [`Visited::files`].
    pub(super) files: Range<usize>,
}

/// An opam file that was found.
pub(super) struct VisitedFile {
    name: PackageName,
    version: Version,
    path: Option<BString>,
    stamp: Stamp,
    content: VisitedContent,
}

enum VisitedContent {
    /// It was read and parsed.
    Fresh(Record),
    /// It is the same as this file of the earlier index.
    Kept(FileId),
}

impl Visited {
    /// Takes up an opam file below the entry `top`.
    pub(super) fn entry(
        &mut self,
        top: &str,
        entry: &mut dyn Entry,
        earlier: Option<&Earlier<'_>>,
    ) -> Result<(), SourceError> {
        let directory = entry.directory();
        let base = if directory.is_empty() { top } else { directory.rsplit('/').next().unwrap_or_default() };
        // Rule R2: a directory of another name is no package.
        let Some((name, version)) = split_package(base) else { return Ok(()) };
        let path = (directory != base).then(|| directory.into());
        let stamp = entry.stamp();
        let content = match earlier.and_then(|earlier| earlier.same(directory, stamp)) {
            Some(file) => VisitedContent::Kept(file),
            None => VisitedContent::Fresh(record(&mut self.batch, entry)?),
        };
        self.files.push(VisitedFile { name, version, path, stamp, content });
        Ok(())
    }
}

impl VisitedFile {
    /// The file as input of an index, with its texts in the batch that is number `pool`.
    pub(super) fn input<'a>(&'a self, pool: u32, earlier: Option<&'a Index>) -> FileInput<'a> {
        let mut input = match (&self.content, earlier) {
            (VisitedContent::Kept(file), Some(earlier)) => kept_file(earlier, *file),
            (content, _) => {
                let record = match content {
                    VisitedContent::Fresh(record) => Some(record),
                    VisitedContent::Kept(_) => None,
                };
                let package = record.and_then(|record| record.package.as_ref());
                FileInput {
                    name: self.name.as_str(),
                    version: self.version.as_str(),
                    path: None,
                    stamp: self.stamp,
                    pool,
                    content: package.map(|p| Content { flags: p.flags, synopsis: p.synopsis, body: p.body }),
                    problems: Problems::Fresh(record.map_or(&[], |record| &record.problems)),
                }
            }
        };
        input.path = self.path.as_ref().map(|path| path.as_bstr());
        input
    }
}

fn record(batch: &mut Batch, entry: &mut dyn Entry) -> Result<Record, SourceError> {
    let Some(text) = entry.opam()? else {
        let message = format!("this file is larger than {} MiB", MAX_FILE >> 20);
        let found = Diagnostic { severity: Severity::Error, message, span: None, hint: None };
        return Ok(batch.record(None, vec![found], b""));
    };
    let Parsed { mut file, diagnostics } = OpamFile::parse_extent(text, Extent::Solving);
    let mut record = batch.record(None, diagnostics, text);
    if let Some(file) = &mut file {
        companions(file, entry)?;
        record.package = batch.record(Some(file), vec![], b"").package;
    }
    Ok(record)
}

/// The legacy files beside an opam file count only where it is silent (rule R6).
fn companions(file: &mut OpamFile, entry: &mut dyn Entry) -> Result<(), SourceError> {
    if file.url.is_none()
        && let Some(text) = entry.companion("url")?
    {
        file.url = OpamFile::parse_url_file(&text);
    }
    if file.synopsis.is_none()
        && file.description.is_none()
        && let Some(text) = entry.companion("descr")?
    {
        let (synopsis, description) = text.split_once_str("\n").unwrap_or((&text, b""));
        file.synopsis = Some(synopsis.trim().into());
        file.description = Some(description.trim().into());
    }
    Ok(())
}
