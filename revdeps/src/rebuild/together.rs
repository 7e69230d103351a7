//! Installing a dependent together with what changed.

use super::candidates::Relations;
use super::reasons::Walk;
use crate::impact::Sides;
use caravan_solver::{Flags, Root, Selection, SolveError, Stop, solve_until};
use opam_parser::index::{NameId, PackageId};
use rustc_hash::FxHashMap;

/// A selection with some of the changed packages in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Together {
    /// The changed packages that it was made for, in opam's order.
    pub with: Vec<PackageId>,
    /// All packages, as the later index numbers them.
    pub selection: Selection,
}

/// A selection, and what the package needs of it.
pub(super) struct Found {
    pub(super) together: Together,
    pub(super) walk: Walk,
}

/// What it takes to find such selections.
pub(super) struct Solving<'s, 'i> {
    pub(super) sides: &'s Sides<'s, 'i>,
    pub(super) relations: &'s Relations<'s, 'i>,
    /// The best selections of names, in the later state.
    pub(super) best: &'s FxHashMap<NameId, Selection>,
    /// Also selections in which nothing that the package needs uses the change.
    pub(super) unused: bool,
    pub(super) stop: &'s Stop,
}

impl Solving<'_, '_> {
    /// Few selections that together have every one of the changed packages that the package can be with: the
    /// best one as it is, and others in which those are forced that something in it could use. `None` where the
    /// package cannot be installed at all.
    pub(super) fn together(
        &self,
        package: PackageId,
        flags: Flags,
        changed: &[PackageId],
    ) -> Result<Option<Vec<Found>>, SolveError> {
        if changed.is_empty() {
            return Ok(Some(vec![]));
        }
        let Some(best) = self.with(package, flags, &[])? else { return Ok(None) };
        let walk = self.walk(package, flags, &best, changed);
        let (used, open): (Vec<PackageId>, Vec<PackageId>) = changed.iter().partition(|target| walk.reaches(**target));
        let mut open: Vec<PackageId> =
            open.into_iter().filter(|target| self.unused || walk.mentions(*target)).collect();
        let mut found = Vec::new();
        if !used.is_empty() {
            found.push(Found { together: Together { with: used, selection: best }, walk });
        }
        while !open.is_empty() {
            let Some(together) = self.most(package, flags, &mut open)? else { break };
            let walk = self.walk(package, flags, &together.selection, &together.with);
            if self.unused || together.with.iter().any(|target| walk.reaches(*target)) {
                found.push(Found { together, walk });
            }
        }
        Ok(Some(found))
    }

    fn walk(&self, package: PackageId, flags: Flags, selection: &Selection, changed: &[PackageId]) -> Walk {
        Walk::new(self.relations, selection, package, flags.with_test, changed)
    }

    /// A selection with as many of the open changed packages as go together, earlier ones first. Those that it
    /// has, and those that the package cannot be with at all, are closed.
    fn most(
        &self,
        package: PackageId,
        flags: Flags,
        open: &mut Vec<PackageId>,
    ) -> Result<Option<Together>, SolveError> {
        if let Some(selection) = self.with(package, flags, open)? {
            return Ok(Some(Together { with: std::mem::take(open), selection }));
        }
        let mut fitting: Option<Together> = None;
        let mut rest = Vec::new();
        for target in std::mem::take(open) {
            let mut wanted = fitting.as_ref().map(|fitting| fitting.with.clone()).unwrap_or_default();
            wanted.push(target);
            match self.with(package, flags, &wanted)? {
                Some(selection) => fitting = Some(Together { with: wanted, selection }),
                // Not even alone: with nothing.
                None if fitting.is_none() => {}
                None => rest.push(target),
            }
        }
        *open = rest;
        Ok(fitting)
    }

    /// The best selection with a package and all of some others.
    fn with(&self, package: PackageId, flags: Flags, changed: &[PackageId]) -> Result<Option<Selection>, SolveError> {
        let index = self.sides.step.after;
        // Two versions of a name are never together; nothing needs to be solved to know that.
        if changed.windows(2).any(|pair| index.package_name(pair[0]) == index.package_name(pair[1])) {
            return Ok(None);
        }
        // The best selection of the name is the best with whatever version is in it.
        let has = |selection: &&Selection| {
            let mut all = changed.iter().chain([&package]);
            all.all(|wanted| selection.packages().binary_search(wanted).is_ok())
        };
        if flags == Flags::default()
            && let Some(best) = self.best.get(&index.package_name(package)).filter(has)
        {
            return Ok(Some(best.clone()));
        }
        let mut request = self.sides.request.clone();
        request.roots.extend(Root::exactly(index, package, flags));
        request.roots.extend(changed.iter().filter_map(|target| Root::exactly(index, *target, Flags::default())));
        possible(solve_until(&self.sides.after, &request, self.stop))
    }

    /// Whether a package could be installed before.
    pub(super) fn alone_before(&self, package: PackageId, flags: Flags) -> Result<bool, SolveError> {
        let mut request = self.sides.request.clone();
        request.roots.extend(Root::exactly(self.sides.step.before, package, flags));
        Ok(possible(solve_until(&self.sides.before, &request, self.stop))?.is_some())
    }
}

fn possible(result: Result<Selection, SolveError>) -> Result<Option<Selection>, SolveError> {
    match result {
        Ok(selection) => Ok(Some(selection)),
        Err(SolveError::NoSolution | SolveError::UnknownName { .. } | SolveError::UnknownVersion { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
