//! Packages that want to be installed before each other.

use super::Sides;
use caravan_solver::View;
use opam_parser::index::{NameId, PackageId};
use rustc_hash::FxHashMap;
use serde::Serialize;
use std::collections::{BTreeSet, VecDeque};

/// Circles of dependencies, each as `NAME.VERSION`s of which every one wants the next to be installed
/// before it, and the last the first. Of those that go through the same names one is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cycles {
    /// Those that the change makes.
    pub made: Vec<Vec<String>>,
    /// Those that it breaks.
    pub broken: Vec<Vec<String>>,
}

/// Only circles through changed packages can be made or broken: for each changed name its shortest
/// circles, before and after.
pub(super) fn cycles(sides: &Sides<'_, '_>) -> Cycles {
    let matching = &sides.step.matching;
    let before = circles(&sides.before, matching.changed_before().collect(), &sides.affected_before);
    let after = circles(&sides.after, matching.changed_after().collect(), &sides.affected_after);
    // A new version in the circle that its forerunners were in makes none; nor does a part of a circle
    // that was there with other versions.
    let known = |view: &View<'_>, affected: &[bool], names: &BTreeSet<String>| {
        let index = view.index();
        let versions = names.iter().filter_map(|name| index.find_name(name)).flat_map(|name| index.versions_of(name));
        circles(view, versions.collect(), affected).contains_key(names)
    };
    let everywhere = |view: &View<'_>| vec![true; view.index().package_count()];
    let (all_before, all_after) = (everywhere(&sides.before), everywhere(&sides.after));
    let made = after.into_iter().filter(|(names, _)| !known(&sides.before, &all_before, names));
    let broken = before.into_iter().filter(|(names, _)| !known(&sides.after, &all_after, names));
    Cycles {
        made: made.map(|(_, circle)| circle).collect::<BTreeSet<_>>().into_iter().collect(),
        broken: broken.map(|(_, circle)| circle).collect::<BTreeSet<_>>().into_iter().collect(),
    }
}

/// The shortest circle through each of some packages, by the names in it.
fn circles(view: &View<'_>, packages: Vec<PackageId>, within: &[bool]) -> FxHashMap<BTreeSet<String>, Vec<String>> {
    let index = view.index();
    let mut found = FxHashMap::default();
    for package in packages {
        let Some(circle) = shortest(view, package, within) else { continue };
        let names = circle.iter().map(|package| index.name(index.package_name(*package)).to_owned()).collect();
        // It begins where it begins in opam's order, whichever of its packages was asked for.
        let first = (0..circle.len()).min_by_key(|place| circle[*place]).unwrap_or(0);
        let turned = circle[first..].iter().chain(&circle[..first]);
        found.entry(names).or_insert_with(|| turned.map(|package| index.package_text(*package)).collect());
    }
    found
}

/// The shortest way from a package over what it wants before it back to itself.
fn shortest(view: &View<'_>, start: PackageId, within: &[bool]) -> Option<Vec<PackageId>> {
    let index = view.index();
    if !view.is_available(start) {
        return None;
    }
    let mut from: FxHashMap<PackageId, PackageId> = FxHashMap::default();
    let mut waiting = VecDeque::from([start]);
    while let Some(package) = waiting.pop_front() {
        for (name, mask) in view.before(package) {
            let range = index.package_range(NameId(name.0));
            for next in mask.places().map(|place| PackageId(range.start + place as u32)) {
                if next == start {
                    let mut circle = vec![package];
                    let mut at = package;
                    while let Some(previous) = from.get(&at).filter(|_| at != start) {
                        at = *previous;
                        circle.push(at);
                    }
                    circle.reverse();
                    return Some(circle);
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
