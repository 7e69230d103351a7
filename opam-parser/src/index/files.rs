//! The opam files that an index was read from: where they are, and what is wrong in them.

use super::compile::UnreadInput;
use super::ids::{FileId, NameId, PackageId, StringId, VersionId};
use super::layout::{FileRow, LayerRow, NONE, ProblemRow, Section, TopRow, UnreadRow};
use super::storage::Index;
use crate::diagnostic::{Diagnostic, Position, Severity, Span};
use crate::source::Unread;
use crate::version;
use std::ops::Range;

/// The two ways in which a version may be missing, or be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It exists.
    Package(PackageId),
    /// Its opam file is broken: [`Index::problems`] says how.
    Broken(FileId),
}

/// Where an opam file lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLocation {
    /// Which of the index's sources, counted from 0.
    pub layer: usize,
    /// The path in that source, from its root: `packages/utop/utop.2.14.0/opam`.
    pub path: String,
}

impl Index {
    /// A version of a name, broken or not.
    pub fn find(&self, name: NameId, version: &str) -> Option<Found> {
        if let Some(package) = self.find_package(name, version) {
            return Some(Found::Package(package));
        }
        self.broken_files()
            .find(|file| {
                let row = self.file_row(*file);
                row.name == name.0
                    && version::compare(self.version(VersionId(row.version)).as_bytes(), version.as_bytes()).is_eq()
            })
            .map(Found::Broken)
    }

    pub(super) fn file_row(&self, file: FileId) -> &FileRow {
        &self.section::<FileRow>(Section::Files)[file.place()]
    }

    /// The file that describes a package.
    pub fn package_file(&self, package: PackageId) -> FileId {
        FileId(self.row(package).file)
    }

    /// Where a file lies.
    pub fn file(&self, file: FileId) -> FileLocation {
        let row = self.file_row(file);
        let top = self.section::<TopRow>(Section::Tops)[row.top as usize];
        let layer = self.layer_of(row.top);
        let directory = self.file_directory(row);
        let top = self.string(StringId(top.name));
        let slash = if directory.is_empty() { "" } else { "/" };
        FileLocation { layer, path: format!("packages/{top}{slash}{directory}/opam") }
    }

    /// Below its top-level entry.
    pub(super) fn file_directory(&self, row: &FileRow) -> String {
        if row.path == NONE {
            format!("{}.{}", self.name(NameId(row.name)), self.version(VersionId(row.version)))
        } else {
            self.string(StringId(row.path)).to_string()
        }
    }

    /// `NAME.VERSION` of a file, broken or not.
    pub fn file_text(&self, file: FileId) -> String {
        let row = self.file_row(file);
        format!("{}.{}", self.name(NameId(row.name)), self.version(VersionId(row.version)))
    }

    /// The name that a file describes, broken or not.
    pub fn file_name(&self, file: FileId) -> NameId {
        NameId(self.file_row(file).name)
    }

    /// How many sources lie over each other here.
    pub fn layer_count(&self) -> usize {
        self.section::<LayerRow>(Section::Layers).len()
    }

    fn files(&self) -> impl Iterator<Item = FileId> + use<> {
        (0..self.section::<FileRow>(Section::Files).len() as u32).map(FileId)
    }

    /// Files with a problem, in the order of their sources.
    pub fn files_with_problems(&self) -> impl Iterator<Item = FileId> + '_ {
        self.files().filter(|file| !self.problem_range(*file).is_empty())
    }

    /// Files that were set aside: their versions do not exist.
    pub fn broken_files(&self) -> impl Iterator<Item = FileId> + '_ {
        self.files_with_problems()
            .filter(|file| self.problems(*file).any(|(found, _)| found.severity == Severity::Error))
    }

    pub(super) fn problem_range(&self, file: FileId) -> Range<usize> {
        let files: &[FileRow] = self.section(Section::Files);
        let end = match files.get(file.place() + 1) {
            Some(next) => next.first_problem as usize,
            None => self.section::<ProblemRow>(Section::Problems).len(),
        };
        files[file.place()].first_problem as usize..end
    }

    /// What could not be read of the sources, which of them, and why. A file that could not be read is broken, too.
    pub fn unread(&self) -> impl Iterator<Item = (usize, Unread)> + '_ {
        self.section::<UnreadRow>(Section::Unread).iter().map(|row| {
            let [path, reason] = [row.path, row.reason].map(|id| self.string(StringId(id)).to_string());
            (self.layer_of(row.top), Unread { path, reason })
        })
    }

    /// The same below a top-level entry.
    pub(super) fn top_unread(&self, top: usize) -> Vec<UnreadInput<'_>> {
        let rows: &[UnreadRow] = self.section(Section::Unread);
        let rows = rows.iter().filter(|row| row.top as usize == top);
        rows.map(|row| UnreadInput { path: self.string(StringId(row.path)), reason: self.string(StringId(row.reason)) })
            .collect()
    }

    fn layer_of(&self, top: u32) -> usize {
        let layers: &[LayerRow] = self.section(Section::Layers);
        layers.partition_point(|layer| layer.first_top <= top).saturating_sub(1)
    }

    /// What is wrong in a file, and where.
    pub fn problems(&self, file: FileId) -> impl Iterator<Item = (Diagnostic, Option<Position>)> + '_ {
        let rows: &[ProblemRow] = &self.section(Section::Problems)[self.problem_range(file)];
        rows.iter().map(|row| {
            let placed = row.start != NONE;
            let diagnostic = Diagnostic {
                severity: if row.severity == 0 { Severity::Warning } else { Severity::Error },
                message: self.string(StringId(row.message)).to_string(),
                hint: (row.hint != NONE).then(|| self.string(StringId(row.hint)).to_string()),
                span: placed.then(|| Span::new(row.start, row.end)),
            };
            (diagnostic, placed.then_some(Position { line: row.line, column: row.column }))
        })
    }
}
