//! `oracle/installable.tsv.gz`: whether there is a solution, for half of the names on two compilers.
//! That the selections agree too is the subject of the issue on the solver.

use caravan_solver::{Platform, Problem, SolveError, View, problem::Preference, solve};
use rayon::prelude::*;

#[test]
fn the_same_can_be_installed_as_with_opam_0install() {
    let Some(text) = caravan_tests::shared_gz("oracle/installable.tsv.gz") else { return };
    let Some(index) = caravan_tests::shared_index() else { return };
    let mut platform = Platform::linux_x86_64();
    platform.set("ocaml:native", "true");
    let view = View::new(&index, &platform);
    let rows: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(rows.len(), 14_010);
    let wrong: Vec<String> = rows
        .par_iter()
        .filter_map(|row| {
            let columns: Vec<&str> = row.split('\t').collect();
            let [dialect, ocaml, root, result] = columns[..4] else { panic!("{row}") };
            let mut problem = Problem::new([format!("ocaml.{ocaml}").parse().unwrap(), root.parse().unwrap()]);
            problem.roots.iter_mut().for_each(|root| root.flags.with_test = dialect == "svc-test");
            if dialect == "svc-oldest" {
                problem.preference = Preference::Oldest;
            }
            let ours = match solve(&view, &problem) {
                Ok(_) => "OK",
                Err(SolveError::NoSolution(_)) => "NOSOL",
                Err(error) => panic!("{row}: {error}"),
            };
            (ours != result).then(|| format!("{dialect} {ocaml} {root}: {result}, ours {ours}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} rows differ:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
}
