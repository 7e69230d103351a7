//! What packages depend on: `opam list --required-by` (rule D7).

use super::{Options, Targets, mentions};
use caravan_solver::View;
use opam_parser::index::PackageId;

/// The packages that the targets depend on directly, in opam's order.
pub fn required_by(view: &View<'_>, targets: &Targets, options: &Options) -> Vec<PackageId> {
    let index = view.index();
    let mut needed = vec![false; index.package_count()];
    for target in targets.packages(index) {
        mark(view, target, options, false, &mut |package| needed[package.place()] = true);
    }
    index.packages().filter(|package| needed[package.place()]).collect()
}

/// The targets and all packages that they depend on, directly or through others, in opam's order. As
/// in [`recursive`](crate::recursive), undefined filters count as true.
pub fn required_by_recursively(view: &View<'_>, targets: &Targets, options: &Options) -> Vec<PackageId> {
    let index = view.index();
    let mut needed = vec![false; index.package_count()];
    let mut waiting: Vec<PackageId> = targets.packages(index).collect();
    waiting.iter().for_each(|package| needed[package.place()] = true);
    while let Some(package) = waiting.pop() {
        mark(view, package, options, true, &mut |found| {
            if !needed[found.place()] {
                needed[found.place()] = true;
                waiting.push(found);
            }
        });
    }
    index.packages().filter(|package| needed[package.place()]).collect()
}

/// Calls `found` with everything that a package's formula touches.
fn mark(view: &View<'_>, package: PackageId, options: &Options, deep: bool, found: &mut dyn FnMut(PackageId)) {
    let index = view.index();
    let flags = if deep { options.recursive_flags(index.is_dev(package)) } else { options.flags() };
    for touched in mentions(view, package, flags, deep, options.depopts) {
        let start = index.package_range(touched.name).start;
        touched.versions.places().for_each(|place| found(PackageId(start + place as u32)));
    }
}
