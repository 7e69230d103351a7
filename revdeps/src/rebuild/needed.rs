//! What a package needs of a selection, and how it gets to each of it.

use super::relations::Relations;
use caravan_solver::Selection;
use opam_parser::index::PackageId;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// What a package needs of a selection, directly and through others, with the shortest way to each of it.
/// Optional dependencies that are in it are needed too: what is there is built with.
pub(super) struct NeededPackages {
    start: PackageId,
    /// Each needed package with the one through which it is reached first; the start with itself.
    reached_from: FxHashMap<PackageId, PackageId>,
    /// The changed packages that something needed accepts, in the selection or not.
    accepted: Vec<PackageId>,
}

impl NeededPackages {
    /// Follows what is needed from `start`, whose tests count if `with_test`. `changed` is sorted.
    pub(super) fn new(
        relations: &Relations<'_, '_>,
        selection: &Selection,
        start: PackageId,
        with_test: bool,
        changed: &[PackageId],
    ) -> Self {
        let index = relations.index;
        let own = if with_test { &relations.tested } else { &relations.direct };
        let mut needed = Self { start, reached_from: FxHashMap::from_iter([(start, start)]), accepted: vec![] };
        let mut waiting = VecDeque::from([start]);
        while let Some(package) = waiting.pop_front() {
            let dependents = if package == start { own } else { &relations.direct };
            for (name, versions) in dependents.dependencies(package) {
                let range = index.package_range(*name);
                let accepts =
                    |other: &&PackageId| range.position(**other).is_some_and(|position| versions.contains(position));
                needed.accepted.extend(range.part_of(changed).iter().filter(accepts));
                let selected = selection.packages();
                let next = range.first_index_in(selected).map(|at| &selected[at]).filter(accepts);
                if let Some(next) = next.filter(|next| !needed.reached_from.contains_key(next)) {
                    needed.reached_from.insert(*next, package);
                    waiting.push_back(*next);
                }
            }
        }
        needed
    }

    /// Whether a package is needed.
    pub(super) fn contains(&self, package: PackageId) -> bool {
        self.reached_from.contains_key(&package)
    }

    /// Whether something needed accepts a changed package, in the selection or not.
    pub(super) fn accepts(&self, package: PackageId) -> bool {
        self.accepted.contains(&package)
    }

    /// All that is needed, in no order, without the package that needs it.
    pub(super) fn packages(&self) -> impl Iterator<Item = PackageId> + '_ {
        self.reached_from.keys().copied().filter(|package| *package != self.start)
    }

    /// The shortest way to a package: the start, those between, the package; each needs the next. `None` if it
    /// is not needed.
    pub(super) fn path_to(&self, end: PackageId) -> Option<Vec<PackageId>> {
        let mut path = vec![end];
        let mut at = end;
        while at != self.start {
            at = *self.reached_from.get(&at)?;
            path.push(at);
        }
        path.reverse();
        Some(path)
    }
}
