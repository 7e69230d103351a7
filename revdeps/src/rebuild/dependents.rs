//! What depends on the change: the three lists of opam-repo-ci (rule D15), for all changed packages at once.

use super::entry::LeftOut;
use super::policy::{Policy, TestPolicy};
use super::relations::Relations;
use crate::target_views::{InstallablePackages, TargetViews};
use caravan_solver::Verdict;
use opam_parser::index::PackageId;
use rustc_hash::FxHashSet;
use std::collections::{BTreeMap, BTreeSet};

/// A package that depends on some of the changed ones.
#[derive(Clone, Debug)]
pub(super) struct Dependent {
    pub(super) package: PackageId,
    /// The changed packages that it depends on, optionally or through others.
    pub(super) build: Vec<PackageId>,
    /// Those that only its tests depend on.
    pub(super) test: Vec<PackageId>,
}

impl Dependent {
    /// All changed packages that it has to do with, in opam's order.
    pub(super) fn changed(&self) -> Vec<PackageId> {
        let mut changed: Vec<PackageId> = self.build.iter().chain(&self.test).copied().collect();
        changed.sort_unstable();
        changed
    }
}

/// Versions that a policy takes apart from each other, so that wanting more of them never loses others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum VersionClass {
    Ordinary,
    Avoided,
    Abandoned,
}

/// The dependents of one name and class.
pub(super) struct VersionGroup {
    /// The newest available version of the class is a dependent: the first of them.
    pub(super) newest_depends: bool,
    /// Newest first.
    pub(super) dependents: Vec<Dependent>,
}

fn class(views: &TargetViews<'_, '_>, package: PackageId) -> VersionClass {
    match () {
        () if views.repository.after.is_abandoned(package) => VersionClass::Abandoned,
        () if views.after.is_avoided(package) => VersionClass::Avoided,
        () => VersionClass::Ordinary,
    }
}

/// The dependents of the changed packages by name and class. Those of a class that the policy does not want are
/// left out.
pub(super) fn group_dependents(
    views: &TargetViews<'_, '_>,
    relations: &Relations<'_, '_>,
    known: &InstallablePackages,
    changed: &[PackageId],
    policy: &Policy,
) -> (Vec<VersionGroup>, LeftOut) {
    let (index, view) = (views.repository.after, &views.after);
    let mut left_out = LeftOut::default();
    let mut groups: BTreeMap<_, Vec<Dependent>> = BTreeMap::new();
    for (package, dependent) in find_dependents(views, relations, known, changed, policy.tests) {
        match class(views, package) {
            VersionClass::Abandoned if !policy.abandoned => left_out.abandoned.push(package),
            VersionClass::Avoided if !policy.avoided => left_out.avoided.push(package),
            class => groups.entry((index.package_name(package), class)).or_default().push(dependent),
        }
    }
    let group = |((name, of), mut dependents): ((_, VersionClass), Vec<Dependent>)| {
        dependents.reverse();
        let mut versions = index.versions_of(name).rev();
        let newest = versions.find(|package| view.is_available(*package) && class(views, *package) == of);
        VersionGroup { newest_depends: newest == dependents.first().map(|first| first.package), dependents }
    };
    (groups.into_iter().map(group).collect(), left_out)
}

/// What depends on the changed packages and can be installed, in opam's order.
fn find_dependents(
    views: &TargetViews<'_, '_>,
    relations: &Relations<'_, '_>,
    known: &InstallablePackages,
    changed: &[PackageId],
    tests: TestPolicy,
) -> BTreeMap<PackageId, Dependent> {
    let (repository, view) = (views.repository, &views.after);
    let index = repository.after;
    // Packages that change together are not tested because of each other.
    let own: FxHashSet<PackageId> = repository.packages_after(repository.changes.packages.iter()).into_iter().collect();
    let counts = |package: PackageId| {
        !own.contains(&package) && view.is_available(package) && known.after[package.place()] != Some(Verdict::Not)
    };
    let mut found: BTreeMap<PackageId, Dependent> = BTreeMap::new();
    let empty = |package| move || Dependent { package, build: vec![], test: vec![] };
    for target in changed {
        let mut needs = relations.recursive.closure([*target]);
        relations.direct.direct(*target).for_each(|package| needs[package.place()] = true);
        for package in index.packages().filter(|package| needs[package.place()] && counts(*package)) {
            found.entry(package).or_insert_with(empty(package)).build.push(*target);
        }
        let tested: BTreeSet<PackageId> = match tests {
            TestPolicy::None => BTreeSet::new(),
            TestPolicy::Direct => relations.tested.direct(*target).collect(),
            TestPolicy::Recursive => {
                let between = index.packages().filter(|package| needs[package.place()]);
                between.flat_map(|package| relations.tested.direct(package)).collect()
            }
        };
        for package in tested.into_iter().filter(|package| !needs[package.place()] && counts(*package)) {
            found.entry(package).or_insert_with(empty(package)).test.push(*target);
        }
    }
    found
}
