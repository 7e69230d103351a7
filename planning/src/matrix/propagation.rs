//! What can be excluded without any search, and why: a package is out where one of its demands cannot
//! be met, whatever is chosen.
//!
//! Each exclusion is stamped with its turn, and follows from exclusions with earlier stamps only, so
//! whoever follows reasons arrives at one that needs no other: a version that was not asked for, an
//! `available` that is false, a conflict with something that is in every answer.

use caravan_solver::mask::Mask;
use caravan_solver::reduce::{Bound, Sets};
use caravan_solver::target::Mentions;
use caravan_solver::view::{Choice, Compiled, Masks, Requirement};
use caravan_solver::{Request, View};
use opam_parser::index::{Index, NameId, PackageId};
use std::collections::VecDeque;

/// ExclusionCause a package is in no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExclusionCause {
    /// Its `available` is false here.
    Unavailable,
    /// It contradicts itself.
    Impossible,
    /// Another version of its name is what was asked for, or what something in every answer wants.
    OtherVersion,
    /// Something that is in every answer conflicts with it, or is in the same conflict class.
    Conflict(PackageId),
    /// What it requires at this place of [`Compiled::requires`] cannot be had.
    Requires(usize),
}

#[derive(Clone, Copy, Debug)]
struct Exclusion {
    stamp: u32,
    cause: ExclusionCause,
}

/// What is excluded on a platform, for one request.
pub(crate) struct Propagation<'v, 'i> {
    pub(crate) view: &'v View<'i>,
    excluded: Vec<Option<Exclusion>>,
    /// In every answer.
    forced: Vec<bool>,
    /// Of what every answer has one of these versions.
    wanted: Vec<(NameId, Mask)>,
    stamp: u32,
    /// Names of which a version was excluded since their dependents were checked.
    changed: VecDeque<NameId>,
    is_changed: Vec<bool>,
}

impl<'v, 'i> Propagation<'v, 'i> {
    /// Excludes what can be excluded. Names and versions of the request that do not exist are not its
    /// concern: the solver says so.
    pub(crate) fn new(view: &'v View<'i>, mentions: &Mentions, request: &Request) -> Self {
        let index = view.index();
        let asked = |root: &caravan_solver::Root| {
            let name = index.find_name(root.name.as_str())?;
            let mut mask = Mask::all(index.package_range(name).len());
            let sets = Masks(index);
            for of in &root.constraints {
                mask.intersect(&sets.constraint(name, of.0, Bound::Text(of.1.as_str())));
            }
            Some((name, mask))
        };
        let mut made = Self {
            view,
            excluded: vec![None; index.package_count()],
            forced: vec![false; index.package_count()],
            wanted: request.roots.iter().filter_map(asked).collect(),
            stamp: 0,
            changed: VecDeque::new(),
            is_changed: vec![false; index.name_count()],
        };
        for package in index.packages() {
            match () {
                () if !view.is_available(package) => made.exclude(package, ExclusionCause::Unavailable),
                () if view.package(package).impossible.is_some() => made.exclude(package, ExclusionCause::Impossible),
                () => {}
            }
        }
        made.force();
        for package in index.packages() {
            made.check(package);
        }
        loop {
            while let Some(name) = made.changed.pop_front() {
                made.is_changed[name.place()] = false;
                for package in mentions.of(name) {
                    made.check(*package);
                }
            }
            made.force();
            if made.changed.is_empty() {
                return made;
            }
        }
    }

    pub(crate) fn index(&self) -> &'i Index {
        self.view.index()
    }

    /// ExclusionCause a package is out; `None` if it could not be excluded.
    pub(crate) fn cause(&self, package: PackageId) -> Option<ExclusionCause> {
        self.excluded[package.place()].map(|exclusion| exclusion.cause)
    }

    /// The newest version of a name that is not excluded.
    pub(crate) fn newest(&self, name: NameId) -> Option<PackageId> {
        self.index().versions_of(name).rev().find(|package| self.excluded[package.place()].is_none())
    }

    /// The requirements that cannot be met and together are a demand that cannot be: one, or one for each
    /// branch of a choice.
    pub(crate) fn unmet(&self, package: PackageId, requirement: usize) -> Vec<(NameId, &Mask)> {
        let compiled = self.view.package(package);
        let before = self.excluded[package.place()].map_or(u32::MAX, |exclusion| exclusion.stamp);
        let mut found = Vec::new();
        match &compiled.requires[requirement] {
            Requirement::Package(name, mask) => found.push((*name, mask)),
            Requirement::Choice(choice) => self.unmet_of_choice(compiled, *choice as usize, before, &mut found),
        }
        found
    }

    fn unmet_of_choice<'c>(
        &self,
        compiled: &'c Compiled,
        choice: usize,
        before: u32,
        found: &mut Vec<(NameId, &'c Mask)>,
    ) {
        for branch in &compiled.choices[choice].branches {
            let out = branch.iter().find(|requirement| self.is_out(compiled, requirement, before));
            match out {
                Some(Requirement::Package(name, mask)) => found.push((*name, mask)),
                Some(Requirement::Choice(inner)) => self.unmet_of_choice(compiled, *inner as usize, before, found),
                None => {}
            }
        }
    }

    fn exclude(&mut self, package: PackageId, cause: ExclusionCause) {
        if self.excluded[package.place()].is_some() {
            return;
        }
        self.excluded[package.place()] = Some(Exclusion { stamp: self.stamp, cause });
        self.stamp += 1;
        let name = self.index().package_name(package);
        if !std::mem::replace(&mut self.is_changed[name.place()], true) {
            self.changed.push_back(name);
        }
    }

    /// Excludes a package if one of its demands cannot be met.
    fn check(&mut self, package: PackageId) {
        if self.excluded[package.place()].is_some() {
            return;
        }
        let compiled = self.view.package(package);
        let now = self.stamp;
        let out = compiled.requires.iter().position(|requirement| self.is_out(compiled, requirement, now));
        if let Some(place) = out {
            self.exclude(package, ExclusionCause::Requires(place));
        }
    }

    /// Whether a requirement cannot be met because of what was excluded before a stamp.
    fn is_out(&self, compiled: &Compiled, requirement: &Requirement, before: u32) -> bool {
        let out = |choice: &Choice| {
            choice.branches.iter().all(|branch| branch.iter().any(|inner| self.is_out(compiled, inner, before)))
        };
        match requirement {
            Requirement::Package(name, mask) => {
                let mut versions = self.index().package_range(*name).packages_at(mask.positions());
                versions.all(|package| self.excluded[package.place()].is_some_and(|exclusion| exclusion.stamp < before))
            }
            Requirement::Choice(choice) => out(&compiled.choices[*choice as usize]),
        }
    }

    /// Excludes the versions of a name that are not in the mask.
    fn keep_only(&mut self, name: NameId, mask: &Mask) {
        for (place, package) in self.index().versions_of(name).enumerate() {
            if !mask.contains(place) {
                self.exclude(package, ExclusionCause::OtherVersion);
            }
        }
    }

    /// If one version of what is in every answer is left, it is in every answer, and so is what it
    /// requires.
    fn force(&mut self) {
        let mut place = 0;
        while let Some((name, mask)) = self.wanted.get(place).cloned() {
            place += 1;
            self.keep_only(name, &mask);
            let mut left = self.index().versions_of(name).filter(|package| self.excluded[package.place()].is_none());
            let (Some(only), None) = (left.next(), left.next()) else { continue };
            if !std::mem::replace(&mut self.forced[only.place()], true) {
                self.follow(only);
            }
        }
    }

    /// What it means that a package is in every answer.
    fn follow(&mut self, package: PackageId) {
        let (view, index) = (self.view, self.index());
        let compiled = view.package(package);
        let name = index.package_name(package);
        let place = index.version_position(package);
        for (name, mask) in &compiled.conflicts {
            let versions = index.package_range(*name).packages_at(mask.positions());
            versions.for_each(|other| self.exclude(other, ExclusionCause::Conflict(package)));
        }
        for other in index.packages().filter(|other| index.package_name(*other) != name) {
            let theirs = view.package(other);
            let conflicts = theirs.conflicts.iter().any(|(with, mask)| *with == name && mask.contains(place));
            if conflicts || theirs.classes.iter().any(|class| compiled.classes.contains(class)) {
                self.exclude(other, ExclusionCause::Conflict(package));
            }
        }
        self.wanted.extend(compiled.requires.iter().filter_map(|requirement| match requirement {
            Requirement::Package(name, mask) => Some((*name, mask.clone())),
            Requirement::Choice(_) => None,
        }));
    }
}
