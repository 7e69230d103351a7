//! Packages that want to be installed before each other.

use crate::target_views::TargetViews;
use caravan_solver::View;
use opam_parser::index::PackageId;
use rustc_hash::FxHashMap;
use std::collections::{BTreeSet, VecDeque};

/// Cycles of dependencies, each as `NAME.VERSION`s of which every one wants the next to be installed
/// before it, and the last the first. Of those that go through the same names one is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cycles {
    /// Those that the change makes.
    pub made: Vec<Vec<String>>,
    /// Those that it breaks.
    pub broken: Vec<Vec<String>>,
}

/// Only cycles through changed packages can be made or broken: for each changed name its shortest cycles,
/// before and after.
pub(super) fn cycles(views: &TargetViews<'_, '_>) -> Cycles {
    let matching = &views.repository.matching;
    let before = shortest_cycles(&views.before, matching.changed_before().collect(), &views.affected_before);
    let after = shortest_cycles(&views.after, matching.changed_after().collect(), &views.affected_after);
    // A new version in the cycle that its forerunners were in makes none; nor does a part of a cycle
    // that was there with other versions.
    let is_in = |view: &View<'_>, within: &[bool], names: &BTreeSet<String>| {
        let index = view.index();
        let versions = names.iter().filter_map(|name| index.find_name(name)).flat_map(|name| index.versions_of(name));
        shortest_cycles(view, versions.collect(), within).contains_key(names)
    };
    let everywhere = |view: &View<'_>| vec![true; view.index().package_count()];
    let (all_before, all_after) = (everywhere(&views.before), everywhere(&views.after));
    let made = after.into_iter().filter(|(names, _)| !is_in(&views.before, &all_before, names));
    let broken = before.into_iter().filter(|(names, _)| !is_in(&views.after, &all_after, names));
    Cycles {
        made: made.map(|(_, cycle)| cycle).collect::<BTreeSet<_>>().into_iter().collect(),
        broken: broken.map(|(_, cycle)| cycle).collect::<BTreeSet<_>>().into_iter().collect(),
    }
}

/// The shortest cycle through each of some packages, by the names in it. `within` are the packages that it may
/// go through beside the one that it is looked for.
fn shortest_cycles(
    view: &View<'_>,
    packages: Vec<PackageId>,
    within: &[bool],
) -> FxHashMap<BTreeSet<String>, Vec<String>> {
    let index = view.index();
    let mut found = FxHashMap::default();
    for package in packages {
        let Some(cycle) = shortest_cycle(view, package, within) else { continue };
        let names = cycle.iter().map(|package| index.name(index.package_name(*package)).to_owned()).collect();
        // It begins where it begins in opam's order, whichever of its packages was asked for.
        let first = (0..cycle.len()).min_by_key(|position| cycle[*position]).unwrap_or(0);
        let turned = cycle[first..].iter().chain(&cycle[..first]);
        found.entry(names).or_insert_with(|| turned.map(|package| index.package_text(*package)).collect());
    }
    found
}

/// The shortest way from a package over what it wants before it back to itself.
fn shortest_cycle(view: &View<'_>, start: PackageId, within: &[bool]) -> Option<Vec<PackageId>> {
    let index = view.index();
    if !view.is_available(start) {
        return None;
    }
    let mut from: FxHashMap<PackageId, PackageId> = FxHashMap::default();
    let mut waiting = VecDeque::from([start]);
    while let Some(package) = waiting.pop_front() {
        for (name, mask) in view.before(package) {
            for next in index.package_range(*name).packages_at(mask.positions()) {
                if next == start {
                    let mut cycle = vec![package];
                    let mut at = package;
                    while let Some(previous) = from.get(&at).filter(|_| at != start) {
                        at = *previous;
                        cycle.push(at);
                    }
                    cycle.reverse();
                    return Some(cycle);
                }
                if within[next.place()] && view.is_available(next) && !from.contains_key(&next) {
                    from.insert(next, package);
                    waiting.push_back(next);
                }
            }
        }
    }
    None
}
