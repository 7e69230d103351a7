//! What if packages said something else? A few answers of a view overridden, without editing files.

use super::masks::Masks;
use crate::mask::Mask;
use crate::reduce::{Bound, Sets};
use opam_parser::index::{Index, NameId, PackageId};
use opam_parser::syntax::RelOp;
use rustc_hash::{FxHashMap, FxHashSet};

/// Overrides of what packages say on a platform, for `View::with_overrides`.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    available: FxHashSet<PackageId>,
    excluded: FxHashSet<PackageId>,
    lifted: FxHashMap<PackageId, Vec<PackageId>>,
    apart: FxHashMap<PackageId, Vec<PackageId>>,
}

impl Overrides {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// A package counts as available, whatever its `available` says.
    pub fn make_available(&mut self, package: PackageId) {
        self.available.insert(package);
    }

    /// A package counts as unavailable.
    pub fn exclude(&mut self, package: PackageId) {
        self.excluded.insert(package);
    }

    /// In what a package depends on, comparisons that this version of another package does not satisfy do
    /// not count: `< "5.0"` of `ocaml` for `ocaml.5.5.0`. Nor does the package conflict with it.
    pub fn lift(&mut self, package: PackageId, by: PackageId) {
        self.lifted.entry(package).or_default().push(by);
    }

    /// Two packages conflict with each other.
    pub fn keep_apart(&mut self, one: PackageId, other: PackageId) {
        self.apart.entry(one).or_default().push(other);
        self.apart.entry(other).or_default().push(one);
    }

    /// What they say of a package's availability; `None` if nothing.
    pub(super) fn availability(&self, package: PackageId) -> Option<bool> {
        match () {
            () if self.excluded.contains(&package) => Some(false),
            () if self.available.contains(&package) => Some(true),
            () => None,
        }
    }

    /// The versions that a package is to accept.
    pub(super) fn lifted(&self, package: PackageId) -> &[PackageId] {
        self.lifted.get(&package).map_or(&[], Vec::as_slice)
    }

    /// The versions that a package conflicts with beside those that it names.
    pub(super) fn apart(&self, package: PackageId) -> &[PackageId] {
        self.apart.get(&package).map_or(&[], Vec::as_slice)
    }
}

/// [`Masks`], but comparisons do not count that some versions do not satisfy.
pub(super) struct LiftedMasks<'i, 'l> {
    pub(super) index: &'i Index,
    pub(super) lifted: &'l [PackageId],
}

impl Sets for LiftedMasks<'_, '_> {
    type Set = Mask;

    fn constraint(&self, name: NameId, op: RelOp, version: Bound<'_>) -> Mask {
        let mask = Masks(self.index).constraint(name, op, version);
        let range = self.index.package_range(name);
        let refused = |by: &PackageId| range.position(*by).is_some_and(|position| !mask.contains(position));
        if self.lifted.iter().any(refused) { Mask::all(range.len()) } else { mask }
    }

    fn and(&self, a: Mask, b: Mask) -> Mask {
        Masks(self.index).and(a, b)
    }

    fn or(&self, a: Mask, b: Mask) -> Mask {
        Masks(self.index).or(a, b)
    }
}
