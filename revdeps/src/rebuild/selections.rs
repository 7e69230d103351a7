//! Selections in which a dependent is installed together with what changed.

use super::entry::SelectionWithChange;
use super::needed::NeededPackages;
use super::relations::Relations;
use crate::target_views::TargetViews;
use caravan_solver::{Flags, Root, Selection, SolveError, Solver, Stop};
use opam_parser::index::{NameId, PackageId};
use rustc_hash::FxHashMap;

/// A selection, and what the package needs of it.
pub(super) struct FoundSelection {
    pub(super) selection: SelectionWithChange,
    pub(super) needed: NeededPackages,
}

/// Finds selections on a target.
pub(super) struct SelectionFinder<'s, 'i> {
    pub(super) views: &'s TargetViews<'s, 'i>,
    /// Of the later state.
    pub(super) relations: &'s Relations<'s, 'i>,
    /// The best selections of names, in the later state.
    pub(super) best: &'s FxHashMap<NameId, Selection>,
    /// Also selections in which nothing that the package needs uses the change.
    pub(super) unused: bool,
    pub(super) stop: &'s Stop,
}

impl SelectionFinder<'_, '_> {
    /// Few selections that together have every one of the changed packages that the package can be with: the
    /// best one as it is, and others in which those are forced that something in it could use. `None` where the
    /// package cannot be installed at all.
    pub(super) fn find(
        &self,
        package: PackageId,
        flags: Flags,
        changed: &[PackageId],
    ) -> Result<Option<Vec<FoundSelection>>, SolveError> {
        if changed.is_empty() {
            return Ok(Some(vec![]));
        }
        let Some(best) = self.best_with(package, flags, &[])? else { return Ok(None) };
        let needed = self.needed(package, flags, &best, changed);
        let (used, open): (Vec<PackageId>, Vec<PackageId>) =
            changed.iter().partition(|target| needed.contains(**target));
        let mut open: Vec<PackageId> =
            open.into_iter().filter(|target| self.unused || needed.accepts(*target)).collect();
        let mut found = Vec::new();
        if !used.is_empty() {
            found.push(FoundSelection { selection: SelectionWithChange { with: used, selection: best }, needed });
        }
        while !open.is_empty() {
            let Some(selection) = self.with_most(package, flags, &mut open)? else { break };
            let needed = self.needed(package, flags, &selection.selection, &selection.with);
            if self.unused || selection.with.iter().any(|target| needed.contains(*target)) {
                found.push(FoundSelection { selection, needed });
            }
        }
        Ok(Some(found))
    }

    fn needed(&self, package: PackageId, flags: Flags, selection: &Selection, changed: &[PackageId]) -> NeededPackages {
        NeededPackages::new(self.relations, selection, package, flags.with_test, changed)
    }

    /// A selection with as many of the open changed packages as go together, earlier ones first. Those that it
    /// has, and those that the package cannot be with at all, are closed.
    fn with_most(
        &self,
        package: PackageId,
        flags: Flags,
        open: &mut Vec<PackageId>,
    ) -> Result<Option<SelectionWithChange>, SolveError> {
        if let Some(selection) = self.best_with(package, flags, open)? {
            return Ok(Some(SelectionWithChange { with: std::mem::take(open), selection }));
        }
        let mut fitting: Option<SelectionWithChange> = None;
        let mut rest = Vec::new();
        for target in std::mem::take(open) {
            let mut wanted = fitting.as_ref().map(|fitting| fitting.with.clone()).unwrap_or_default();
            wanted.push(target);
            match self.best_with(package, flags, &wanted)? {
                Some(selection) => fitting = Some(SelectionWithChange { with: wanted, selection }),
                // Not even alone: with nothing.
                None if fitting.is_none() => {}
                None => rest.push(target),
            }
        }
        *open = rest;
        Ok(fitting)
    }

    /// The best selection with a package and all of some others.
    fn best_with(
        &self,
        package: PackageId,
        flags: Flags,
        changed: &[PackageId],
    ) -> Result<Option<Selection>, SolveError> {
        let index = self.views.repository.after;
        // Two versions of a name are never together; nothing needs to be solved to know that.
        if changed.windows(2).any(|pair| index.package_name(pair[0]) == index.package_name(pair[1])) {
            return Ok(None);
        }
        // The best selection of the name is the best with whatever version is in it.
        let has_all = |selection: &&Selection| {
            let mut all = changed.iter().chain([&package]);
            all.all(|wanted| selection.packages().binary_search(wanted).is_ok())
        };
        if flags == Flags::default()
            && let Some(best) = self.best.get(&index.package_name(package)).filter(has_all)
        {
            return Ok(Some(best.clone()));
        }
        let mut request = self.views.request.clone();
        request.roots.extend(Root::exactly(index, package, flags));
        request.roots.extend(changed.iter().filter_map(|target| Root::exactly(index, *target, Flags::default())));
        existing(Solver::new(&self.views.after).stop(self.stop).solve(&request))
    }

    /// Whether a package of the earlier state could be installed there.
    pub(super) fn was_installable(&self, package: PackageId, flags: Flags) -> Result<bool, SolveError> {
        let mut request = self.views.request.clone();
        request.roots.extend(Root::exactly(self.views.repository.before, package, flags));
        Ok(existing(Solver::new(&self.views.before).stop(self.stop).solve(&request))?.is_some())
    }
}

/// The selection if there is one; an error only if it cannot be told.
fn existing(result: Result<Selection, SolveError>) -> Result<Option<Selection>, SolveError> {
    match result {
        Ok(selection) => Ok(Some(selection)),
        Err(SolveError::NoSolution | SolveError::UnknownName { .. } | SolveError::UnknownVersion { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
