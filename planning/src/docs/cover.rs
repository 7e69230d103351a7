//! Jobs that together build everything, and which of a version's documentations is shown.

use super::Universe;
use crate::builds::{BuildId, Builds};
use opam_parser::index::{Index, PackageId};
use rustc_hash::FxHashSet;
use std::cmp::Reverse;

/// Packages of which nothing is kept after they are installed (ocaml-docs-ci).
const NOTHING_TO_KEEP: [&str; 7] =
    ["base-unix", "base-bigarray", "base-threads", "ocaml-config", "ocaml", "ocaml-base-compiler", "ocaml-variants"];

/// A solution to install, and what of it is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preparation {
    /// The place of the solution in [`Builds::jobs`].
    pub job: usize,
    /// What no job before it built, and was not built already.
    pub new: Vec<BuildId>,
}

/// Takes the largest universes first, and of the others those only that bring something new.
pub(super) fn cover(
    index: &Index,
    builds: &Builds,
    universes: &[Universe],
    built: &FxHashSet<(String, [u8; 16])>,
) -> Vec<Preparation> {
    let kept = |package: PackageId| !NOTHING_TO_KEEP.contains(&index.name(index.package_name(package)));
    let mut done: Vec<bool> = builds
        .builds
        .iter()
        .zip(universes)
        .map(|(build, universe)| {
            let known = !built.is_empty() && built.contains(&(index.package_text(build.package), universe.hash));
            known || !kept(build.package)
        })
        .collect();
    let mut order: Vec<usize> = (0..builds.jobs.len()).collect();
    order.sort_by_key(|job| (Reverse(universes[builds.jobs[*job].build as usize].size), builds.jobs[*job].package));
    let mut jobs = Vec::new();
    for job in order {
        let new: Vec<BuildId> =
            builds.jobs[job].builds.iter().copied().filter(|build| !done[*build as usize]).collect();
        if !new.is_empty() {
            new.iter().for_each(|build| done[*build as usize] = true);
            jobs.push(Preparation { job, new });
        }
    }
    jobs
}

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
