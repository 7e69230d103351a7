//! Who depends on what, the other way round: worked out where it is asked for.

use super::{Options, Targets, mentions};
use caravan_solver::View;
use caravan_solver::mask::Mask;
use caravan_solver::view::Versions;
use opam_parser::index::{Index, NameId, PackageId};
use std::sync::OnceLock;

/// For each name of an index the packages whose `depends` or `depopts` mention it, whatever the platform:
/// made once, for all questions about dependents.
pub struct Mentions {
    /// Where the packages of each name begin.
    starts: Vec<u32>,
    packages: Vec<PackageId>,
}

impl Mentions {
    /// Looks at every package's formulas, but evaluates nothing.
    pub fn new(index: &Index) -> Self {
        let mut pairs: Vec<(NameId, PackageId)> = Vec::new();
        for package in index.packages() {
            let start = pairs.len();
            let names = index.depends(package).names().chain(index.depopts(package).names());
            pairs.extend(names.map(|name| (name, package)));
            pairs[start..].sort_unstable();
        }
        // A package's pairs are together, so equal ones are neighbours.
        pairs.dedup();
        let mut starts = vec![0; index.name_count() + 1];
        pairs.iter().for_each(|(name, _)| starts[name.place() + 1] += 1);
        (1..starts.len()).for_each(|place| starts[place] += starts[place - 1]);
        let mut next = starts.clone();
        let mut packages = vec![PackageId(0); pairs.len()];
        for (name, package) in pairs {
            packages[next[name.place()] as usize] = package;
            next[name.place()] += 1;
        }
        Self { starts, packages }
    }

    /// The packages that mention a name, in opam's order.
    pub fn of(&self, name: NameId) -> &[PackageId] {
        &self.packages[self.starts[name.place()] as usize..self.starts[name.place() + 1] as usize]
    }
}

/// Whose dependencies count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Those of a listing of direct dependents (rule D7).
    Direct(Options),
    /// Those of a recursive listing: `with-test` and its like do not count, and undefined filters are
    /// true (rule D8).
    Recursive(Options),
    /// What a solution can need: everything that a package requires when it is nobody's root, alternatives
    /// included.
    Required,
}

/// Who depends on what, on a platform.
pub struct Dependents<'d, 'i> {
    view: &'d View<'i>,
    mentions: &'d Mentions,
    sort: Sort,
    /// What each package touches, once it was asked for.
    touched: Vec<OnceLock<Versions>>,
}

impl<'d, 'i> Dependents<'d, 'i> {
    /// The mentions are those of the view's index.
    pub fn new(view: &'d View<'i>, mentions: &'d Mentions, sort: Sort) -> Self {
        let mut touched = Vec::new();
        touched.resize_with(view.index().package_count(), OnceLock::new);
        Self { view, mentions, sort, touched }
    }

    /// The names and versions that a package depends on directly.
    pub(crate) fn touched(&self, package: PackageId) -> &[(NameId, Mask)] {
        self.touched[package.place()].get_or_init(|| {
            let (flags, default, depopts) = match self.sort {
                Sort::Required => {
                    let needs = self.view.package(package).needs();
                    return needs.map(|(name, versions)| (name, versions.clone())).collect();
                }
                Sort::Direct(options) => (options.flags(), false, options.depopts),
                Sort::Recursive(options) => {
                    (options.recursive_flags(self.view.index().is_dev(package)), true, options.depopts)
                }
            };
            let touched = mentions(self.view, package, flags, default, depopts);
            touched.into_iter().map(|touched| (touched.name, touched.versions)).collect()
        })
    }

    pub(crate) fn touches(&self, package: PackageId, name: NameId, place: usize) -> bool {
        let hits = |(touched, versions): (NameId, &Mask)| touched == name && versions.contains(place);
        match self.sort {
            // They are compiled anyway.
            Sort::Required => self.view.package(package).needs().any(hits),
            _ => self.touched(package).iter().any(|(name, versions)| hits((*name, versions))),
        }
    }

    /// The packages that depend directly on a package, in opam's order.
    pub fn direct(&self, target: PackageId) -> impl Iterator<Item = PackageId> + '_ {
        let index = self.view.index();
        let name = index.package_name(target);
        let place = (target.0 - index.package_range(name).start) as usize;
        self.mentions.of(name).iter().copied().filter(move |package| self.touches(*package, name, place))
    }

    /// Which packages are targets or depend on one, directly or through others, by their places.
    pub fn closure(&self, targets: impl IntoIterator<Item = PackageId>) -> Vec<bool> {
        let mut reached = vec![false; self.view.index().package_count()];
        let mut waiting: Vec<PackageId> = targets.into_iter().collect();
        waiting.iter().for_each(|package| reached[package.place()] = true);
        while let Some(target) = waiting.pop() {
            let name = self.view.index().package_name(target);
            let place = (target.0 - self.view.index().package_range(name).start) as usize;
            for package in self.mentions.of(name) {
                if !reached[package.place()] && self.touches(*package, name, place) {
                    reached[package.place()] = true;
                    waiting.push(*package);
                }
            }
        }
        reached
    }
}

/// The targets and all packages that depend on them, directly or through others, in opam's order.
/// Undefined filters count as true (rule D8).
pub fn recursive(view: &View<'_>, targets: &Targets, options: &Options) -> Vec<PackageId> {
    let index = view.index();
    let mentions = Mentions::new(index);
    let reached = Dependents::new(view, &mentions, Sort::Recursive(*options)).closure(targets.packages(index));
    index.packages().filter(|package| reached[package.place()]).collect()
}
