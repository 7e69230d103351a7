//! What depends on the change: the three lists of opam-repo-ci (rule D15), for all changed packages at once.

use super::{LeftOut, Policy, TestPolicy};
use crate::impact::{Known, Sides};
use crate::listing::{Dependents, Mentions, Options, Sort};
use caravan_solver::View;
use opam_parser::index::{Index, NameId, PackageId};
use rustc_hash::FxHashSet;
use std::collections::{BTreeMap, BTreeSet};

/// A package that depends on some of the changed ones.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) package: PackageId,
    /// The changed packages that it depends on, optionally or through others.
    pub(super) build: Vec<PackageId>,
    /// Those that only its tests depend on.
    pub(super) test: Vec<PackageId>,
}

/// Versions that a policy takes apart from each other, so that wanting more of them never loses others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Ordinary,
    Avoided,
    Abandoned,
}

/// All versions of one name and class that are available, and which of them are candidates; newest first.
pub(super) struct Group {
    /// The newest available version is a candidate: the first of them.
    pub(super) newest_is_candidate: bool,
    pub(super) candidates: Vec<Candidate>,
}

fn class(sides: &Sides<'_, '_>, package: PackageId) -> Class {
    match () {
        () if sides.step.after.is_abandoned(package) => Class::Abandoned,
        () if sides.after.is_avoided(package) => Class::Avoided,
        () => Class::Ordinary,
    }
}

/// Who depends on whom, by the options of opam-repo-ci's lists: made once for a view.
pub(crate) struct Relations<'s, 'i> {
    pub(super) index: &'i Index,
    /// `--depopts`
    pub(super) direct: Dependents<'s, 'i>,
    /// `--recursive`
    recursive: Dependents<'s, 'i>,
    /// `--depopts --with-test`
    pub(super) tested: Dependents<'s, 'i>,
    required: Dependents<'s, 'i>,
}

impl<'s, 'i> Relations<'s, 'i> {
    pub(crate) fn new(view: &'s View<'i>, mentions: &'s Mentions) -> Self {
        let dependents = |sort| Dependents::new(view, mentions, sort);
        let optional = Options { depopts: true, ..Options::default() };
        Self {
            index: view.index(),
            direct: dependents(Sort::Direct(optional)),
            recursive: dependents(Sort::Recursive(Options::default())),
            tested: dependents(Sort::Direct(Options { with_test: true, ..optional })),
            required: dependents(Sort::Direct(Options::default())),
        }
    }

    /// Whether a package's `depends` accepts a version of a name, tests aside.
    pub(super) fn required(&self, package: PackageId, name: NameId, place: usize) -> bool {
        self.required.touches(package, name, place)
    }
}

/// The candidates by name and class. Those of a class that the policy does not want are left out.
pub(super) fn candidates(
    sides: &Sides<'_, '_>,
    relations: &Relations<'_, '_>,
    known: &Known,
    changed: &[PackageId],
    policy: &Policy,
) -> (Vec<Group>, LeftOut) {
    let (index, view) = (sides.step.after, &sides.after);
    // Packages that change together are not tested because of each other.
    let own: FxHashSet<PackageId> =
        sides.step.changes.packages.iter().filter_map(|change| sides.step.changed_package(change)).collect();
    let counts = |package: PackageId| {
        !own.contains(&package) && view.is_available(package) && known.after[package.place()] != Some(false)
    };
    let mut found: BTreeMap<PackageId, Candidate> = BTreeMap::new();
    let empty = |package| move || Candidate { package, build: vec![], test: vec![] };
    for target in changed {
        let mut needs = relations.recursive.closure([*target]);
        relations.direct.direct(*target).for_each(|package| needs[package.place()] = true);
        for package in index.packages().filter(|package| needs[package.place()] && counts(*package)) {
            found.entry(package).or_insert_with(empty(package)).build.push(*target);
        }
        let tested: BTreeSet<PackageId> = match policy.tests {
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
    let mut left_out = LeftOut::default();
    let mut groups: BTreeMap<_, Vec<Candidate>> = BTreeMap::new();
    for (package, candidate) in found {
        match class(sides, package) {
            Class::Abandoned if !policy.abandoned => left_out.abandoned.push(package),
            Class::Avoided if !policy.avoided => left_out.avoided.push(package),
            class => groups.entry((index.package_name(package), class)).or_default().push(candidate),
        }
    }
    let group = |((name, of), mut candidates): ((_, Class), Vec<Candidate>)| {
        candidates.reverse();
        let mut versions = index.versions_of(name).rev();
        let newest = versions.find(|package| view.is_available(*package) && class(sides, *package) == of);
        Group { newest_is_candidate: newest == candidates.first().map(|first| first.package), candidates }
    };
    (groups.into_iter().map(group).collect(), left_out)
}
