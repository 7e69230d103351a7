//! The opam files that one thread reads and parses.

use super::compile::{Content, FileInput, Problems};
use super::earlier::{Earlier, kept_file};
use super::ids::FileId;
use super::record::{Batch, Record};
use super::storage::Index;
use crate::diagnostic::{Diagnostic, Severity};
use crate::file::{Extent, OpamFile, Parsed};
use crate::name::{PackageName, split_package};
use crate::source::{Entry, Limit, SourceError, Stamp, Unread};
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
    /// What could not be read below it.
    pub(super) unread: Vec<Unread>,
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
    /// Takes up an opam file below the entry `top`, even if it cannot be read: then it is set aside, and the path and
    /// the reason are the result.
    pub(super) fn entry(
        &mut self,
        top: &str,
        entry: &mut dyn Entry,
        earlier: Option<&Earlier<'_>>,
    ) -> Result<Option<Unread>, SourceError> {
        let directory = entry.directory();
        let base = if directory.is_empty() { top } else { directory.rsplit('/').next().unwrap_or_default() };
        // Rule R2: a directory of another name is no package.
        let Some((name, version)) = split_package(base) else { return Ok(None) };
        let path = (directory != base).then(|| directory.into());
        let stamp = entry.stamp();
        if let Some(file) = earlier.and_then(|earlier| earlier.same(directory, stamp)) {
            self.files.push(VisitedFile { name, version, path, stamp, content: VisitedContent::Kept(file) });
            return Ok(None);
        }
        let opam = if directory.is_empty() { "opam".to_owned() } else { format!("{directory}/opam") };
        let (record, stamp, unread) = match record(&mut self.batch, entry) {
            Ok(record) => (record, stamp, None),
            // What cannot be read now may be readable the next time.
            Err(SourceError::File { reason }) => {
                let found = error(format!("this file {reason}"));
                let unread = Unread { path: format!("packages/{top}/{opam}"), reason };
                (self.batch.record(None, vec![found], b""), Stamp::default(), Some(unread))
            }
            Err(error) => return Err(error),
        };
        self.files.push(VisitedFile { name, version, path, stamp, content: VisitedContent::Fresh(record) });
        Ok(unread)
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

fn error(message: String) -> Diagnostic {
    Diagnostic { severity: Severity::Error, message, span: None, hint: None }
}

fn record(batch: &mut Batch, entry: &mut dyn Entry) -> Result<Record, SourceError> {
    let Some(text) = entry.opam()? else {
        return Ok(batch.record(None, vec![error(format!("this file {}", Limit::File))], b""));
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
