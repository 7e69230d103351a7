//! When there is not time for everything: the entries that tell most.

use super::entry::{Rebuild, RebuildEntry};
use opam_parser::index::PackageId;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// An entry of one of several rebuild sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PickedEntry {
    /// The place of the set.
    pub platform: usize,
    /// The place in its entries.
    pub entry: usize,
}

/// What an entry covers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Covered {
    /// That a changed package has an entry on a platform.
    Changed { platform: usize, package: PackageId },
    /// That a stage has an entry on a platform.
    Stage { platform: usize, stage: usize },
}

/// Picks the given number of entries from the sets of all platforms: first, with as few as that takes, so
/// that every changed package and every stage of every platform is covered; then those that most others
/// need. The result is sorted; a larger budget picks more, and the same question the same.
pub fn pick(sets: &[&Rebuild], budget: usize) -> Vec<PickedEntry> {
    let entry = |pick: &PickedEntry| -> &RebuildEntry { &sets[pick.platform].entries[pick.entry] };
    let mut open: Vec<PickedEntry> = Vec::new();
    let mut covers: BTreeMap<PickedEntry, Vec<Covered>> = BTreeMap::new();
    for (platform, set) in sets.iter().enumerate() {
        for (place, entry) in set.entries.iter().enumerate() {
            let pick = PickedEntry { platform, entry: place };
            open.push(pick);
            let with = entry.with().into_iter().map(|package| Covered::Changed { platform, package });
            let stages = entry.jobs().map(|job| Covered::Stage { platform, stage: job.stage });
            covers.insert(pick, with.chain(stages).collect());
        }
    }
    open.sort_by_key(|pick| (Reverse(entry(pick).dependents), pick.platform, pick.entry));
    let mut uncovered: BTreeSet<Covered> = covers.values().flatten().copied().collect();
    let mut picked = Vec::new();
    while picked.len() < budget && !uncovered.is_empty() {
        let gain = |pick: &PickedEntry| covers[pick].iter().filter(|what| uncovered.contains(what)).count();
        // The first of the best: that with most dependents.
        let Some((place, _)) = open.iter().enumerate().max_by_key(|(place, pick)| (gain(pick), Reverse(*place))) else {
            break;
        };
        let pick = open.remove(place);
        uncovered.retain(|what| !covers[&pick].contains(what));
        picked.push(pick);
    }
    picked.extend(open.into_iter().take(budget - picked.len()));
    picked.sort_unstable();
    picked
}
