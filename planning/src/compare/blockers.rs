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

use super::Side;
use crate::matrix::propagation::{Propagation, Why};
use crate::matrix::{Culprit, written};
use caravan_solver::mask::Mask;
use caravan_solver::{Amendments, SolveError, Stop, installable};
use opam_parser::index::{Index, PackageId};
use rustc_hash::FxHashSet;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// A constraint, and what would be possible without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocker {
    /// The constraint.
    pub culprit: Culprit,
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
    pub together: usize,
}

/// Of the constraints that keep rows of a column from being installed, those that free the most, at most
/// `limit`; first the one that frees most. The counts are exact: each constraint was lifted and every
/// package that it could free solved for again.
///
/// # Errors
/// When it was stopped.
pub fn blockers(side: Side<'_, '_>, rows: &[usize], limit: usize, stop: &Stop) -> Result<Vec<Blocker>, SolveError> {
    if limit == 0 {
        return Ok(vec![]);
    }
    let column = side.column();
    let propagation = Propagation::new(&column.view, &side.matrix.mentions, &column.target.request);
    let mut promising: BTreeMap<Culprit, Vec<usize>> = BTreeMap::new();
    for row in rows {
        for culprit in culprits(&propagation, side.matrix.rows[*row]) {
            promising.entry(culprit).or_default().push(*row);
        }
    }
    let mut promising: Vec<(Culprit, Vec<usize>)> = promising.into_iter().collect();
    promising.sort_by_key(|(_, rows)| Reverse(rows.len()));
    let mut found: Vec<Blocker> = Vec::new();
    for (culprit, could) in promising {
        let last = found.get(limit - 1).map_or(0, |blocker| blocker.frees.len());
        if could.len() <= last {
            break;
        }
        let frees = freed(side, &propagation, &[culprit], &could, stop)?;
        if frees.is_empty() {
            continue;
        }
        let (package, constraint) = said(&propagation, culprit);
        let keeps_out = match culprit {
            Culprit::Bound { on, .. } => propagation.newest(on),
            Culprit::Available { .. } => None,
        };
        let blocker = Blocker { culprit, package, constraint, keeps_out, frees, alternatives: vec![], together: 0 };
        add(propagation.index(), &mut found, blocker);
        found.truncate(limit);
    }
    // Whatever can be installed with fewer constraints lifted can be with more.
    let mut lifted = Vec::new();
    let mut left: Vec<usize> = rows.to_vec();
    for blocker in &mut found {
        lifted.push(blocker.culprit);
        let now = freed(side, &propagation, &lifted, &left, stop)?;
        left.retain(|row| !now.contains(row));
        blocker.together = rows.len() - left.len();
    }
    Ok(found)
}

/// Adds a blocker in its place. Versions of one package often all have the same bound, and whoever lifts
/// one of them need not lift the others: the newest stands for them.
fn add(index: &Index, found: &mut Vec<Blocker>, blocker: Blocker) {
    let similar = |a: &Blocker, b: &Blocker| match (a.culprit, b.culprit) {
        (Culprit::Bound { package, on }, Culprit::Bound { package: other, on: same }) => {
            on == same && index.package_name(package) == index.package_name(other)
        }
        _ => false,
    };
    let within = |a: &Blocker, b: &Blocker| a.frees.iter().all(|row| b.frees.contains(row));
    found.push(blocker);
    found.sort_by_key(|blocker| (Reverse(blocker.frees.len()), Reverse(blocker.package), blocker.culprit));
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
    side: Side<'_, '_>,
    propagation: &Propagation<'_, '_>,
    lifted: &[Culprit],
    rows: &[usize],
    stop: &Stop,
) -> Result<Vec<usize>, SolveError> {
    let column = side.column();
    let view = column.view.amended(lift(propagation, lifted));
    let targets: Vec<PackageId> = rows.iter().map(|row| side.matrix.rows[*row]).collect();
    let verdicts = installable(&view, &column.target.request, &targets, side.matrix.flags, stop, &|_| {})?;
    Ok(rows.iter().zip(verdicts).filter(|(_, installable)| *installable).map(|(row, _)| *row).collect())
}

/// What it means to lift constraints: the package accepts the newest version that can be there, or is
/// available.
fn lift(propagation: &Propagation<'_, '_>, lifted: &[Culprit]) -> Amendments {
    let mut amendments = Amendments::new();
    for culprit in lifted {
        match *culprit {
            Culprit::Available { package } => amendments.make_available(package),
            Culprit::Bound { package, on } => {
                propagation.newest(on).into_iter().for_each(|newest| amendments.lift(package, newest));
            }
        }
    }
    amendments
}

fn said(propagation: &Propagation<'_, '_>, culprit: Culprit) -> (PackageId, String) {
    match culprit {
        Culprit::Available { package } => (package, propagation.index().available(package).to_filter().to_string()),
        Culprit::Bound { package, on } => (package, written(propagation.view, package, on, propagation.newest(on))),
    }
}

/// Every constraint that is a reason why a package cannot be installed.
fn culprits(propagation: &Propagation<'_, '_>, package: PackageId) -> FxHashSet<Culprit> {
    let index = propagation.index();
    let mut found = FxHashSet::default();
    let mut seen = FxHashSet::default();
    let mut work = vec![package];
    while let Some(at) = work.pop() {
        if !seen.insert(at) {
            continue;
        }
        let mut reach = |name, mask: &Mask| {
            let start = index.package_range(name).start;
            let lacks = |newest: PackageId| !mask.contains((newest.0 - start) as usize);
            if propagation.newest(name).is_some_and(lacks) {
                found.insert(Culprit::Bound { package: at, on: name });
            }
            let versions = mask.places().map(|place| PackageId(start + place as u32));
            work.extend(versions.filter(|version| propagation.why(*version) != Some(Why::OtherVersion)));
        };
        match propagation.why(at) {
            Some(Why::Requires(requirement)) => {
                propagation.lacks(at, requirement).into_iter().for_each(|(name, mask)| reach(name, mask));
            }
            // It takes a search to see what keeps it away: anything that it can need.
            None => propagation.view.package(at).needs().for_each(|(name, mask)| reach(name, mask)),
            Some(Why::Unavailable) => drop(found.insert(Culprit::Available { package: at })),
            Some(Why::Conflict(with)) => {
                let on = index.package_name(with);
                if propagation.view.package(at).conflicts.iter().any(|(name, _)| *name == on) {
                    found.insert(Culprit::Bound { package: at, on });
                }
            }
            Some(Why::Impossible | Why::OtherVersion) => {}
        }
    }
    found
}
