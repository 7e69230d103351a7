//! Trying bounds: the opam files are edited, laid over the later state, and everything is solved again.

use super::edit::{self, Bound};
use super::proposal::BoundsError;
use crate::rebuild::{Relations, UseOfChange, is_used};
use crate::repository_change::RepositoryChange;
use caravan_solver::target::{Mentions, Target};
use caravan_solver::{Flags, Request, Root, Selection, SolveError, Solver, Stop, View};
use opam_parser::index::{Index, PackageId, Precedence};
use opam_parser::source::memory::MemorySource;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// A package, and the name that it is to be kept away from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Separation {
    pub(super) package: PackageId,
    pub(super) from: String,
}

impl Separation {
    /// Whether the package's `depends` mentions the name.
    pub(super) fn is_direct(&self, index: &Index) -> bool {
        index.depends(self.package).names().any(|other| index.name(other) == self.from)
    }
}

/// What a broken package uses of the change on one of the targets.
pub(super) struct UseOnTarget {
    /// The target's place.
    pub(super) target: usize,
    pub(super) used: UseOfChange,
}

/// What bounds are tried on.
pub(super) struct BoundTrials<'w, 'i> {
    pub(super) repository: &'w RepositoryChange<'i>,
    pub(super) targets: &'w [Target],
    pub(super) uses: &'w [UseOnTarget],
    /// The opam files of the broken packages, as they are.
    pub(super) texts: &'w BTreeMap<PackageId, Vec<u8>>,
    pub(super) stop: &'w Stop,
}

impl BoundTrials<'_, '_> {
    /// The separations that would keep every use away from all that it uses, as far as bounds can: of those
    /// where the name is depended on directly all, of the others those that these leave open. Sorted.
    pub(super) fn separations(&self) -> Result<Vec<Separation>, BoundsError> {
        let index = self.repository.after;
        let separation = |package: PackageId, changed: &PackageId| Separation {
            package,
            from: index.name(index.package_name(*changed)).to_owned(),
        };
        let wanted: BTreeSet<Separation> = self
            .uses
            .iter()
            .flat_map(|of| of.used.changed.iter().map(|changed| separation(of.used.package, changed)))
            .collect();
        let (mut separations, indirect): (Vec<Separation>, Vec<Separation>) =
            wanted.into_iter().partition(|separation| separation.is_direct(index));
        let open = self.open(&separations)?;
        separations.extend(indirect.into_iter().filter(|separation| open.contains(separation)));
        separations.sort();
        Ok(separations)
    }

    /// The bound of a separation: below the oldest changed version that the package uses, or, where newer
    /// versions did not change, other than that.
    pub(super) fn bound(&self, separation: &Separation) -> Bound {
        let index = self.repository.after;
        let uses = self.uses.iter().map(|of| &of.used).filter(|used| used.package == separation.package);
        let changed = uses.flat_map(|used| &used.changed).copied();
        let of_name = changed.filter(|changed| index.name(index.package_name(*changed)) == separation.from);
        let Some(changed) = of_name.min() else { return Bound { version: String::new(), only_this: false } };
        let mut newer = index.versions_of(index.package_name(changed)).filter(|other| *other > changed);
        let matching = &self.repository.matching;
        let is_unchanged = |other| matching.before(other).is_some_and(|before| matching.is_same(before));
        Bound { version: index.version(index.package_version(changed)).to_owned(), only_this: newer.any(is_unchanged) }
    }

    /// The opam files that the bounds of some separations change, as they are with them.
    fn edited(&self, separations: &[Separation]) -> BTreeMap<PackageId, Vec<u8>> {
        let mut edited: BTreeMap<PackageId, Vec<u8>> = BTreeMap::new();
        for separation in separations {
            let Separation { package, from } = separation;
            let Some(original) = self.texts.get(package) else { continue };
            let text = edited.entry(*package).or_insert_with(|| original.clone());
            let bound = self.bound(separation);
            let new = edit::bound_dependency(text, from, &bound).or_else(|| edit::add_conflict(text, from, &bound));
            if let Some(new) = new {
                *text = new;
            }
        }
        edited
    }

    /// The later state with the bounds of some separations.
    fn index(&self, separations: &[Separation]) -> Result<Index, BoundsError> {
        let after = self.repository.after;
        let files = self.edited(separations).into_iter().map(|(package, text)| (after.package_text(package), text));
        let own = Index::read(&MemorySource::new(files))?;
        Ok(Index::overlay(&[&own, after], Precedence::FirstWins)?)
    }

    /// The later state with the bounds of some separations, as the targets see it.
    fn views<'x>(&self, index: &'x Index) -> Vec<View<'x>> {
        self.targets.iter().map(|target| View::new(index, &target.platform)).collect()
    }

    /// A package of the later state in that state with bounds.
    fn find(&self, index: &Index, package: PackageId) -> Option<PackageId> {
        let after = self.repository.after;
        let name = index.find_name(after.name(after.package_name(package)))?;
        index.find_package(name, after.version(after.package_version(package)))
    }

    /// The question whether a package can be installed, with a changed one if it is given.
    fn request(&self, of: &UseOnTarget, index: &Index, changed: Option<PackageId>) -> Request {
        let mut request = self.targets[of.target].request.clone();
        let root = |package: PackageId, flags| Root::exactly(index, self.find(index, package)?, flags);
        request.roots.extend(root(of.used.package, of.used.flags));
        request.roots.extend(changed.and_then(|changed| root(changed, Flags::default())));
        request
    }

    fn solve(&self, view: &View<'_>, request: &Request) -> Result<Option<Selection>, BoundsError> {
        match Solver::new(view).stop(self.stop).solve(request) {
            Ok(selection) => Ok(Some(selection)),
            Err(SolveError::NoSolution) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What the bounds of some separations do not keep apart: those that can be together where one depends
    /// directly on the other, else those of which one still uses the other then.
    pub(super) fn open(&self, separations: &[Separation]) -> Result<BTreeSet<Separation>, BoundsError> {
        let index = self.index(separations)?;
        let views = self.views(&index);
        let mentions = Mentions::new(&index);
        let relations: Vec<Relations<'_, '_>> = views.iter().map(|view| Relations::new(view, &mentions)).collect();
        let after = self.repository.after;
        let mut open = BTreeSet::new();
        for of in self.uses {
            let UseOfChange { package, flags, changed } = &of.used;
            for changed in changed {
                let from = after.name(after.package_name(*changed)).to_owned();
                let separation = Separation { package: *package, from };
                let request = self.request(of, &index, Some(*changed));
                let Some(selection) = self.solve(&views[of.target], &request)? else { continue };
                let uses = |package: PackageId, other: PackageId| {
                    is_used(&relations[of.target], &selection, package, flags.with_test, other)
                };
                let [package, other] = [*package, *changed].map(|package| self.find(&index, package));
                if separation.is_direct(after)
                    || package.zip(other).is_some_and(|(package, other)| uses(package, other))
                {
                    open.insert(separation);
                }
            }
        }
        Ok(open)
    }

    /// Leaves out what others do already: conflicts first, then those that need most of the other broken
    /// packages. `unbounded` are the packages that nothing keeps away from the change.
    pub(super) fn smallest(
        &self,
        mut separations: Vec<Separation>,
        unbounded: &BTreeSet<PackageId>,
    ) -> Result<Vec<Separation>, BoundsError> {
        let needs = self.needs();
        let weight = |separation: &Separation| needs.get(&separation.package).map_or(0, BTreeSet::len);
        let mut order = separations.clone();
        order.sort_by_key(|one| (one.is_direct(self.repository.after), Reverse(weight(one)), Reverse(one.clone())));
        for separation in order {
            // Nothing else can keep a package away that has one bound and needs no other broken package.
            let alone = separations.iter().filter(|other| other.package == separation.package).count() == 1;
            if alone && weight(&separation) == 0 {
                continue;
            }
            let fewer: Vec<Separation> = separations.iter().filter(|other| **other != separation).cloned().collect();
            if self.open(&fewer)?.iter().all(|open| unbounded.contains(&open.package)) {
                separations = fewer;
            }
        }
        Ok(separations)
    }

    /// For each broken package the others that some version of what it needs could lead to.
    fn needs(&self) -> BTreeMap<PackageId, BTreeSet<PackageId>> {
        let index = self.repository.after;
        let mut needs: BTreeMap<PackageId, BTreeSet<PackageId>> = BTreeMap::new();
        for broken in self.texts.keys() {
            let mut reached = vec![false; index.name_count()];
            let mut waiting: Vec<_> = index.depends(*broken).names().collect();
            while let Some(name) = waiting.pop() {
                if !std::mem::replace(&mut reached[name.place()], true) {
                    waiting.extend(index.versions_of(name).flat_map(|package| index.depends(package).names()));
                }
            }
            let others =
                self.texts.keys().filter(|other| *other != broken && reached[index.package_name(**other).place()]);
            needs.insert(*broken, others.copied().collect());
        }
        needs
    }

    /// The packages that cannot be installed any more with these bounds, on a target where they could.
    pub(super) fn lost(&self, separations: &[Separation]) -> Result<BTreeSet<PackageId>, BoundsError> {
        let index = self.index(separations)?;
        let views = self.views(&index);
        let mut lost = BTreeSet::new();
        for of in self.uses {
            if self.solve(&views[of.target], &self.request(of, &index, None))?.is_none() {
                lost.insert(of.used.package);
            }
        }
        Ok(lost)
    }

    /// The unified diff that makes the bounds.
    pub(super) fn patch(&self, separations: &[Separation]) -> String {
        let index = self.repository.after;
        let mut patch = String::new();
        for (package, new) in self.edited(separations) {
            let path = index.file(index.package_file(package)).path;
            let old = String::from_utf8_lossy(&self.texts[&package]).into_owned();
            let new = String::from_utf8_lossy(&new).into_owned();
            let diff = similar::TextDiff::from_lines(&old, &new);
            let text = diff.unified_diff().header(&format!("a/{path}"), &format!("b/{path}")).to_string();
            patch.push_str(&text);
        }
        patch
    }
}
