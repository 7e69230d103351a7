//! Why a package is built again: its way to what changed, through the packages that it is built with.

use super::Job;
use super::candidates::Relations;
use super::together::Found;
use caravan_solver::Selection;
use opam_parser::index::PackageId;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// The shortest way from a package to a changed one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The package, those between, the changed one: each depends on the next.
    pub path: Vec<PackageId>,
    /// How the package depends on the second of them.
    pub relation: Relation,
}

/// How a package depends on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// By its `depends`.
    Depends,
    /// By its `depopts`.
    Depopts,
    /// By what its tests need.
    Tests,
    /// By another choice of versions than the one that it is built with.
    Possible,
}

/// A job of selections, and the shortest way through one of them to a changed package; `None` where there
/// is no way in any. The job's stage is found later; until then its needs are all that is reached.
pub(super) fn job(package: PackageId, found: Vec<Found>) -> (Job, Option<Vec<PackageId>>) {
    let paths = found
        .iter()
        .flat_map(|found| found.together.with.iter().filter_map(|target| found.walk.path(package, *target)));
    let path = paths.min_by_key(Vec::len);
    let reached = found.iter().flat_map(|found| found.walk.from.keys().copied());
    let mut needs: Vec<PackageId> = reached.filter(|reached| *reached != package).collect();
    needs.sort_unstable();
    needs.dedup();
    (Job { stage: 0, needs, selections: found.into_iter().map(|found| found.together).collect() }, path)
}

/// How a package depends on the next of its way.
pub(super) fn relation(relations: &Relations<'_, '_>, package: PackageId, next: PackageId, is_built: bool) -> Relation {
    let index = relations.index;
    let name = index.package_name(next);
    let place = (next.0 - index.package_range(name).start) as usize;
    match () {
        () if relations.required(package, name, place) => Relation::Depends,
        () if is_built => Relation::Depopts,
        () => Relation::Tests,
    }
}

/// What a package needs of a selection, and from where each of it is reached first. Optional dependencies
/// that are in it are needed too: what is there is built with.
pub(super) struct Walk {
    from: FxHashMap<PackageId, PackageId>,
    /// The changed packages that something on the way accepts, in the selection or not.
    mentioned: Vec<PackageId>,
}

impl Walk {
    pub(super) fn new(
        relations: &Relations<'_, '_>,
        selection: &Selection,
        start: PackageId,
        with_test: bool,
        changed: &[PackageId],
    ) -> Self {
        let index = relations.index;
        let own = if with_test { &relations.tested } else { &relations.direct };
        let mut walk = Self { from: FxHashMap::from_iter([(start, start)]), mentioned: vec![] };
        let mut waiting = VecDeque::from([start]);
        while let Some(package) = waiting.pop_front() {
            let dependents = if package == start { own } else { &relations.direct };
            for (name, versions) in dependents.touched(package) {
                let range = index.package_range(*name);
                let accepts = |other: PackageId| versions.contains((other.0 - range.start) as usize);
                let first = changed.partition_point(|target| target.0 < range.start);
                let targets = changed[first..].iter().take_while(|target| target.0 < range.end);
                walk.mentioned.extend(targets.filter(|target| accepts(**target)));
                let place = selection.packages().partition_point(|other| other.0 < range.start);
                let next = selection.packages().get(place).filter(|other| other.0 < range.end && accepts(**other));
                if let Some(next) = next.filter(|next| !walk.from.contains_key(next)) {
                    walk.from.insert(*next, package);
                    waiting.push_back(*next);
                }
            }
        }
        walk
    }

    pub(super) fn reaches(&self, package: PackageId) -> bool {
        self.from.contains_key(&package)
    }

    pub(super) fn mentions(&self, package: PackageId) -> bool {
        self.mentioned.contains(&package)
    }

    fn path(&self, start: PackageId, end: PackageId) -> Option<Vec<PackageId>> {
        let mut path = vec![end];
        let mut at = end;
        while at != start {
            at = *self.from.get(&at)?;
            path.push(at);
        }
        path.reverse();
        Some(path)
    }
}
