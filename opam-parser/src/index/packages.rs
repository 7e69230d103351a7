//! The packages of an index: versions of names, with what their opam files say.

use super::ids::{NameId, PackageId, StringId, VersionId};
use super::layout::{PackageRow, Section};
use super::packed::{FilterRef, FormulaRef, MAX_ARGUMENT, Words};
use super::range::{PackageIter, PackageRange};
use super::record::bits;
use super::storage::Index;
use crate::file::Flags;
use crate::version;
use bstr::BStr;

impl Index {
    /// How many package versions there are.
    pub fn package_count(&self) -> usize {
        self.section::<PackageRow>(Section::Packages).len()
    }

    /// All package versions in opam's order.
    pub fn packages(&self) -> impl ExactSizeIterator<Item = PackageId> + DoubleEndedIterator + use<> {
        (0..self.package_count() as u32).map(PackageId)
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

    pub(super) fn row(&self, package: PackageId) -> &PackageRow {
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
        Flags::from_bits(self.row(package).flags)
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

    /// Whether its file is written in a later format ([`crate::file::OpamFile::is_of_later_format`]).
    pub fn is_of_later_format(&self, package: PackageId) -> bool {
        self.row(package).flags & bits::LATER_FORMAT != 0
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
        classes.iter().map(|word| NameId(word & MAX_ARGUMENT))
    }
}
