//! What a change does, as data.

use super::best_selections::Reselected;
use super::cycles::Cycles;
use super::dangling::Dangling;
use super::lost_and_gained::{Gained, Lost, Refused};
use crate::changes::{ChangeKind, Changes, PackageChange};
use crate::rebuild::Rebuild;
use caravan_solver::SolveError;
use caravan_solver::target::Target;

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
    /// Versions, and names as `opam install` takes them, of which it could not be told what becomes of them: the search
    /// took more steps than one solve may ([`STEP_LIMIT`](caravan_solver::STEP_LIMIT)).
    pub not_told: Vec<String>,
    /// Names whose best selection changed, in opam's order.
    pub reselected: Vec<Reselected>,
    /// Circles of dependencies.
    pub cycles: Cycles,
    /// What to build and test again.
    pub rebuild: Rebuild,
}

/// Whether a change is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// be installed with no compiler at all, a file cannot be read, dependencies go in a new cycle, or a
    /// name is gone that others need.
    pub fn verdict(&self, changes: &Changes) -> Verdict {
        let broken_file = |change: &PackageChange| change.kind == ChangeKind::Broken;
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
        let not_all = |found: &Result<Findings, SolveError>| {
            found
                .as_ref()
                .map_or(true, |found| !found.not_told.is_empty() || !found.rebuild.left_out.not_told.is_empty())
        };
        if findings().any(not_all) { Verdict::Unknown } else { Verdict::Clean }
    }
}
