//! Who depends on whom within a set of packages.

use super::{Options, mentions};
use caravan_solver::View;
use opam_parser::index::PackageId;
use rayon::prelude::*;

/// All pairs of a package and one that it depends on directly, both from a sorted set; sorted.
pub fn edges(view: &View<'_>, packages: &[PackageId], options: &Options) -> Vec<(PackageId, PackageId)> {
    let index = view.index();
    let needs = |package: &PackageId| {
        let mut edges = Vec::new();
        for touched in mentions(view, *package, options.flags(), false, options.depopts) {
            let range = index.package_range(touched.name);
            let first = packages.partition_point(|other| other.0 < range.start);
            let inside = packages[first..].iter().take_while(|other| other.0 < range.end);
            let met = inside.filter(|other| touched.versions.contains((other.0 - range.start) as usize));
            edges.extend(met.filter(|other| *other != package).map(|other| (*package, *other)));
        }
        edges.sort_unstable();
        edges
    };
    packages.par_iter().with_min_len(256).flat_map_iter(needs).collect()
}
