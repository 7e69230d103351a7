//! Which of a version's documentations is shown.

use super::universes::Universe;
use crate::builds::{BuildId, Builds};
use opam_parser::index::PackageId;
use std::cmp::Reverse;

/// For each package the build with the most packages in its universe; of several the one that most
/// solutions have.
pub(super) fn bless(builds: &Builds, universes: &[Universe]) -> Vec<(PackageId, BuildId)> {
    let mut all: Vec<BuildId> = (0..builds.builds.len() as BuildId).collect();
    let rank = |build: &BuildId| {
        let (of, universe) = (&builds.builds[*build as usize], &universes[*build as usize]);
        // The hash decides between equals, so that the answer does not depend on the order of builds.
        (of.package, Reverse(universe.size), Reverse(of.jobs), universe.hash)
    };
    all.sort_unstable_by_key(rank);
    let mut blessed: Vec<(PackageId, BuildId)> = Vec::new();
    for build in all {
        let package = builds.builds[build as usize].package;
        if blessed.last().is_none_or(|(last, _)| *last != package) {
            blessed.push((package, build));
        }
    }
    blessed
}
