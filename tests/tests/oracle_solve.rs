//! `oracle/installable.tsv.gz`: what opam-0install and solver-service select for half of the names on
//! two compilers. The issue allows for differences; there are none.

use caravan_solver::problem::Preference;
use caravan_solver::{Dialect, Platform, Request, Setting, SolveError, Solver, View, verify};
use opam_parser::index::PackageId;
use rayon::prelude::*;
use std::collections::BTreeSet;

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn the_same_is_selected_as_by_opam_0install() {
    let text = caravan_tests::shared_gz("oracle/installable.tsv.gz");
    let index = caravan_tests::shared_index();
    let mut platform = Platform::linux_x86_64();
    platform.set("ocaml:native", "true");
    let setting = |dialect| Setting { dialect, ..Setting::new(platform.clone()) };
    let [service, plain] = [Dialect::SolverService, Dialect::Opam0install].map(setting);
    let (service_view, plain_view) = (View::of(&index, &service), View::of(&index, &plain));
    let rows: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(rows.len(), 14_010);
    let find = |text: &str| -> PackageId {
        let (name, version) = text.split_once('.').unwrap();
        index.find_package(index.find_name(name).unwrap(), version).unwrap()
    };
    let differences: Vec<String> = rows
        .par_iter()
        .filter_map(|row| {
            let columns: Vec<&str> = row.split('\t').collect();
            let [dialect, ocaml, root, result] = columns[..4] else { panic!("{row}") };
            let (setting, view) = if dialect == "dir" { (&plain, &plain_view) } else { (&service, &service_view) };
            let mut request = Request::new([format!("ocaml.{ocaml}").parse().unwrap(), root.parse().unwrap()]);
            request.roots.iter_mut().for_each(|root| root.flags.with_test = dialect == "svc-test");
            if dialect == "svc-oldest" {
                request.prefer = Preference::Oldest;
            }
            let ours = match Solver::new(view).solve(&request) {
                Ok(selection) => selection.packages().to_vec(),
                Err(SolveError::NoSolution) => vec![],
                Err(error) => panic!("{row}: {error}"),
            };
            let mut theirs: Vec<PackageId> = match result {
                "OK" => columns[4].split(' ').map(find).collect(),
                _ => vec![],
            };
            theirs.sort_unstable();
            for answer in [&ours, &theirs].into_iter().filter(|answer| !answer.is_empty()) {
                let violations = verify(&index, setting, &request, answer);
                assert!(violations.is_empty(), "{row}: {violations:?}");
            }
            (ours != theirs).then(|| {
                let names = |packages: &[PackageId]| -> BTreeSet<String> {
                    packages.iter().map(|package| index.package_text(*package)).collect()
                };
                let (ours, theirs) = (names(&ours), names(&theirs));
                let [ours, theirs] = [ours.difference(&theirs), theirs.difference(&ours)]
                    .map(|only| only.cloned().collect::<Vec<_>>().join(" "));
                format!("{dialect} {ocaml} {root}: only ours {ours}; only theirs {theirs}")
            })
        })
        .collect();
    assert!(differences.is_empty(), "{} rows differ:\n{}", differences.len(), differences.join("\n"));
}
