//! An index as one platform sees it: filters evaluated, constraints as masks of versions.
//!
//! Compiling is lazy: a package is compiled when a solve first reaches it, once for all solves and
//! threads, so that asking one question costs what that question touches and asking thousands
//! compiles everything once.

mod compile;
mod compiled;
mod masks;
mod name;
mod overrides;
mod reader;

pub use compiled::{Choice, Compiled, Impossible, Requirement, Versions};
pub use masks::Masks;
pub use name::NameView;
pub use overrides::Overrides;

use crate::dialect::Dialect;
use crate::environment::{DependencyFlags, Environment};
use crate::platform::Platform;
use crate::problem::{Flags, Setting};
use crate::reduce::{Reduced, Sets};
use opam_parser::index::{Index, NameId, PackageId};
use reader::Reader;
use std::sync::OnceLock;

/// A platform's view of an index.
pub struct View<'i> {
    reader: Reader<'i>,
    /// How many versions the name with the most of them has.
    widest: usize,
    names: Vec<OnceLock<NameView>>,
    packages: Vec<OnceLock<Compiled>>,
    /// What must be installed before a package.
    before: Vec<OnceLock<Versions>>,
}

impl<'i> View<'i> {
    /// The view of a platform. Costs nothing for each package until it is looked at.
    pub fn new(index: &'i Index, platform: &Platform) -> Self {
        Self::in_dialect(index, platform, Dialect::Opam)
    }

    /// The view that a setting asks for. Its repositories and pins make the index
    /// ([`Setting::index`]).
    pub fn of(index: &'i Index, setting: &Setting) -> Self {
        Self::in_dialect(index, &setting.platform, setting.dialect)
    }

    /// The view of a platform, as a dialect reads opam files.
    pub fn in_dialect(index: &'i Index, platform: &Platform, dialect: Dialect) -> Self {
        Self::from_reader(Reader::new(index, platform, dialect))
    }

    fn from_reader(reader: Reader<'i>) -> Self {
        let index = reader.index;
        let mut names = Vec::new();
        names.resize_with(index.name_count(), OnceLock::new);
        let mut packages = Vec::new();
        packages.resize_with(index.package_count(), OnceLock::new);
        let mut before = Vec::new();
        before.resize_with(index.package_count(), OnceLock::new);
        let widest = index.names().map(|name| index.package_range(name).len()).max().unwrap_or(0);
        Self { reader, widest, names, packages, before }
    }

    /// The same view, but with tests, documentation and so on of all packages, not only of roots, as
    /// `opam list --coinstallable-with` has it (rule D11).
    #[must_use]
    pub fn with_flags_of_all(self, flags: Flags) -> Self {
        Self::from_reader(Reader { flags_of_all: flags, ..self.reader })
    }

    /// The same view, but with other answers to what packages say. They take the place of earlier overrides.
    #[must_use]
    pub fn with_overrides(&self, overrides: Overrides) -> View<'i> {
        Self::from_reader(Reader { overrides, ..self.reader.clone() })
    }

    /// The index.
    pub fn index(&self) -> &'i Index {
        self.reader.index
    }

    /// The platform that this is the view of.
    pub fn platform(&self) -> &Platform {
        self.reader.variables.platform()
    }

    /// Whose reading of opam files this is.
    pub fn dialect(&self) -> Dialect {
        self.reader.dialect
    }

    /// How many versions the name with the most of them has.
    pub fn widest(&self) -> usize {
        self.widest
    }

    /// The variables as a package sees them.
    pub fn environment(&self, package: PackageId, flags: DependencyFlags) -> Environment<'_, 'i> {
        self.reader.environment(package, flags)
    }

    /// How many packages were compiled so far: those that solves reached.
    pub fn explored(&self) -> usize {
        self.packages.iter().filter(|package| package.get().is_some()).count()
    }

    /// What the platform has of a name.
    pub fn name(&self, name: NameId) -> &NameView {
        self.names[name.place()].get_or_init(|| NameView::new(&self.reader, name))
    }

    /// The positions of a name's versions, oldest first, but of versions that differ only in their packaging
    /// (`4.08.1` and `4.08.1-1`) the newest first; `None` where there are no such versions.
    pub fn by_revision(&self, name: NameId) -> Option<&[usize]> {
        self.name(name).by_revision(&self.reader, name)
    }

    /// Whether the dialect avoids a version: it has `avoid-version` or, for opam, `deprecated`.
    pub fn is_avoided(&self, package: PackageId) -> bool {
        self.reader.is_avoided(package)
    }

    /// One package of each name that candidates in opam's order have, by what this platform has (rule D18):
    /// [`Index::newest_of_each_name`].
    pub fn newest_of_each_name(&self, candidates: &[PackageId]) -> Vec<PackageId> {
        self.index().newest_of_each_name(candidates, |package| self.is_available(package))
    }

    /// Whether a package's `available` is true here.
    pub fn is_available(&self, package: PackageId) -> bool {
        self.reader.is_available(package)
    }

    /// The dependency flags of a package that was not itself asked for, with those of a root where it
    /// was.
    pub fn flags(&self, package: PackageId, root: Option<Flags>) -> DependencyFlags {
        self.reader.flags(package, root)
    }

    /// What a package requires and conflicts with when it is nobody's root.
    pub fn package(&self, package: PackageId) -> &Compiled {
        self.packages[package.place()].get_or_init(|| self.compile(package, self.flags(package, None)))
    }

    /// The same with other dependency flags, worked out anew.
    pub fn compile(&self, package: PackageId, flags: DependencyFlags) -> Compiled {
        compile::compile(&self.reader, package, flags)
    }

    /// Every package that a package wants to be installed before it: all atoms of its dependencies
    /// without `post` (rule S11).
    pub fn before(&self, package: PackageId) -> &Versions {
        self.before[package.place()].get_or_init(|| self.compile_before(package, self.flags(package, None)))
    }

    /// The same with other dependency flags, worked out anew.
    pub fn compile_before(&self, package: PackageId, flags: DependencyFlags) -> Versions {
        compile::compile_before(&self.reader, package, flags)
    }

    /// A package's dependencies with their filters evaluated, in any representation of constraints; `None`
    /// if nothing is left of them. The flags are those of the root that it is, if it is one.
    pub fn depends<S: Sets>(&self, package: PackageId, root: Option<Flags>, sets: &S) -> Option<Reduced<S::Set>> {
        self.reader.depends(package, self.flags(package, root), sets)
    }

    /// The same of its conflicts.
    pub fn conflicts<S: Sets>(&self, package: PackageId, root: Option<Flags>, sets: &S) -> Option<Reduced<S::Set>> {
        self.reader.conflicts(package, self.flags(package, root), sets)
    }
}
