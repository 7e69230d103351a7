//! What depends on what: the answers of `opam list --depends-on`, without a switch.
//!
//! The meanings are those of the semantics sheet, section 6 (rules D6 to D8): a package depends on
//! `t` if its formula, filters evaluated, has in some disjunct of its normal form an atom on `t`'s
//! name, and `t` satisfies all of that disjunct's constraints on the name. Whether the rest of the
//! formula can be satisfied does not matter.

mod coinstallable;
mod dependents;
mod formula;
mod forward;
mod graph;
mod report;

pub use coinstallable::{coinstallable, like_opam_repo_ci};
pub use dependents::{Dependents, Mentions, Sort, recursive};
pub use forward::{required_by, required_by_recursively};
pub use graph::edges;
pub use report::ListReport;

use caravan_solver::View;
use caravan_solver::environment::DependencyFlags;
use caravan_solver::mask::Mask;
use formula::{Touched, touched};
use opam_parser::atom::Atom;
use opam_parser::index::{Index, NameId, PackageId};
use opam_parser::version;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Which dependencies count (section 3.5 of the semantics sheet; the options of `opam list`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// `--depopts`: optional dependencies too.
    pub depopts: bool,
    /// Not `--nobuild`: dependencies that are needed only to build.
    pub build: bool,
    /// `--post`: dependencies without an order.
    pub post: bool,
    /// `--with-test`
    pub with_test: bool,
    /// `--with-doc`
    pub with_doc: bool,
    /// `--with-dev-setup`
    pub with_dev_setup: bool,
    /// `--dev`
    pub dev: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            depopts: false,
            build: true,
            post: false,
            with_test: false,
            with_doc: false,
            with_dev_setup: false,
            dev: false,
        }
    }
}

impl Options {
    fn flags(&self) -> DependencyFlags {
        DependencyFlags {
            build: Some(self.build),
            post: Some(self.post),
            with_test: Some(self.with_test),
            with_doc: Some(self.with_doc),
            with_dev_setup: Some(self.with_dev_setup),
            dev: Some(self.dev),
        }
    }

    /// In a recursive listing opam ignores the flags for tests, documentation and setup, and takes
    /// `dev` from each package (rule D8).
    fn recursive_flags(&self, dev: bool) -> DependencyFlags {
        let off = Some(false);
        DependencyFlags { with_test: off, with_doc: off, with_dev_setup: off, dev: Some(dev), ..self.flags() }
    }
}

/// Sets of versions, by name.
#[derive(Clone, Debug, Default)]
pub struct Targets(BTreeMap<NameId, Mask>);

impl Targets {
    /// The versions of a name that fulfil a condition.
    pub fn of(index: &Index, name: NameId, wanted: impl Fn(PackageId) -> bool) -> Self {
        let versions = index.versions_of(name);
        let mut mask = Mask::empty(versions.len());
        versions.enumerate().filter(|(_, package)| wanted(*package)).for_each(|(place, _)| mask.insert(place));
        Self(BTreeMap::from([(name, mask)]))
    }

    /// The versions of a name that an atom allows.
    pub fn of_atom(index: &Index, name: NameId, atom: &Atom) -> Self {
        Self::of(index, name, |package| {
            let found = index.version(index.package_version(package));
            atom.constraint
                .as_ref()
                .is_none_or(|(op, wanted)| op.holds(version::compare(found.as_bytes(), wanted.as_str().as_bytes())))
        })
    }

    /// Adds other targets.
    pub fn extend(&mut self, other: Self) {
        for (name, mask) in other.0 {
            self.0.entry(name).and_modify(|known| known.unite(&mask)).or_insert(mask);
        }
    }

    /// Exactly one package.
    pub fn one(index: &Index, package: PackageId) -> Self {
        Self::of(index, index.package_name(package), |other| other == package)
    }

    /// Whether a package is among them.
    pub fn contains(&self, index: &Index, package: PackageId) -> bool {
        let name = index.package_name(package);
        let place = (package.0 - index.package_range(name).start) as usize;
        self.0.get(&name).is_some_and(|mask| mask.contains(place))
    }

    /// The packages.
    pub fn packages<'s>(&'s self, index: &'s Index) -> impl Iterator<Item = PackageId> + 's {
        self.0.iter().flat_map(|(name, mask)| {
            let start = index.package_range(*name).start;
            mask.places().map(move |place| PackageId(start + place as u32))
        })
    }
}

/// The names and versions that a package's formula touches.
fn mentions(view: &View<'_>, package: PackageId, flags: DependencyFlags, default: bool, depopts: bool) -> Vec<Touched> {
    mentions_of(view, package, flags, default, depopts, &|_| true)
}

/// The same, of some names only.
fn mentions_of(
    view: &View<'_>,
    package: PackageId,
    flags: DependencyFlags,
    default: bool,
    depopts: bool,
    wanted: &dyn Fn(NameId) -> bool,
) -> Vec<Touched> {
    let index = view.index();
    let environment = view.environment(package, flags);
    let formulas = [index.depends(package), index.depopts(package)];
    touched(index, &environment, &formulas[..1 + usize::from(depopts)], default, wanted)
}

/// The packages that depend directly on one of the targets, in opam's order.
pub fn direct(view: &View<'_>, targets: &Targets, options: &Options) -> Vec<PackageId> {
    let packages: Vec<PackageId> = view.index().packages().collect();
    let depends = |package: &PackageId| {
        let wanted = |name: NameId| targets.0.contains_key(&name);
        let mentions = mentions_of(view, *package, options.flags(), false, options.depopts, &wanted);
        let hits =
            |touched: &Touched| targets.0.get(&touched.name).is_some_and(|mask| mask.intersects(&touched.versions));
        mentions.iter().any(hits)
    };
    packages.into_par_iter().with_min_len(256).filter(depends).collect()
}
