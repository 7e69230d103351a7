//! Upper bounds that keep broken dependents installable, with the versions from before a change.
//!
//! ```text
//! broken dependents ── what they use of the change ──> a bound for each pair
//!     ── edit the opam files, overlay them, solve again ──> does each of them keep away from the change?
//!     ── leave out one bound after the other while they still do ──> the smallest set ──> a patch
//! ```
//!
//! A bound is redundant where another broken package's bound already keeps the package away: all of its
//! solutions with the change have that package in them. Among packages that do not need each other in a
//! cycle the set that remains is the same in whatever order bounds are left out, and the smallest.

mod edit;
mod proposal;
mod trials;

pub use edit::Bound;
pub use proposal::{BoundsError, Proposal, ProposedBound};

use crate::rebuild::find_uses;
use crate::repository_change::RepositoryChange;
use crate::target_views::TargetViews;
use caravan_solver::Stop;
use caravan_solver::target::Target;
use opam_parser::index::{FileId, PackageId};
use std::collections::{BTreeMap, BTreeSet};
use trials::{BoundTrials, Separation, UseOnTarget};

/// Finds the smallest set of bounds that keeps the broken packages, of the later state, away from what
/// changed and installable without. `text` gives an opam file of the later state.
///
/// # Errors
/// When a file cannot be read, or a question was stopped.
pub fn propose(
    repository: &RepositoryChange<'_>,
    targets: &[Target],
    broken: &[PackageId],
    text: &dyn Fn(FileId) -> Option<Vec<u8>>,
    stop: &Stop,
) -> Result<Proposal, BoundsError> {
    let mut uses = find_uses_on(repository, targets, broken, stop)?;
    let texts = read_texts(repository, broken, text)?;
    let used: BTreeSet<PackageId> = uses.iter().map(|of| of.used.package).collect();
    // Of what cannot be installed with older versions, nothing is asked but to say so.
    let all = BoundTrials { repository, targets, uses: &uses, texts: &texts, stop };
    let lost = all.lost(&all.separations()?)?;
    uses.retain(|of| !lost.contains(&of.used.package));
    let trials = BoundTrials { repository, targets, uses: &uses, texts: &texts, stop };
    let mut separations = trials.separations()?;
    let unbounded: BTreeSet<PackageId> = trials.open(&separations)?.into_iter().map(|open| open.package).collect();
    separations.retain(|separation| !unbounded.contains(&separation.package));
    let separations = trials.smallest(separations, &unbounded)?;
    // What was left out is checked once more together.
    let lost: BTreeSet<PackageId> = lost.union(&trials.lost(&separations)?).copied().collect();
    let bounded: BTreeSet<PackageId> = separations.iter().map(|separation| separation.package).collect();
    let index = repository.after;
    let broken: BTreeSet<PackageId> = broken.iter().copied().collect();
    let texts_of = |is_wanted: &dyn Fn(&PackageId) -> bool| -> Vec<String> {
        broken.iter().filter(|package| is_wanted(package)).map(|package| index.package_text(*package)).collect()
    };
    let is_covered = |package: &PackageId| {
        let elsewhere = bounded.contains(package) || unbounded.contains(package) || lost.contains(package);
        used.contains(package) && !elsewhere
    };
    Ok(Proposal {
        bounds: separations.iter().map(|separation| proposed(&trials, separation)).collect(),
        covered: texts_of(&is_covered),
        unrelated: texts_of(&|package| !used.contains(package)),
        lost: texts_of(&|package| lost.contains(package)),
        unbounded: texts_of(&|package| unbounded.contains(package)),
        patch: trials.patch(&separations),
    })
}

/// What the broken packages use of the change on each target.
fn find_uses_on(
    repository: &RepositoryChange<'_>,
    targets: &[Target],
    broken: &[PackageId],
    stop: &Stop,
) -> Result<Vec<UseOnTarget>, BoundsError> {
    let mut uses = Vec::new();
    for (place, target) in targets.iter().enumerate() {
        let views = TargetViews::new(repository, target, stop)?;
        let used = find_uses(&views, broken, stop)?;
        uses.extend(used.into_iter().map(|used| UseOnTarget { target: place, used }));
    }
    Ok(uses)
}

/// The opam files of the broken packages.
fn read_texts(
    repository: &RepositoryChange<'_>,
    broken: &[PackageId],
    text: &dyn Fn(FileId) -> Option<Vec<u8>>,
) -> Result<BTreeMap<PackageId, Vec<u8>>, BoundsError> {
    let index = repository.after;
    let read = |package: &PackageId| {
        let text = text(index.package_file(*package));
        Ok((*package, text.ok_or_else(|| BoundsError::Unreadable(index.package_text(*package)))?))
    };
    broken.iter().map(read).collect()
}

/// The bound of a separation, as it is proposed.
fn proposed(trials: &BoundTrials<'_, '_>, separation: &Separation) -> ProposedBound {
    let index = trials.repository.after;
    let bound = trials.bound(separation);
    ProposedBound {
        package: index.package_text(separation.package),
        on: separation.from.clone(),
        version: bound.version,
        only: bound.only_this,
        conflict: !separation.is_direct(index),
    }
}
