//! Trying whether a dependent can be built and tested with the change.

use super::dependents::Dependent;
use super::entry::{RebuildEntry, RebuildJob, Tests};
use super::policy::{Policy, TestPolicy};
use super::reasons::{job, reason};
use super::selections::{FoundSelection, SelectionFinder};
use caravan_solver::{Flags, SolveError};
use opam_parser::index::PackageId;

/// What came of trying a dependent.
pub(super) enum Attempt {
    /// It is to be built or tested. Its stages are still to be found.
    Entry(Box<RebuildEntry>),
    /// It cannot be installed together with the change.
    NotTogether,
    /// It can be, but then nothing of what it needs uses the change.
    Unused,
}

/// A job with the shortest way through it to a changed package, if there is one.
type JobWithPath = (RebuildJob, Option<Vec<PackageId>>);

/// Finds selections for the build of a dependent and for its tests.
pub(super) fn attempt(
    finder: &SelectionFinder<'_, '_>,
    dependent: &Dependent,
    policy: &Policy,
) -> Result<Attempt, SolveError> {
    let package = dependent.package;
    let build = finder.find(package, Flags::default(), &dependent.build)?;
    let for_tests = Flags { with_test: true, ..Flags::default() };
    let wants_tests = policy.tests > TestPolicy::None && finder.relations.index.has_tests(package);
    let test = match wants_tests {
        true => finder.find(package, for_tests, &dependent.changed())?,
        false => None,
    };
    let tests_impossible = wants_tests && test.is_none();
    if build.is_none() && test.is_none() {
        return Ok(Attempt::NotTogether);
    }
    let (build, test) = (job_of(build), job_of(test));
    let selections = || build.iter().chain(&test).flat_map(|(job, _)| &job.selections);
    let Some(changed) = selections().find_map(|selection| selection.with.first().copied()) else {
        // Where nothing was found although everything was tried, it cannot be with any of it.
        return Ok(if finder.unused { Attempt::NotTogether } else { Attempt::Unused });
    };
    let path = build.iter().chain(&test).find_map(|(_, path)| path.clone());
    let reason = reason(finder.relations, package, changed, path, build.is_some());
    let tests = match test {
        Some((job, _)) => Tests::Job(job),
        None if tests_impossible => {
            let before = match finder.views.repository.matching.before(package) {
                Some(before) => !finder.was_installable(before, for_tests)?,
                None => false,
            };
            Tests::Impossible { before }
        }
        None => Tests::None,
    };
    let build = build.map(|(job, _)| job);
    Ok(Attempt::Entry(Box::new(RebuildEntry { package, reason, build, tests, dependents: 0 })))
}

/// The job of some selections; `None` without any.
fn job_of(found: Option<Vec<FoundSelection>>) -> Option<JobWithPath> {
    found.filter(|found| !found.is_empty()).map(job)
}
