//! `oracle/solver-timeouts-2024.tsv`: 3,237 jobs of opam-repo-ci that ended because opam's solver ran out
//! of time. Every one has an answer, and every answer is checked.

use caravan_solver::{Dialect, Setting, SolveError, Solver, View};
use caravan_tests::hard;
use rayon::prelude::*;

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn every_job_that_opam_gave_up_on_is_answered() {
    let (mut solvable, mut unsolvable) = (0, 0);
    for (index, jobs) in &hard::jobs() {
        let mut platforms: Vec<&str> = jobs.iter().map(|job| job.platform.as_str()).collect();
        platforms.sort_unstable();
        platforms.dedup();
        for platform in platforms {
            let setting = Setting { dialect: Dialect::Opam, ..Setting::new(hard::platform(platform)) };
            let view = View::of(index, &setting);
            let ours: Vec<_> = jobs.iter().filter(|job| job.platform == platform).collect();
            let solved: Vec<bool> = ours
                .par_iter()
                .map(|job| match Solver::new(&view).prove(true).verify(&setting).solve(&job.request) {
                    Ok(_) => true,
                    Err(SolveError::NoSolution) => {
                        let explanation = Solver::new(&view).explain(&job.request).unwrap();
                        assert!(!explanation.facts.is_empty(), "{:?}", job.request);
                        false
                    }
                    Err(error) => panic!("{:?}: {error}", job.request),
                })
                .collect();
            solvable += solved.iter().filter(|solved| **solved).count();
            unsolvable += solved.iter().filter(|solved| !**solved).count();
        }
    }
    assert_eq!((solvable, unsolvable), (3196, 41));
}
