//! What packages depend on: `opam list --required-by` (rule D7).

use super::accepted::accepted_versions;
use super::options::{Evaluation, Options};
use super::package_set::PackageSet;
use caravan_solver::View;
use opam_parser::index::PackageId;

/// The packages that the targets depend on directly, in opam's order.
pub fn required_by(view: &View<'_>, targets: &PackageSet, options: &Options) -> Vec<PackageId> {
    let index = view.index();
    let mut needed = vec![false; index.package_count()];
    for target in targets.packages(index) {
        each_dependency(view, target, &options.direct(), &mut |package| needed[package.place()] = true);
    }
    index.packages().filter(|package| needed[package.place()]).collect()
}

/// The targets and all packages that they depend on, directly or through others, in opam's order. As
/// in [`recursive`](crate::recursive), undefined filters count as true.
pub fn required_by_recursively(view: &View<'_>, targets: &PackageSet, options: &Options) -> Vec<PackageId> {
    let index = view.index();
    let mut needed = vec![false; index.package_count()];
    let mut waiting: Vec<PackageId> = targets.packages(index).collect();
    waiting.iter().for_each(|package| needed[package.place()] = true);
    while let Some(package) = waiting.pop() {
        each_dependency(view, package, &options.recursive(index.is_dev(package)), &mut |found| {
            if !needed[found.place()] {
                needed[found.place()] = true;
                waiting.push(found);
            }
        });
    }
    index.packages().filter(|package| needed[package.place()]).collect()
}

/// Calls `found` with everything that a package depends on directly.
fn each_dependency(view: &View<'_>, package: PackageId, evaluation: &Evaluation, found: &mut dyn FnMut(PackageId)) {
    for accepted in accepted_versions(view, package, evaluation, &|_| true) {
        view.index().package_range(accepted.name).packages_at(accepted.versions.positions()).for_each(&mut *found);
    }
}
