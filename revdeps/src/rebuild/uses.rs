//! What packages use of a change.

use super::needed::NeededPackages;
use super::relations::Relations;
use super::selections::SelectionFinder;
use crate::target_views::TargetViews;
use caravan_solver::{Flags, Selection, SolveError, Stop};
use opam_parser::index::PackageId;
use rustc_hash::FxHashMap;

/// What a package uses of a change when it is built, or built with its tests.
pub(crate) struct UseOfChange {
    pub(crate) package: PackageId,
    /// With its tests, or without.
    pub(crate) flags: Flags,
    /// The changed packages, in opam's order.
    pub(crate) changed: Vec<PackageId>,
}

/// Whether a package, with what it needs of a selection, uses another.
pub(crate) fn is_used(
    relations: &Relations<'_, '_>,
    selection: &Selection,
    package: PackageId,
    with_test: bool,
    other: PackageId,
) -> bool {
    NeededPackages::new(relations, selection, package, with_test, &[]).contains(other)
}

/// What each of some packages of the later state uses of the change, built and tested.
pub(crate) fn find_uses(
    views: &TargetViews<'_, '_>,
    packages: &[PackageId],
    stop: &Stop,
) -> Result<Vec<UseOfChange>, SolveError> {
    let repository = views.repository;
    let changed =
        repository.packages_after(repository.changes.packages.iter().filter(|change| change.concerns_dependents()));
    let relations = Relations::new(&views.after, &repository.mentions_after);
    let finder = SelectionFinder { views, relations: &relations, best: &FxHashMap::default(), unused: false, stop };
    let mut uses = Vec::new();
    for (package, with_test) in packages.iter().flat_map(|package| [(*package, false), (*package, true)]) {
        let flags = Flags { with_test, ..Flags::default() };
        if with_test && !repository.after.has_tests(package) {
            continue;
        }
        let found = finder.find(package, flags, &changed)?.unwrap_or_default();
        let mut used: Vec<PackageId> = found.into_iter().flat_map(|found| found.selection.with).collect();
        used.sort_unstable();
        used.dedup();
        if !used.is_empty() {
            uses.push(UseOfChange { package, flags, changed: used });
        }
    }
    Ok(uses)
}
