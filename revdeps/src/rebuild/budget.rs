//! When there is not time for everything: the entries that tell most.

use super::{Entry, Rebuild};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// An entry of one of several rebuild sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pick {
    /// The place of the set.
    pub platform: usize,
    /// The place in its entries.
    pub entry: usize,
}

/// Picks the given number of entries from the sets of all platforms: first, with as few as that takes, so
/// that every changed package and every stage of every platform is covered; then those that most others
/// need. The result is sorted; a larger budget picks more, and the same question the same.
pub fn pick(sets: &[&Rebuild], budget: usize) -> Vec<Pick> {
    let entry = |pick: &Pick| -> &Entry { &sets[pick.platform].entries[pick.entry] };
    let mut open: Vec<Pick> = Vec::new();
    // What an entry covers: of a platform a changed package, or a stage.
    let mut covers: BTreeMap<Pick, Vec<(usize, u32, usize)>> = BTreeMap::new();
    for (platform, set) in sets.iter().enumerate() {
        for (place, entry) in set.entries.iter().enumerate() {
            let pick = Pick { platform, entry: place };
            open.push(pick);
            let with = entry.with().into_iter().map(|package| (platform, package.0, 0));
            let stages = entry.jobs().map(|job| (platform, u32::MAX, job.stage));
            covers.insert(pick, with.chain(stages).collect());
        }
    }
    open.sort_by_key(|pick| (Reverse(entry(pick).dependents), pick.platform, pick.entry));
    let mut uncovered: BTreeSet<(usize, u32, usize)> = covers.values().flatten().copied().collect();
    let mut picked = Vec::new();
    while picked.len() < budget && !uncovered.is_empty() {
        let gain = |pick: &Pick| covers[pick].iter().filter(|what| uncovered.contains(what)).count();
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
