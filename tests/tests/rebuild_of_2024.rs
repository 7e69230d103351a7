//! Three large pull requests of 2024: the rebuild sets have every job that opam-repo-ci ran, its solver gave
//! up on, and that can be done.

use caravan_revdeps::RepositoryChange;
use caravan_revdeps::impact::{Findings, impact};
use caravan_revdeps::rebuild::{Policy, Rebuild, TestPolicy, Versions};
use caravan_solver::target::Target;
use caravan_solver::{SolveError, Solver, Stop, View};
use caravan_tests::hard::{Job, platform, pull_requests};
use caravan_tests::steps::{target, with_step};
use opam_parser::index::PackageId;
use rayon::prelude::*;
use std::fmt::Write as _;

/// In 2024 a recursive listing also went through the needs of tests.
const EVERYTHING: Policy = Policy { tests: TestPolicy::Recursive, ..Policy::LIKE_OPAM_REPO_CI };

fn rebuild(step: &RepositoryChange<'_>, target: &Target, policy: &Policy) -> Rebuild {
    let mut found = impact(step, std::slice::from_ref(target), policy, &Stop::new());
    let (_, found): (_, Result<Findings, SolveError>) = found.platforms.remove(0);
    found.unwrap().rebuild
}

/// Whether a job can be done, and is in the set as what it is.
fn check(step: &RepositoryChange<'_>, view: &View<'_>, set: &Rebuild, job: &Job) -> bool {
    match Solver::new(view).solve(&job.request) {
        Ok(_) => {}
        Err(SolveError::NoSolution) => return false,
        Err(error) => panic!("{}: {error}", job.package),
    }
    let find = |text: &str| -> PackageId {
        let (name, version) = opam_parser::name::split_package(text).unwrap();
        step.after.find_package(step.after.find_name(name.as_str()).unwrap(), version.as_str()).unwrap()
    };
    let (package, with) = (find(&job.package), find(job.with.as_ref().unwrap()));
    let entry = set.entries.iter().find(|entry| entry.package == package);
    let entry = entry.unwrap_or_else(|| panic!("{} with {} is missing", job.package, job.with.as_ref().unwrap()));
    let wanted = match (job.test, entry.test()) {
        // What has no tests is only built.
        (true, Some(test)) => Some(test),
        _ => entry.build.as_ref(),
    };
    let found = wanted.into_iter().flat_map(|job| &job.selections).any(|together| together.with.contains(&with));
    assert!(found, "{} is there, but not with {}", job.package, job.with.as_ref().unwrap());
    true
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn rebuild_sets_have_the_jobs_of_2024() {
    let pull_requests = pull_requests();
    let repository = caravan_tests::shared_repository("opam-repository-2024.bundle");
    let mut counts = String::new();
    for (branch, jobs) in &pull_requests {
        with_step(&repository, &format!("{branch}^"), branch, |step| {
            for (label, series) in [("debian-12-ocaml-4.14/amd64", "4.14"), ("debian-12-ocaml-5.2/amd64", "5.2")] {
                let target = Target { platform: platform(label), ..target(series) };
                let set = rebuild(step, &target, &EVERYTHING);
                let view = View::new(step.after, &target.platform);
                let ours: Vec<&Job> = jobs.iter().filter(|job| job.with.is_some() && job.platform == label).collect();
                let done = ours.par_iter().filter(|job| check(step, &view, &set, job)).count();
                let usual = rebuild(step, &target, &Policy::default());
                let latest = rebuild(step, &target, &Policy { versions: Versions::Latest, ..Policy::default() });
                let sizes = [&set, &usual, &latest].map(|set| (set.entries.len(), set.stages()));
                writeln!(
                    counts,
                    "{branch} {label}: {done} of {} jobs can be done and are there; \
                     everything, by default, latest (entries, stages): {sizes:?}",
                    ours.len(),
                )
                .unwrap();
            }
        });
    }
    let other: usize = pull_requests
        .values()
        .flatten()
        .filter(|job| job.with.is_some() && !["4.14/amd64", "5.2/amd64"].iter().any(|end| job.platform.ends_with(end)))
        .count();
    assert_eq!(other, 0, "all jobs of reverse dependencies ran on these two platforms");
    insta::assert_snapshot!(counts);
}
