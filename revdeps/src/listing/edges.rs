//! Who depends on whom within a set of packages.

use super::accepted::accepted_versions;
use super::options::Options;
use caravan_solver::View;
use opam_parser::index::PackageId;
use rayon::prelude::*;

/// All pairs of a package and one that it depends on directly, both from a sorted set; sorted.
pub fn edges(view: &View<'_>, packages: &[PackageId], options: &Options) -> Vec<(PackageId, PackageId)> {
    let index = view.index();
    let evaluation = options.direct();
    let edges_from = |package: &PackageId| {
        let mut edges = Vec::new();
        for accepted in accepted_versions(view, *package, &evaluation, &|_| true) {
            let range = index.package_range(accepted.name);
            let is_accepted = |other: &&PackageId| {
                range.position(**other).is_some_and(|position| accepted.versions.contains(position))
            };
            let others = range.part_of(packages).iter().filter(is_accepted).filter(|other| *other != package);
            edges.extend(others.map(|other| (*package, *other)));
        }
        edges.sort_unstable();
        edges
    };
    packages.par_iter().with_min_len(256).flat_map_iter(edges_from).collect()
}
