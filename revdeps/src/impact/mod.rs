//! What a change of a repository does, on each platform.
//!
//! ```text
//! before, after ── Matching ──> packages that say something else
//!    each platform:  ── closure over requirements, in both views ──> packages that could be affected
//!      ── witnesses() before and after ──> lost, gained, refused       (installability.rs)
//!      ── the best selection of each affected name ──> reselected      (selections.rs)
//!      ── the shortest circle through each changed name ──> cycles     (cycles.rs)
//!      ── dependents of what is new ──> what to build and test again   (crate::rebuild)
//!    names that are gone and still wanted ──> dangling                 (dangling.rs)
//! ```
//!
//! Nothing is sampled. The solutions of the two states differ only by those that have a changed package in
//! them, so only those packages matter that can reach, in one of the states, a changed package that can be
//! installed there; all of them are decided in both states. Most decisions need no search: a selection
//! shows of everything in it that it can be installed, and one without a changed package does so for both
//! states.

mod cycles;
mod dangling;
mod installability;
mod selections;
mod targets;

pub use cycles::Cycles;
pub use dangling::Dangling;
pub(crate) use installability::Known;
pub use installability::{Cause, Gained, Lost, Refused};
#[cfg(feature = "git")]
pub(crate) use selections::between;
pub use selections::{Difference, Reselected};
pub use targets::targets;

use crate::changes::Changes;
use crate::listing::{Dependents, Mentions, Sort};
use crate::rebuild::{Policy, Rebuild, rebuild};
use caravan_solver::{Platform, Request, Root, SolveError, Stop, View};
use opam_parser::index::{Index, Matching, PackageId};
use opam_parser::version;
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use std::time::Duration;

/// Two states of a repository, and what differs.
pub struct Step<'s> {
    /// The earlier state.
    pub before: &'s Index,
    /// The later state.
    pub after: &'s Index,
    /// Which packages they have in common.
    pub matching: Matching,
    /// What differs.
    pub changes: Changes,
    pub(crate) mentions_before: Mentions,
    pub(crate) mentions_after: Mentions,
}

impl<'s> Step<'s> {
    /// Puts two states side by side.
    pub fn new(before: &'s Index, after: &'s Index, changes: Changes) -> Self {
        let mentions = || rayon::join(|| Mentions::new(before), || Mentions::new(after));
        let (matching, (mentions_before, mentions_after)) = rayon::join(|| Matching::new(before, after), mentions);
        Self { before, after, matching, changes, mentions_before, mentions_after }
    }

    /// A changed package in the later state.
    pub(crate) fn changed_package(&self, change: &crate::changes::Change) -> Option<PackageId> {
        let name = self.after.find_name(change.name.as_str())?;
        self.after.find_package(name, change.version.as_str())
    }
}

/// A platform to look at, with what is installed on it already: a compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// A line that names it: `linux x86_64 debian-13, OCaml 5.4`.
    pub label: String,
    /// The platform.
    pub platform: Platform,
    /// What every solution has as its first roots, and the policies.
    pub request: Request,
}

/// What a change does.
#[derive(Debug)]
pub struct Impact {
    /// Names that are gone and still wanted.
    pub dangling: Vec<Dangling>,
    /// For each platform, in the order in which they were asked for; an error where it could not be told.
    pub platforms: Vec<(Target, Result<Findings, SolveError>)>,
}

/// What a change does on one platform.
#[derive(Debug, Default)]
pub struct Findings {
    /// Versions that could be installed and cannot any more, in opam's order.
    pub lost: Vec<Lost>,
    /// Versions that can be installed now and could not, in opam's order.
    pub gained: Vec<Gained>,
    /// New versions that cannot be installed, in opam's order.
    pub refused: Vec<Refused>,
    /// Versions that depend on what changed and can be installed neither before nor after, in opam's order:
    /// no blame on the change.
    pub broken_before: Vec<String>,
    /// Names whose best selection changed, in opam's order.
    pub reselected: Vec<Reselected>,
    /// Circles of dependencies.
    pub cycles: Cycles,
    /// What to build and test again.
    pub rebuild: Rebuild,
}

/// Whether a change is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing broke.
    Clean,
    /// Something broke.
    Broken,
    /// Nothing is known to have broken, but not all could be told.
    Unknown,
}

impl Impact {
    /// Something broke if a version that nobody meant to touch can no longer be installed, a new one can
    /// be installed with no compiler at all, a file cannot be read, dependencies go in a new circle, or a
    /// name is gone that others need.
    pub fn verdict(&self, changes: &Changes) -> Verdict {
        let broken_file = |change: &crate::changes::Change| change.kind == crate::changes::Kind::Broken;
        let breaks = |found: &Findings| {
            found.lost.iter().any(|lost| lost.cause.breaks())
                || found.refused.iter().any(|refused| !refused.elsewhere)
                || !found.cycles.made.is_empty()
        };
        let findings = || self.platforms.iter().map(|(_, found)| found);
        if changes.packages.iter().any(broken_file)
            || !changes.unexpected.is_empty()
            || self.dangling.iter().any(|dangling| !dangling.required_by.is_empty())
            || findings().flatten().any(breaks)
        {
            return Verdict::Broken;
        }
        if findings().any(Result::is_err) { Verdict::Unknown } else { Verdict::Clean }
    }
}

/// Finds out what a change does on some platforms.
pub fn impact(step: &Step<'_>, targets: &[Target], policy: &Policy, stop: &Stop) -> Impact {
    let findings = |target: &Target| (target.clone(), findings(step, target, policy, stop));
    let mut platforms: Vec<(Target, Result<Findings, SolveError>)> = targets.par_iter().map(findings).collect();
    // What one of the platforms can install is not broken on the others, only not for them.
    let gained = platforms.iter().filter_map(|(_, found)| found.as_ref().ok()).flat_map(|found| &found.gained);
    let somewhere: FxHashSet<String> = gained.map(|gained| gained.package.clone()).collect();
    for refused in
        platforms.iter_mut().filter_map(|(_, found)| found.as_mut().ok()).flat_map(|found| &mut found.refused)
    {
        refused.elsewhere |= somewhere.contains(&refused.package);
    }
    Impact { dangling: dangling::dangling(step), platforms }
}

/// A platform in both states.
pub(crate) struct Sides<'s, 'i> {
    pub(crate) step: &'s Step<'i>,
    pub(crate) request: &'s Request,
    pub(crate) before: View<'i>,
    pub(crate) after: View<'i>,
    /// What could be affected, by places.
    pub(crate) affected_before: Vec<bool>,
    pub(crate) affected_after: Vec<bool>,
}

impl<'s, 'i> Sides<'s, 'i> {
    pub(crate) fn new(step: &'s Step<'i>, target: &'s Target, stop: &Stop) -> Result<Self, SolveError> {
        let (before, after) = (View::new(step.before, &target.platform), View::new(step.after, &target.platform));
        let request = &target.request;
        let (affected_before, affected_after) = rayon::join(
            || affected(&before, &step.mentions_before, request, step.matching.changed_before().collect(), stop),
            || affected(&after, &step.mentions_after, request, step.matching.changed_after().collect(), stop),
        );
        let (affected_before, affected_after) = (affected_before?, affected_after?);
        Ok(Self { step, request, before, after, affected_before, affected_after })
    }
}

/// The packages whose answers could be others because some packages changed, by their places: the changed
/// ones, and what can reach one of them that can be installed. `changed` are those of this state that the
/// other one does not have, or that say something else there; an answer is the same in both states if its
/// package is not affected in either.
///
/// # Errors
/// When it was stopped.
pub fn affected(
    view: &View<'_>,
    mentions: &Mentions,
    request: &Request,
    changed: Vec<PackageId>,
    stop: &Stop,
) -> Result<Vec<bool>, SolveError> {
    let index = view.index();
    let found = installability::installable(view, request, &changed, &[], stop);
    let installable = match found.as_ref().map_err(installability::is_gone) {
        Ok(found) => found.verdicts.clone(),
        Err(true) => vec![false; changed.len()],
        Err(false) => return found.map(|_| vec![]),
    };
    let usable = changed.iter().zip(installable).filter(|(_, installable)| *installable).map(|(package, _)| *package);
    let mut affected = Dependents::new(view, mentions, Sort::Required).closure(usable);
    // What every question has as its root concerns every package.
    let concerns = |root: &Root| {
        let allowed = |package: &PackageId| {
            let version = index.version(index.package_version(*package)).as_bytes();
            root.constraints.iter().all(|of| of.0.holds(version::compare(version, of.1.as_str().as_bytes())))
        };
        let versions = index.find_name(root.name.as_str()).into_iter().flat_map(|name| index.versions_of(name));
        versions.filter(allowed).any(|package| affected[package.place()])
    };
    if request.roots.iter().any(concerns) {
        affected.fill(true);
    }
    changed.iter().for_each(|package| affected[package.place()] = true);
    Ok(affected)
}

fn findings(step: &Step<'_>, target: &Target, policy: &Policy, stop: &Stop) -> Result<Findings, SolveError> {
    // The limit is for the platform, not for each of its thousands of questions.
    let stop = &match target.request.time_limit_ms {
        Some(limit) => stop.within(Duration::from_millis(limit)),
        None => stop.clone(),
    };
    let sides = Sides::new(step, target, stop)?;
    let best = selections::best_of_names(&sides, stop)?;
    let known = installability::decide(&sides, &best, stop)?;
    let mut found = installability::findings(&sides, &known, stop)?;
    found.reselected = selections::reselected(&sides, &best);
    found.cycles = cycles::cycles(&sides);
    found.rebuild = rebuild(&sides, &known, &selections::by_name(&sides, best), policy, stop)?;
    Ok(found)
}
