//! Jobs that together build everything.

use super::universes::{PackageInUniverse, Universe};
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

/// Jobs that together build everything that is not built already: those with the largest universes come first,
/// and of the others only those count that bring something new.
pub(super) fn choose_jobs(
    index: &Index,
    builds: &Builds,
    universes: &[Universe],
    built: &FxHashSet<PackageInUniverse>,
) -> Vec<Preparation> {
    let kept = |package: PackageId| !NOTHING_TO_KEEP.contains(&index.name(index.package_name(package)));
    let mut done: Vec<bool> = builds
        .builds
        .iter()
        .zip(universes)
        .map(|(build, universe)| {
            let known = !built.is_empty() && built.contains(&PackageInUniverse::new(index, build.package, universe));
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
