//! In which order to build: what needs a build comes after it.

use super::entry::{RebuildEntry, Tests};
use opam_parser::index::PackageId;
use rustc_hash::FxHashMap;

/// Leaves of each job's needs those that are built again, and gives every job its stage.
pub(super) fn assign(entries: &mut [RebuildEntry]) {
    let built: FxHashMap<PackageId, usize> = entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.build.is_some())
        .map(|(at, entry)| (entry.package, at))
        .collect();
    let mut dependents = vec![0; entries.len()];
    for entry in entries.iter_mut() {
        let test = match &mut entry.tests {
            Tests::Job(job) => Some(job),
            Tests::None | Tests::Impossible { .. } => None,
        };
        let mut needed = Vec::new();
        for job in entry.build.iter_mut().chain(test) {
            job.needs.retain(|package| built.contains_key(package));
            needed.extend(&job.needs);
        }
        needed.sort_unstable();
        needed.dedup();
        needed.iter().for_each(|package| dependents[built[package]] += 1);
    }
    let stages = build_stages(entries, &built);
    for (place, entry) in entries.iter_mut().enumerate() {
        entry.dependents = dependents[place];
        if let Some(build) = &mut entry.build {
            build.stage = stages[place];
        }
        if let Tests::Job(test) = &mut entry.tests {
            // Its own build comes first; what its tests need is built, not tested.
            let own = entry.build.as_ref().map_or(0, |build| build.stage);
            let needed = test.needs.iter().map(|package| stages[built[package]]).max().unwrap_or(0);
            test.stage = own.max(needed) + 1;
        }
    }
}

/// The stage of each build: one more than the latest that it needs.
fn build_stages(entries: &[RebuildEntry], built: &FxHashMap<PackageId, usize>) -> Vec<usize> {
    let needs = |place: usize| entries[place].build.iter().flat_map(|build| build.needs.iter().map(|need| built[need]));
    let mut stages = vec![0; entries.len()];
    let mut missing: Vec<usize> = (0..entries.len()).map(|place| needs(place).count()).collect();
    let mut needed_by = vec![vec![]; entries.len()];
    (0..entries.len()).for_each(|place| needs(place).for_each(|need| needed_by[need].push(place)));
    let mut ready: Vec<usize> = (0..entries.len()).filter(|place| missing[*place] == 0).collect();
    let mut next_by_force = 0;
    loop {
        while let Some(place) = ready.pop() {
            stages[place] = 1 + needs(place).map(|need| stages[need]).max().unwrap_or(0);
            for dependent in &needed_by[place] {
                missing[*dependent] = missing[*dependent].saturating_sub(1);
                if missing[*dependent] == 0 && stages[*dependent] == 0 {
                    ready.push(*dependent);
                }
            }
        }
        // Selections of their own may need each other in a cycle: then one has to be the first.
        let Some(forced) = (next_by_force..entries.len()).find(|place| stages[*place] == 0) else { return stages };
        next_by_force = forced + 1;
        ready.push(forced);
    }
}
