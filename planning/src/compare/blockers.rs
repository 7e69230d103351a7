//! The constraints that stand in the way of most packages.
//!
//! ```text
//! packages that cannot be installed ── their reasons, all the way ──> constraints, each with the packages
//!     that it could free at most ── the most promising lifted, solved again ──> how many it frees
//! ```
//!
//! A package that becomes installable by lifting a constraint must have it among its reasons: the package
//! is excluded by a requirement of which every version is excluded, so a solution has a version there that
//! the requirement did not accept, or one that was excluded, and so on until the lifted constraint is reached. That bounds what a
//! constraint can free without any search; those whose bound is not above the last of the best need none.

use super::matrix_platform::MatrixPlatform;
use crate::matrix::{BlockingConstraint, ExclusionCause, Propagation, written};
use caravan_solver::mask::Mask;
use caravan_solver::{Overrides, SolveError, Solver, Stop};
use opam_parser::index::{Index, PackageId};
use rustc_hash::FxHashSet;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// A constraint, and what would be possible without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocker {
    /// The constraint.
    pub blocking: BlockingConstraint,
    /// The package that it is of.
    pub package: PackageId,
    /// What it says: `ocaml < 5.5`, or the filter that `available` is.
    pub constraint: String,
    /// The version that it keeps out, the newest that can be there; `None` for `available`.
    pub keeps_out: Option<PackageId>,
    /// The rows that can be installed if it alone is lifted, found by solving again.
    pub frees: Vec<usize>,
    /// The same constraint of other versions of the package, which free nothing else.
    pub alternatives: Vec<PackageId>,
    /// How many can be installed if it and all that come before it are lifted.
    pub freed_with_earlier: usize,
}

/// Of the constraints that keep rows from being installed on a platform, those that free the most, at most
/// `limit`; first the one that frees most. The counts are exact: each constraint was lifted and every
/// package that it could free solved for again.
///
/// # Errors
/// When it was stopped.
pub fn blockers(
    platform: MatrixPlatform<'_, '_>,
    rows: &[usize],
    limit: usize,
    stop: &Stop,
) -> Result<Vec<Blocker>, SolveError> {
    if limit == 0 {
        return Ok(vec![]);
    }
    let target_view = platform.target_view();
    let propagation = Propagation::new(&target_view.view, &platform.matrix.mentions, &target_view.target.request);
    let mut promising: BTreeMap<BlockingConstraint, Vec<usize>> = BTreeMap::new();
    for row in rows {
        for blocking in blocking_constraints(&propagation, platform.matrix.rows[*row]) {
            promising.entry(blocking).or_default().push(*row);
        }
    }
    let mut promising: Vec<(BlockingConstraint, Vec<usize>)> = promising.into_iter().collect();
    promising.sort_by_key(|(_, rows)| Reverse(rows.len()));
    let mut found: Vec<Blocker> = Vec::new();
    for (blocking, could) in promising {
        let last = found.get(limit - 1).map_or(0, |blocker| blocker.frees.len());
        if could.len() <= last {
            break;
        }
        let frees = freed(platform, &propagation, &[blocking], &could, stop)?;
        if frees.is_empty() {
            continue;
        }
        let (package, constraint) = described(&propagation, blocking);
        let keeps_out = match blocking {
            BlockingConstraint::Bound { on, .. } => propagation.newest(on),
            BlockingConstraint::Available { .. } => None,
        };
        let blocker =
            Blocker { blocking, package, constraint, keeps_out, frees, alternatives: vec![], freed_with_earlier: 0 };
        add(propagation.index(), &mut found, blocker);
        found.truncate(limit);
    }
    // Whatever can be installed with fewer constraints lifted can be with more.
    let mut lifted = Vec::new();
    let mut left: Vec<usize> = rows.to_vec();
    for blocker in &mut found {
        lifted.push(blocker.blocking);
        let now = freed(platform, &propagation, &lifted, &left, stop)?;
        left.retain(|row| !now.contains(row));
        blocker.freed_with_earlier = rows.len() - left.len();
    }
    Ok(found)
}

/// Adds a blocker in its place. Versions of one package often all have the same bound, and whoever lifts
/// one of them need not lift the others: the newest stands for them.
fn add(index: &Index, found: &mut Vec<Blocker>, blocker: Blocker) {
    let similar = |a: &Blocker, b: &Blocker| match (a.blocking, b.blocking) {
        (BlockingConstraint::Bound { package, on }, BlockingConstraint::Bound { package: other, on: same }) => {
            on == same && index.package_name(package) == index.package_name(other)
        }
        _ => false,
    };
    let within = |a: &Blocker, b: &Blocker| a.frees.iter().all(|row| b.frees.contains(row));
    found.push(blocker);
    found.sort_by_key(|blocker| (Reverse(blocker.frees.len()), Reverse(blocker.package), blocker.blocking));
    let mut kept: Vec<Blocker> = Vec::with_capacity(found.len());
    for blocker in found.drain(..) {
        match kept.iter_mut().find(|known| similar(known, &blocker) && within(&blocker, known)) {
            Some(known) => {
                known.alternatives.push(blocker.package);
                known.alternatives.extend(blocker.alternatives);
                known.alternatives.sort_unstable();
            }
            None => kept.push(blocker),
        }
    }
    *found = kept;
}

/// Of some rows those that can be installed when constraints are lifted.
fn freed(
    platform: MatrixPlatform<'_, '_>,
    propagation: &Propagation<'_, '_>,
    lifted: &[BlockingConstraint],
    rows: &[usize],
    stop: &Stop,
) -> Result<Vec<usize>, SolveError> {
    let target_view = platform.target_view();
    let view = target_view.view.with_overrides(lift(propagation, lifted));
    let targets: Vec<PackageId> = rows.iter().map(|row| platform.matrix.rows[*row]).collect();
    let verdicts =
        Solver::new(&view).stop(stop).verdicts(&target_view.target.request, &targets, platform.matrix.flags)?;
    stop.check()?;
    Ok(rows.iter().zip(verdicts).filter(|(_, verdict)| verdict.is_installable()).map(|(row, _)| *row).collect())
}

/// What it means to lift constraints: the package accepts the newest version that can be there, or is
/// available.
fn lift(propagation: &Propagation<'_, '_>, lifted: &[BlockingConstraint]) -> Overrides {
    let mut overrides = Overrides::new();
    for blocking in lifted {
        match *blocking {
            BlockingConstraint::Available { package } => overrides.make_available(package),
            BlockingConstraint::Bound { package, on } => {
                propagation.newest(on).into_iter().for_each(|newest| overrides.lift(package, newest));
            }
        }
    }
    overrides
}

fn described(propagation: &Propagation<'_, '_>, blocking: BlockingConstraint) -> (PackageId, String) {
    match blocking {
        BlockingConstraint::Available { package } => {
            (package, propagation.index().available(package).to_filter().to_string())
        }
        BlockingConstraint::Bound { package, on } => {
            (package, written(propagation.view, package, on, propagation.newest(on)))
        }
    }
}

/// Every constraint that is a reason why a package cannot be installed.
fn blocking_constraints(propagation: &Propagation<'_, '_>, package: PackageId) -> FxHashSet<BlockingConstraint> {
    let index = propagation.index();
    let mut found = FxHashSet::default();
    let mut seen = FxHashSet::default();
    let mut work = vec![package];
    while let Some(at) = work.pop() {
        if !seen.insert(at) {
            continue;
        }
        let mut reach = |name, mask: &Mask| {
            let is_refused = |newest: PackageId| !mask.contains(index.version_position(newest));
            if propagation.newest(name).is_some_and(is_refused) {
                found.insert(BlockingConstraint::Bound { package: at, on: name });
            }
            let versions = index.package_range(name).packages_at(mask.positions());
            work.extend(versions.filter(|version| propagation.cause(*version) != Some(ExclusionCause::OtherVersion)));
        };
        match propagation.cause(at) {
            Some(ExclusionCause::Requires(requirement)) => {
                propagation.unmet(at, requirement).into_iter().for_each(|(name, mask)| reach(name, mask));
            }
            // It takes a search to see what keeps it away: anything that it can need.
            None => propagation.view.package(at).needs().for_each(|(name, mask)| reach(name, mask)),
            Some(ExclusionCause::Unavailable) => drop(found.insert(BlockingConstraint::Available { package: at })),
            Some(ExclusionCause::Conflict(with)) => {
                let on = index.package_name(with);
                if propagation.view.package(at).conflicts.iter().any(|(name, _)| *name == on) {
                    found.insert(BlockingConstraint::Bound { package: at, on });
                }
            }
            Some(ExclusionCause::Impossible | ExclusionCause::OtherVersion) => {}
        }
    }
    found
}
