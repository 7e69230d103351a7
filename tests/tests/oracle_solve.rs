//! `oracle/installable.tsv.gz`: whether there is a solution, for half of the names on two compilers, and
//! nearly always the same one.

use caravan_solver::{Platform, Problem, SolveError, View, problem::Preference, solve};
use rayon::prelude::*;
use std::collections::BTreeSet;

#[test]
fn the_same_can_be_installed_as_with_opam_0install() {
    let Some(text) = caravan_tests::shared_gz("oracle/installable.tsv.gz") else { return };
    let Some(index) = caravan_tests::shared_index() else { return };
    let mut platform = Platform::linux_x86_64();
    platform.set("ocaml:native", "true");
    let view = View::new(&index, &platform);
    let rows: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(rows.len(), 14_010);
    let answers: Vec<(&str, Option<String>, bool)> = rows
        .par_iter()
        .map(|row| {
            let columns: Vec<&str> = row.split('\t').collect();
            let [dialect, ocaml, root, result] = columns[..4] else { panic!("{row}") };
            let mut problem = Problem::new([format!("ocaml.{ocaml}").parse().unwrap(), root.parse().unwrap()]);
            problem.roots.iter_mut().for_each(|root| root.flags.with_test = dialect == "svc-test");
            if dialect == "svc-oldest" {
                problem.preference = Preference::Oldest;
            }
            let (ours, same) = match solve(&view, &problem) {
                Ok(selection) => {
                    let ours: BTreeSet<String> =
                        selection.packages().iter().map(|package| index.package_text(*package)).collect();
                    ("OK", columns[4].split(' ').map(str::to_owned).collect::<BTreeSet<_>>() == ours)
                }
                Err(SolveError::NoSolution(_)) => ("NOSOL", true),
                Err(error) => panic!("{row}: {error}"),
            };
            let wrong = (ours != result).then(|| format!("{dialect} {ocaml} {root}: {result}, ours {ours}"));
            (dialect, wrong, same)
        })
        .collect();
    let wrong: Vec<&str> = answers.iter().filter_map(|(_, wrong, _)| wrong.as_deref()).collect();
    assert!(wrong.is_empty(), "{} rows differ:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
    // Where theirs is another selection, solver-service takes versions to be avoided that we do not
    // take while anything else works, or its order differs in a detail; `dir` does not avoid any. What
    // is left is the subject of the issue on the solver.
    for (dialect, least) in [("svc", 0.993), ("svc-test", 0.995), ("svc-oldest", 0.97)] {
        let rows: Vec<bool> = answers.iter().filter(|answer| answer.0 == dialect).map(|answer| answer.2).collect();
        let share = rows.iter().filter(|same| **same).count() as f64 / rows.len() as f64;
        assert!(share >= least, "{dialect}: only {share:.4} of the selections are the same");
    }
}
