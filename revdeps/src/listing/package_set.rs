//! Sets of packages, by name.

use caravan_solver::mask::Mask;
use opam_parser::atom::Atom;
use opam_parser::index::{Index, NameId, PackageId};
use opam_parser::syntax::RelOp;
use opam_parser::version::{self, Version};
use std::collections::BTreeMap;

/// A set of packages: for each name some of its versions.
#[derive(Clone, Debug, Default)]
pub struct PackageSet {
    versions: BTreeMap<NameId, Mask>,
}

impl PackageSet {
    /// The versions of a name that fulfil a condition.
    pub fn of(index: &Index, name: NameId, is_wanted: impl Fn(PackageId) -> bool) -> Self {
        let packages = index.versions_of(name);
        let mut mask = Mask::empty(packages.len());
        let wanted = packages.enumerate().filter(|(_, package)| is_wanted(*package));
        wanted.for_each(|(position, _)| mask.insert(position));
        Self { versions: BTreeMap::from([(name, mask)]) }
    }

    /// The versions of a name that an atom allows.
    pub fn of_atom(index: &Index, name: NameId, atom: &Atom) -> Self {
        Self::of(index, name, |package| {
            let found = index.version(index.package_version(package)).as_bytes();
            let allows =
                |(op, wanted): &(RelOp, Version)| op.holds(version::compare(found, wanted.as_str().as_bytes()));
            atom.constraint.as_ref().is_none_or(allows)
        })
    }

    /// Adds another set.
    pub fn extend(&mut self, other: Self) {
        for (name, mask) in other.versions {
            self.versions.entry(name).and_modify(|known| known.unite(&mask)).or_insert(mask);
        }
    }

    /// Exactly one package.
    pub fn one(index: &Index, package: PackageId) -> Self {
        Self::of(index, index.package_name(package), |other| other == package)
    }

    /// Whether a package is in it.
    pub fn contains(&self, index: &Index, package: PackageId) -> bool {
        let versions = self.versions.get(&index.package_name(package));
        versions.is_some_and(|mask| mask.contains(index.version_position(package)))
    }

    /// The packages, in opam's order.
    pub fn packages<'s>(&'s self, index: &'s Index) -> impl Iterator<Item = PackageId> + 's {
        self.versions.iter().flat_map(|(name, mask)| index.package_range(*name).packages_at(mask.positions()))
    }

    /// The versions of a name that are in it, by their positions; `None` if the set does not speak of the name.
    pub(super) fn versions_of(&self, name: NameId) -> Option<&Mask> {
        self.versions.get(&name)
    }
}
