//! What to build and test again because something changed.
//!
//! ```text
//! what is new ── Relations ──> what depends on it, as opam-repo-ci lists it     (relations.rs, dependents.rs)
//!     ── Policy ──> of each name the versions to try, newest first              (policy.rs, choice.rs)
//!     ── solve with what is new ──> entries with their selections               (attempt.rs, selections.rs)
//!     ── what is needed of the selection ──> reasons, and who needs whom        (needed.rs, reasons.rs)
//!     ── who needs whom ──> stages                                              (stages.rs)
//!     ── a budget ──> the entries that tell most                                (budget.rs)
//! ```
//!
//! There is one entry for a package version, however many changed packages it depends on; packages that
//! changed themselves are none. An entry's selections say with which of them it is built.

mod attempt;
mod budget;
mod choice;
mod dependents;
mod entry;
mod needed;
mod policy;
mod reasons;
mod relations;
mod selections;
mod stages;
mod uses;

pub use budget::{PickedEntry, pick};
pub use entry::{LeftOut, Rebuild, RebuildEntry, RebuildJob, RebuildReason, Relation, SelectionWithChange, Tests};
pub use policy::{Policy, TestPolicy, Versions};
pub(crate) use relations::Relations;
pub(crate) use uses::{UseOfChange, find_uses, is_used};

use crate::target_views::{InstallablePackages, TargetViews};
use attempt::attempt;
use caravan_solver::{Selection, SolveError, Stop, Verdict};
use choice::{ChosenVersions, choose};
use dependents::group_dependents;
use opam_parser::index::{NameId, PackageId};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use selections::SelectionFinder;

/// What to build and test again on a target. `known` says what can be installed, `best` has the best selections
/// of names in the later state.
pub(crate) fn rebuild(
    views: &TargetViews<'_, '_>,
    known: &InstallablePackages,
    best: &FxHashMap<NameId, Selection>,
    policy: &Policy,
    stop: &Stop,
) -> Result<Rebuild, SolveError> {
    let changed = changed(views, known, policy);
    if changed.is_empty() {
        return Ok(Rebuild::default());
    }
    let relations = Relations::new(&views.after, &views.repository.mentions_after);
    let (groups, mut left_out) = group_dependents(views, &relations, known, &changed, policy);
    let unused = policy.versions == Versions::All;
    let finder = SelectionFinder { views, relations: &relations, best, unused, stop };
    let chosen_versions: Vec<ChosenVersions> = groups
        .par_iter()
        .map(|group| choose(policy.versions, group, &|dependent| attempt(&finder, dependent, policy)))
        .collect::<Result<_, _>>()?;
    let mut entries = Vec::new();
    for chosen in chosen_versions {
        entries.extend(chosen.entries);
        left_out.not_together.extend(chosen.not_together);
        left_out.unused.extend(chosen.unused);
        left_out.other_version.extend(chosen.other_version);
        left_out.not_told.extend(chosen.not_told);
    }
    entries.sort_unstable_by_key(|entry| entry.package);
    left_out.not_together.sort_unstable();
    left_out.unused.sort_unstable();
    left_out.other_version.sort_unstable();
    left_out.not_told.sort_unstable();
    stages::assign(&mut entries);
    Ok(Rebuild { entries, left_out })
}

/// The changed packages that others are built with, in opam's order: those that can be installed. Those to be
/// avoided count only where all are, or the policy wants them: a release of OCaml comes with a version for
/// its next development, and nobody builds half the repository with that.
fn changed(views: &TargetViews<'_, '_>, known: &InstallablePackages, policy: &Policy) -> Vec<PackageId> {
    let changes = &views.repository.changes.packages;
    let mut usable = views.repository.packages_after(changes.iter().filter(|change| policy.counts(change)));
    usable.retain(|package| known.after[package.place()] == Some(Verdict::Installable));
    let avoided = |package: &PackageId| views.after.is_avoided(*package);
    if !policy.avoided && !usable.iter().all(avoided) {
        usable.retain(|package| !avoided(package));
    }
    usable
}
