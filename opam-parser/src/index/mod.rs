//! The index: a whole repository, or several, in one immutable structure without pointers.
//!
//! Read once from a [`Source`](crate::source::Source) ([`Index::read`]), then shared read-only by any number of threads, and, as
//! a mapped file, by any number of processes. Names and versions are numbered in opam's order;
//! dependencies, conflicts and availability are words (module `packed`) that refer to those numbers, so a
//! solver for any platform reads numbers only. The opam files themselves stay where they are;
//! [`Index::file`] says where.
//!
//! The same repository state gives the same bytes, whether it was read at once or in steps.

mod compile;
mod earlier;
mod ids;
mod layout;
mod matching;
mod near;
mod newest;
mod overlay;
mod packed;
mod range;
mod read;
mod record;
mod show;
mod validate;
mod visit;

pub use compile::{Precedence, TooLarge};
pub use ids::{FileId, NameId, PackageId, StringId, VariableId, VersionId};
pub use layout::Stamp;
pub use matching::Matching;
pub use newest::newest;
pub use overlay::{Part, overlay, pinned, with_pins};
pub use packed::{ConditionNode, ConditionRef, FilterRef, FormulaNode, FormulaRef, IndexEnv, Operands};
pub use range::{PackageIter, PackageRange};
pub use read::{BuildError, Progress};

use crate::diagnostic::{Diagnostic, Position, Severity, Span};
use crate::file::Flags;
use crate::name::compare_case;
use crate::version;
use bstr::{BStr, ByteSlice};
use bytemuck::Pod;
use layout::{FileRow, LayerRow, Layout, NONE, PackageRow, ProblemRow, Section, TopRow};
use packed::Words;
use record::bits;
use std::ops::Range;

enum Backing {
    Owned(Vec<u64>),
    Mapped(memmap2::Mmap),
}

/// A repository, or several, ready to be asked.
pub struct Index {
    backing: Backing,
    layout: Layout,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Index({} packages)", self.package_count())
    }
}

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
    /// Opens the bytes of an index.
    ///
    /// # Errors
    /// What is wrong with them. Everything is checked: a file that was tampered with is refused, it
    /// never misleads or crashes whoever reads it.
    fn open(backing: Backing) -> Result<Self, &'static str> {
        let bytes = match &backing {
            Backing::Owned(words) => bytemuck::cast_slice(words),
            Backing::Mapped(map) => &map[..],
        };
        let layout = Layout::read(bytes)?;
        let index = Self { backing, layout };
        validate::validate(&index)?;
        Ok(index)
    }

    /// Takes over bytes that were just made by [`layout::assemble`].
    fn from_own(words: Vec<u64>) -> Self {
        let layout = Layout::read(bytemuck::cast_slice(&words));
        // Made by ourselves a moment ago: a mistake here is one in this crate.
        let layout = layout.expect("an index that was just made can be read");
        Self { backing: Backing::Owned(words), layout }
    }

    /// Opens an index that lies in a mapped file.
    ///
    /// # Errors
    /// What is wrong with the file; it is to be built again.
    pub fn from_map(map: memmap2::Mmap) -> Result<Self, &'static str> {
        Self::open(Backing::Mapped(map))
    }

    /// Opens an index from a copy of its bytes.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut words = vec![0_u64; bytes.len().div_ceil(8)];
        bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
        if !bytes.len().is_multiple_of(8) {
            return Err("it is truncated");
        }
        Self::open(Backing::Owned(words))
    }

    /// The bytes, to be stored and opened again.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.backing {
            Backing::Owned(words) => bytemuck::cast_slice(words),
            Backing::Mapped(map) => map,
        }
    }

    /// Tells indexes with different contents apart.
    pub fn checksum(&self) -> u64 {
        layout::checksum(self.as_bytes())
    }

    fn section<T: Pod>(&self, section: Section) -> &[T] {
        // Sections are aligned by `Layout::read`, and their sizes checked by `validate`.
        bytemuck::try_cast_slice(&self.as_bytes()[self.layout.range(section)]).unwrap_or_default()
    }

    fn text(&self, ends: Section, text: Section, place: u32) -> &[u8] {
        let ends: &[u32] = self.section(ends);
        let place = place as usize;
        let start = if place == 0 { 0 } else { ends[place - 1] };
        &self.as_bytes()[self.layout.range(text)][start as usize..ends[place] as usize]
    }

    fn str(&self, ends: Section, text: Section, place: u32) -> &str {
        std::str::from_utf8(self.text(ends, text, place)).unwrap_or_default()
    }

    /// A name's text.
    pub fn name(&self, id: NameId) -> &str {
        self.str(Section::NameEnds, Section::NameText, id.0)
    }

    /// A version's text.
    pub fn version(&self, id: VersionId) -> &str {
        self.str(Section::VersionEnds, Section::VersionText, id.0)
    }

    /// A string's text.
    pub fn string(&self, id: StringId) -> &BStr {
        self.text(Section::StringEnds, Section::StringText, id.0).as_bstr()
    }

    /// A variable as filters write it.
    pub fn variable(&self, id: VariableId) -> &str {
        self.str(Section::VariableEnds, Section::VariableText, id.0)
    }

    /// All variables that any filter mentions.
    pub fn variables(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.section::<u32>(Section::VariableEnds).len()).map(|id| self.variable(VariableId(id as u32)))
    }

    /// How many names there are, those that are only mentioned included.
    pub fn name_count(&self) -> usize {
        self.section::<u32>(Section::NameEnds).len()
    }

    /// How many texts of versions there are, those that are only mentioned included.
    pub fn version_count(&self) -> usize {
        self.section::<u32>(Section::VersionEnds).len()
    }

    /// How many package versions there are.
    pub fn package_count(&self) -> usize {
        self.section::<PackageRow>(Section::Packages).len()
    }

    /// All names in opam's order, those that are only mentioned included.
    pub fn names(&self) -> impl ExactSizeIterator<Item = NameId> + use<> {
        (0..self.name_count() as u32).map(NameId)
    }

    /// All package versions in opam's order.
    pub fn packages(&self) -> impl ExactSizeIterator<Item = PackageId> + DoubleEndedIterator + use<> {
        (0..self.package_count() as u32).map(PackageId)
    }

    /// The id of a name that exists or is mentioned somewhere.
    pub fn find_name(&self, name: &str) -> Option<NameId> {
        let (mut low, mut high) = (0, self.name_count() as u32);
        while low < high {
            let middle = u32::midpoint(low, high);
            match compare_case(self.name(NameId(middle)), name) {
                std::cmp::Ordering::Equal => return Some(NameId(middle)),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The versions of a name, oldest first; none if it is only mentioned.
    pub fn versions_of(&self, name: NameId) -> PackageIter {
        self.package_range(name).iter()
    }

    /// The versions of a name: consecutive packages, oldest first; none if it is only mentioned.
    pub fn package_range(&self, name: NameId) -> PackageRange {
        let starts: &[u32] = self.section(Section::NameStarts);
        PackageRange { start: starts[name.place()], end: starts[name.place() + 1] }
    }

    /// The position of a package among the versions of its name: 0 for the oldest.
    pub fn version_position(&self, package: PackageId) -> usize {
        let starts: &[u32] = self.section(Section::NameStarts);
        (package.0 - starts[self.package_name(package).place()]) as usize
    }

    /// The package at a position among the versions of a name, 0 being the oldest; `None` if there are not
    /// so many.
    pub fn package_at(&self, name: NameId, position: usize) -> Option<PackageId> {
        self.package_range(name).get(position)
    }

    /// The package whose version equals the given text in opam's order.
    pub fn find_package(&self, name: NameId, version: &str) -> Option<PackageId> {
        let range = self.package_range(name);
        let order = |package| {
            let own = self.version(self.package_version(package));
            version::compare(own.as_bytes(), version.as_bytes())
        };
        let found = range.get(range.partition_point(|package| order(package).is_lt()));
        found.filter(|package| order(*package).is_eq())
    }

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

    /// The rank of a version in opam's order: compares as versions do, equal ones being equal.
    pub fn version_key(&self, version: VersionId) -> u32 {
        self.section::<u32>(Section::VersionKeys)[version.place()]
    }

    /// One package of each name that candidates in opam's order have: the newest candidate of the name
    /// that is not to be avoided; if all are to be avoided, the newest ([`newest()`]).
    pub fn newest_of_each_name(
        &self,
        candidates: &[PackageId],
        is_avoided: impl Fn(PackageId) -> bool,
    ) -> Vec<PackageId> {
        let same = |a: &PackageId, b: &PackageId| self.package_name(*a) == self.package_name(*b);
        candidates.chunk_by(same).filter_map(|of_name| newest(of_name.iter().copied(), &is_avoided)).collect()
    }

    fn row(&self, package: PackageId) -> &PackageRow {
        &self.section::<PackageRow>(Section::Packages)[package.place()]
    }

    /// The name of a package.
    pub fn package_name(&self, package: PackageId) -> NameId {
        NameId(self.row(package).name)
    }

    /// The version of a package.
    pub fn package_version(&self, package: PackageId) -> VersionId {
        VersionId(self.row(package).version)
    }

    /// `NAME.VERSION`
    pub fn package_text(&self, package: PackageId) -> String {
        format!("{}.{}", self.name(self.package_name(package)), self.version(self.package_version(package)))
    }

    /// Its flags.
    pub fn flags(&self, package: PackageId) -> Flags {
        record::opam_flags(self.row(package).flags)
    }

    /// Whether its sources move ([`crate::file::OpamFile::is_dev`]).
    pub fn is_dev(&self, package: PackageId) -> bool {
        self.row(package).flags & bits::DEV != 0
    }

    /// Whether it has tests ([`crate::file::OpamFile::has_tests`]).
    pub fn has_tests(&self, package: PackageId) -> bool {
        self.row(package).flags & bits::HAS_TESTS != 0
    }

    /// Whether nobody maintains it ([`crate::file::OpamFile::abandoned`]).
    pub fn is_abandoned(&self, package: PackageId) -> bool {
        self.row(package).flags & bits::ABANDONED != 0
    }

    /// Its synopsis; empty if there is none.
    pub fn synopsis(&self, package: PackageId) -> &BStr {
        self.string(StringId(self.row(package).synopsis))
    }

    fn words(&self, start: u32, end: u32) -> Words<'_> {
        Words::new(self, &self.section(Section::Words)[start as usize..end as usize])
    }

    /// `available`
    pub fn available(&self, package: PackageId) -> FilterRef<'_> {
        let row = self.row(package);
        FilterRef(self.words(row.available, row.depends))
    }

    /// `depends`
    pub fn depends(&self, package: PackageId) -> FormulaRef<'_> {
        let row = self.row(package);
        FormulaRef(self.words(row.depends, row.depopts))
    }

    /// `depopts`
    pub fn depopts(&self, package: PackageId) -> FormulaRef<'_> {
        let row = self.row(package);
        FormulaRef(self.words(row.depopts, row.conflicts))
    }

    /// `conflicts`
    pub fn conflicts(&self, package: PackageId) -> FormulaRef<'_> {
        let row = self.row(package);
        FormulaRef(self.words(row.conflicts, row.classes))
    }

    /// `conflict-class`: names in a namespace of their own.
    pub fn conflict_classes(&self, package: PackageId) -> impl ExactSizeIterator<Item = NameId> + '_ {
        let row = self.row(package);
        let words: &[u32] = self.section(Section::Words);
        let classes = &words[row.classes as usize..row.end as usize];
        classes.iter().map(|word| NameId(word & packed::MAX_ARGUMENT))
    }

    fn file_row(&self, file: FileId) -> &FileRow {
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
        let layers: &[LayerRow] = self.section(Section::Layers);
        let layer = layers.partition_point(|layer| layer.first_top <= row.top).saturating_sub(1);
        let directory = self.file_directory(row);
        let top = self.string(StringId(top.name));
        let slash = if directory.is_empty() { "" } else { "/" };
        FileLocation { layer, path: format!("packages/{top}{slash}{directory}/opam") }
    }

    /// Below its top-level entry.
    fn file_directory(&self, row: &FileRow) -> String {
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

    fn problem_range(&self, file: FileId) -> Range<usize> {
        let files: &[FileRow] = self.section(Section::Files);
        let end = match files.get(file.place() + 1) {
            Some(next) => next.first_problem as usize,
            None => self.section::<ProblemRow>(Section::Problems).len(),
        };
        files[file.place()].first_problem as usize..end
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
