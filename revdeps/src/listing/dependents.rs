//! What depends on a package: `opam list --depends-on`.

use super::accepted::{AcceptedVersions, accepted_versions};
use super::options::{Evaluation, Options};
use super::package_set::PackageSet;
use caravan_solver::View;
use caravan_solver::mask::Mask;
use caravan_solver::target::Mentions;
use caravan_solver::view::Versions;
use opam_parser::index::{NameId, PackageId};
use rayon::prelude::*;
use std::sync::OnceLock;

/// By the rules of which listing packages depend on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// One of direct dependents (rule D7).
    Direct(Options),
    /// A recursive one: `with-test` and its like do not count, and undefined filters are true (rule D8).
    Recursive(Options),
}

/// Who depends on what on a platform, worked out where it is asked for.
pub struct Dependents<'d, 'i> {
    view: &'d View<'i>,
    mentions: &'d Mentions,
    listing: Listing,
    /// What each package depends on, once it was asked for.
    dependencies: Vec<OnceLock<Versions>>,
}

impl<'d, 'i> Dependents<'d, 'i> {
    /// The mentions are those of the view's index.
    pub fn new(view: &'d View<'i>, mentions: &'d Mentions, listing: Listing) -> Self {
        let mut dependencies = Vec::new();
        dependencies.resize_with(view.index().package_count(), OnceLock::new);
        Self { view, mentions, listing, dependencies }
    }

    /// The names and versions that a package depends on directly.
    pub(crate) fn dependencies(&self, package: PackageId) -> &[(NameId, Mask)] {
        self.dependencies[package.place()].get_or_init(|| {
            let evaluation = match self.listing {
                Listing::Direct(options) => options.direct(),
                Listing::Recursive(options) => options.recursive(self.view.index().is_dev(package)),
            };
            let accepted = accepted_versions(self.view, package, &evaluation, &|_| true);
            accepted.into_iter().map(|accepted| (accepted.name, accepted.versions)).collect()
        })
    }

    /// Whether a package depends directly on another.
    pub(crate) fn depends(&self, package: PackageId, on: PackageId) -> bool {
        let index = self.view.index();
        let (name, position) = (index.package_name(on), index.version_position(on));
        let hits = |(other, versions): &(NameId, Mask)| *other == name && versions.contains(position);
        self.dependencies(package).iter().any(hits)
    }

    /// The packages that depend directly on a package, in opam's order.
    pub fn direct(&self, target: PackageId) -> impl Iterator<Item = PackageId> + '_ {
        let mentioning = self.mentions.of(self.view.index().package_name(target));
        mentioning.iter().copied().filter(move |package| self.depends(*package, target))
    }

    /// The packages that are targets or depend on one, directly or through others: one flag for each package of
    /// the index.
    pub fn closure(&self, targets: impl IntoIterator<Item = PackageId>) -> Vec<bool> {
        let index = self.view.index();
        let mut reached = vec![false; index.package_count()];
        let mut waiting: Vec<PackageId> = targets.into_iter().collect();
        waiting.iter().for_each(|package| reached[package.place()] = true);
        while let Some(target) = waiting.pop() {
            for package in self.mentions.of(index.package_name(target)) {
                if !reached[package.place()] && self.depends(*package, target) {
                    reached[package.place()] = true;
                    waiting.push(*package);
                }
            }
        }
        reached
    }
}

/// The packages that depend directly on one of the targets, in opam's order.
pub fn direct(view: &View<'_>, targets: &PackageSet, options: &Options) -> Vec<PackageId> {
    let packages: Vec<PackageId> = view.index().packages().collect();
    let evaluation: Evaluation = options.direct();
    let depends = |package: &PackageId| {
        let is_wanted = |name: NameId| targets.versions_of(name).is_some();
        let hits = |accepted: &AcceptedVersions| {
            targets.versions_of(accepted.name).is_some_and(|mask| mask.intersects(&accepted.versions))
        };
        accepted_versions(view, *package, &evaluation, &is_wanted).iter().any(hits)
    };
    packages.into_par_iter().with_min_len(256).filter(depends).collect()
}

/// The targets and all packages that depend on them, directly or through others, in opam's order.
/// Undefined filters count as true (rule D8).
pub fn recursive(view: &View<'_>, targets: &PackageSet, options: &Options) -> Vec<PackageId> {
    let index = view.index();
    let mentions = Mentions::new(index);
    let reached = Dependents::new(view, &mentions, Listing::Recursive(*options)).closure(targets.packages(index));
    index.packages().filter(|package| reached[package.place()]).collect()
}
