//! Solutions of the real repository: each is checked rule by rule by the verifier, which knows nothing
//! of the search, and shown to be the best by asking for anything better.

use caravan_solver::problem::{Avoid, Preference};
use caravan_solver::{Dialect, Platform, Request, Setting, SolveError, Solver, View};
use opam_parser::index::{Index, PackageId};
use rayon::prelude::*;

/// The newest version of each name that is available.
fn newest(view: &View<'_>) -> Vec<PackageId> {
    let index = view.index();
    let newest = |name| {
        let place = view.name(name).available.positions().last()?;
        index.versions_of(name).nth(place)
    };
    index.names().filter_map(newest).collect()
}

/// Checks a request for every newest version; gives how many have an answer.
fn check_all(index: &Index, setting: &Setting, template: &Request) -> usize {
    let view = View::of(index, setting);
    let newest = newest(&view);
    assert!(newest.len() > 4000);
    let solved = newest.par_iter().filter(|package| {
        let mut request = template.clone();
        request.roots.extend(Request::new([index.package_text(**package).parse().unwrap()]).roots);
        let flags = template.roots.first().map(|root| root.flags).unwrap_or_default();
        request.roots.iter_mut().for_each(|root| root.flags = flags);
        match Solver::new(&view).prove(true).verify(setting).solve(&request) {
            Ok(_) => true,
            Err(SolveError::NoSolution) => {
                // pubgrub's own crate finds none either, and says why.
                let explanation = Solver::new(&view).explain(&request).unwrap();
                assert!(!explanation.facts.is_empty(), "{}", index.package_text(**package));
                false
            }
            Err(error) => panic!("{}: {error}", index.package_text(**package)),
        }
    });
    solved.count()
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn every_newest_version_on_two_compilers() {
    let index = caravan_tests::shared_index();
    let setting = Setting::new(Platform::linux_x86_64());
    for ocaml in ["4.14.2", "5.4.1"] {
        let request = Request::new([format!("ocaml.{ocaml}").parse().unwrap()]);
        assert!(check_all(&index, &setting, &request) > 3000, "{ocaml}");
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn every_newest_version_without_a_compiler_in_both_dialects_and_directions() {
    let index = caravan_tests::shared_index();
    for dialect in [Dialect::Opam, Dialect::SolverService] {
        let setting = Setting { dialect, ..Setting::new(Platform::linux_x86_64()) };
        for prefer in [Preference::Newest, Preference::Oldest] {
            let request = Request { prefer, ..Request::default() };
            assert!(check_all(&index, &setting, &request) > 4000, "{dialect:?} {prefer:?}");
        }
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn every_newest_version_with_its_tests_and_nothing_to_avoid() {
    let index = caravan_tests::shared_index();
    let setting = Setting::new(Platform::linux_x86_64());
    let mut request = Request::new(["ocaml.5.4.1".parse().unwrap()]);
    request.avoid = Some(Avoid::Never);
    request.roots[0].flags.with_test = true;
    assert!(check_all(&index, &setting, &request) > 2000);
}
