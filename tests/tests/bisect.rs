//! `bisect` finds every commit that changed an answer, as putting the question to all 476 does.

use caravan_revdeps::bisect::{Bisect, Bisection, Sought};
use caravan_solver::{Request, Solver, Stop, View};
use caravan_tests::steps::{each_step, target};
use caravan_tests::{index_of, shared_repository};
use opam_parser::index::Index;
use opam_parser::source::git::GitSource;

/// With OCaml 5.4 on Debian.
fn request(package: &str) -> Request {
    let mut request = target("5.4").request;
    request.roots.push(package.parse::<opam_parser::atom::Atom>().unwrap().into());
    request
}

fn bisect(package: &str, sought: Sought, turns: usize) -> Bisection {
    let path = shared_repository("opam-repository.bundle");
    let newest = index_of(&GitSource::open(&path, "main").unwrap());
    let (platform, request) = (target("5.4").platform, request(package));
    let bisect =
        Bisect { path: &path, head: "main", base: None, platform: &platform, request: &request, sought, limit: turns };
    bisect.run(&newest, &Stop::new(), &|_| {}).unwrap()
}

const PACKAGES: [&str; 5] = ["utop", "caisar.6.0", "gettext-stub.0.5.0", "cohttp-lwt-unix.6.3.0", "zarith"];

type Answers = [Option<Vec<String>>; PACKAGES.len()];

fn answers(index: &Index) -> Answers {
    let view = View::new(index, &target("5.4").platform);
    PACKAGES.map(|package| {
        let selection = Solver::new(&view).solve(&request(package)).ok()?;
        Some(selection.packages().iter().map(|package| index.package_text(*package)).collect())
    })
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn every_turn_is_found() {
    let mut turns = PACKAGES.map(|_| (vec![], vec![]));
    let mut last: Option<Answers> = None;
    each_step(|commit, step| {
        let before = last.take().unwrap_or_else(|| answers(step.before));
        let after = answers(step.after);
        for ((before, after), (solution, installable)) in before.iter().zip(&after).zip(&mut turns) {
            if before != after {
                solution.push(commit.id.clone());
            }
            if before.is_some() != after.is_some() {
                installable.push(commit.id.clone());
            }
        }
        last = Some(after);
    });
    for (package, (mut solution, mut installable)) in PACKAGES.iter().zip(turns) {
        solution.reverse();
        installable.reverse();
        for (sought, expected) in [(Sought::Solution, solution), (Sought::Installable, installable)] {
            let found = bisect(package, sought, usize::MAX);
            let ids: Vec<String> = found.changes.into_iter().map(|turn| turn.commit.id).collect();
            assert_eq!(ids, expected, "{package} {sought:?}");
            assert_eq!(found.commits, 476);
        }
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn the_latest_turn_is_named() {
    let found = bisect("caisar.6.0", Sought::Installable, 1);
    let [turn] = found.changes.as_slice() else { panic!("{found:?}") };
    assert!(turn.commit.summary.starts_with("Merge pull request #30227 "), "{}", turn.commit.summary);
    assert!(turn.before && !turn.after && !found.installable);
}
