//! What an earlier index remembers of a source, so that what did not change need not be read again.

use super::compile::{Content, FileInput, Problems};
use super::ids::{FileId, NameId, StringId, VersionId};
use super::layout::{FileRow, NONE, PackageRow, Section, TopRow};
use super::record::{Body, bits};
use super::storage::Index;
use crate::source::{KnownFile, Source, Stamp, Top, is_same};
use bstr::ByteSlice;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::ops::Range;

/// For each entry that did not change, its stamp and its files in the earlier index.
pub(super) fn kept_tops(source: &dyn Source, tops: &[Top], earlier: &Index) -> Vec<Option<(Stamp, Range<u32>)>> {
    let rows: &[TopRow] = earlier.section(Section::Tops);
    let known: FxHashMap<&[u8], usize> =
        rows.iter().enumerate().map(|(place, row)| (earlier.string(StringId(row.name)).as_bytes(), place)).collect();
    tops.par_iter()
        .with_min_len(64)
        .map(|top| {
            let place = *known.get(top.name.as_bytes())?;
            let files = earlier.top_files(place);
            let mut remembered = files.clone().map(|file| earlier.known_file(FileId(file)));
            let then = rows[place].stamp;
            source.unchanged(top, then, &mut remembered).then_some((then, files))
        })
        .collect()
}

impl Index {
    /// The files below a top-level entry.
    pub(super) fn top_files(&self, top: usize) -> Range<u32> {
        let rows: &[TopRow] = self.section(Section::Tops);
        let end = match rows.get(top + 1) {
            Some(next) => next.first_file,
            None => self.section::<FileRow>(Section::Files).len() as u32,
        };
        rows[top].first_file..end
    }

    /// Whether the file was read but another one of the same version counts.
    pub(super) fn is_shadowed(&self, file: FileId) -> bool {
        self.file_row(file).package == NONE && self.problem_range(file).is_empty()
    }

    fn known_file(&self, file: FileId) -> KnownFile {
        let row = self.file_row(file);
        let companions = match self.section::<PackageRow>(Section::Packages).get(row.package as usize) {
            Some(package) => package.flags & (bits::NO_URL | bits::NO_DESCR) != 0,
            None => false,
        };
        KnownFile { directory: self.file_directory(row), stamp: row.stamp, companions }
    }
}

/// A file of an earlier index as input for the next one.
pub(super) fn kept_file(index: &Index, file: FileId) -> FileInput<'_> {
    let row = index.file_row(file);
    let package = index.section::<PackageRow>(Section::Packages).get(row.package as usize);
    let content = package.map(|row| Content {
        flags: row.flags,
        synopsis: row.synopsis,
        body: Body {
            available: row.available,
            depends: row.depends,
            depopts: row.depopts,
            conflicts: row.conflicts,
            classes: row.classes,
            end: row.end,
        },
    });
    FileInput {
        name: index.name(NameId(row.name)),
        version: index.version(VersionId(row.version)),
        path: (row.path != NONE).then(|| index.string(StringId(row.path))),
        stamp: row.stamp,
        pool: 0,
        content,
        problems: Problems::Kept(index, file),
    }
}

/// What an earlier index remembers of one entry that changed.
pub(super) struct Earlier<'i> {
    index: &'i Index,
    files: Range<u32>,
}

impl<'i> Earlier<'i> {
    pub(super) fn new(index: &'i Index, top: &str) -> Self {
        let rows: &[TopRow] = index.section(Section::Tops);
        let place = rows.iter().position(|row| index.string(StringId(row.name)) == top);
        Self { index, files: place.map_or(0..0, |place| index.top_files(place)) }
    }

    /// The file in that directory, if it has not changed.
    pub(super) fn same(&self, directory: &str, stamp: Stamp) -> Option<FileId> {
        let mut files = self.files.clone().map(FileId);
        files.find(|file| {
            let row = self.index.file_row(*file);
            is_same(row.stamp, stamp) && !self.index.is_shadowed(*file) && self.index.file_directory(row) == directory
        })
    }
}
