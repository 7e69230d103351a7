//! What a change of a repository does, on each platform.
//!
//! ```text
//! before, after ── Matching ──> packages that say something else
//!    each platform:  ── closure over requirements, in both views ──> packages that could be affected
//!      ── witnesses() before and after ──> lost, gained, refused       (installability.rs, lost_and_gained.rs)
//!      ── the best selection of each affected name ──> reselected      (best_selections.rs)
//!      ── the shortest cycle through  each changed name ──> cycles     (cycles.rs)
//!      ── dependents of what is new ──> what to build and test again   (crate::rebuild)
//!    names that are gone and still wanted ──> dangling                 (dangling.rs)
//! ```
//!
//! Nothing is sampled. The solutions of the two states differ only by those that have a changed package in
//! them, so only those packages matter that can reach, in one of the states, a changed package that can be
//! installed there; all of them are decided in both states. Most decisions need no search: a selection
//! shows of everything in it that it can be installed, and one without a changed package does so for both
//! states.

mod best_selections;
mod cycles;
mod dangling;
mod findings;
mod installability;
mod lost_and_gained;
mod targets;

#[cfg(feature = "git")]
pub(crate) use best_selections::selection_differences;
pub use best_selections::{Reselected, SelectionDifference};
pub use cycles::Cycles;
pub use dangling::Dangling;
pub use findings::{Findings, Impact, Verdict};
pub use lost_and_gained::{Cause, Gained, Lost, Refused};
pub use targets::targets;

use crate::rebuild::{Policy, rebuild};
use crate::repository_change::RepositoryChange;
use crate::target_views::TargetViews;
use caravan_solver::target::Target;
use caravan_solver::{SolveError, Stop};
use lost_and_gained::LostAndGained;
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use std::time::Duration;

/// Finds out what a change does on some platforms.
pub fn impact(repository: &RepositoryChange<'_>, targets: &[Target], policy: &Policy, stop: &Stop) -> Impact {
    let findings_on = |target: &Target| (target.clone(), findings(repository, target, policy, stop));
    let mut platforms: Vec<(Target, Result<Findings, SolveError>)> = targets.par_iter().map(findings_on).collect();
    // What one of the platforms can install is not broken on the others, only not for them.
    let gained = platforms.iter().filter_map(|(_, found)| found.as_ref().ok()).flat_map(|found| &found.gained);
    let somewhere: FxHashSet<String> = gained.map(|gained| gained.package.clone()).collect();
    for refused in
        platforms.iter_mut().filter_map(|(_, found)| found.as_mut().ok()).flat_map(|found| &mut found.refused)
    {
        refused.elsewhere |= somewhere.contains(&refused.package);
    }
    Impact { dangling: dangling::dangling(repository), platforms }
}

fn findings(
    repository: &RepositoryChange<'_>,
    target: &Target,
    policy: &Policy,
    stop: &Stop,
) -> Result<Findings, SolveError> {
    // The limit is for the platform, not for each of its thousands of questions.
    let stop = &match target.request.time_limit_ms {
        Some(limit) => stop.within(Duration::from_millis(limit)),
        None => stop.clone(),
    };
    let views = TargetViews::new(repository, target, stop)?;
    let best = best_selections::best_of_names(&views, stop)?;
    let known = installability::decide(&views, &best, stop)?;
    let LostAndGained { lost, gained, refused, broken_before, mut not_told } =
        lost_and_gained::lost_and_gained(&views, &known, stop)?;
    not_told.extend(best_selections::not_told(&views, &best));
    Ok(Findings {
        lost,
        gained,
        refused,
        broken_before,
        not_told,
        reselected: best_selections::reselected(&views, &best),
        cycles: cycles::cycles(&views),
        rebuild: rebuild(&views, &known, &best_selections::by_name(&views, best), policy, stop)?,
    })
}
