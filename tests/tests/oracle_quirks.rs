//! `oracle/quirks.tsv`: about a hundred tiny packages with one construct each, and what opam 2.6 and
//! opam-0install install for them.

use caravan_solver::problem::Root;
use caravan_solver::{Dialect, Platform, Request, Setting, SolveError, Solver, View};
use opam_parser::index::Index;
use opam_parser::source::directory::DirectorySource;

struct Column {
    title: &'static str,
    dialect: Dialect,
    tests: bool,
}

fn ours(index: &Index, column: &Column, row: &[&str]) -> String {
    let mut platform = Platform::linux_x86_64();
    match column.dialect {
        // The machine on which opam was asked.
        Dialect::Opam => platform.set("os-version", "12"),
        // The table that the oracle gave to opam-0install.
        Dialect::Opam0install | Dialect::SolverService => platform.set("ocaml:native", "true"),
    }
    let setting = Setting { dialect: column.dialect, ..Setting::new(platform) };
    let view = View::of(index, &setting);
    let mut request = Request::default();
    for root in row[1].split_whitespace() {
        let mut root = Root::from(root.parse::<opam_parser::atom::Atom>().unwrap());
        root.flags.with_test = column.tests;
        request.roots.push(root);
    }
    match Solver::new(&view).prove(true).verify(&setting).solve(&request) {
        Ok(selection) => {
            let mut packages: Vec<String> =
                selection.packages().iter().map(|package| index.package_text(*package)).collect();
            // As the oracle sorts them.
            packages.sort();
            packages.join(" ")
        }
        Err(SolveError::NoSolution) => "NOSOL".to_owned(),
        Err(error) => panic!("{}: {error}", row[0]),
    }
}

/// Rows in which mccs weighs where we go by order: it prefers what is newer in sum and smaller (rule
/// O2), we the first root and its first dependency (rule O7). opam's other solver, 0install, does as we do
/// there; it has a column of its own, with another weakness (rule O3).
const WEIGHED: &[(&str, &str)] = &[
    ("o-pref", "mccs takes the branch with fewer packages or less lag"),
    ("o-pref-other", "mccs leaves out `b`, which only the left branch brings in"),
    ("o-and", "mccs takes the smaller branch"),
    ("x-greedy", "mccs takes the smaller sum of lags"),
];

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn every_construct_in_both_dialects() {
    let table = caravan_tests::shared("oracle/quirks.tsv");
    let repository = caravan_tests::shared("oracle/quirks/repo");
    let index = caravan_tests::index_of(&DirectorySource::open(&repository).unwrap());
    let table = fs_err::read_to_string(table).unwrap();
    let mut rows = table.lines().map(|row| row.split('\t').collect::<Vec<_>>());
    let titles = rows.next().unwrap();
    let rows: Vec<Vec<&str>> = rows.collect();
    assert!(rows.len() > 90);
    let columns = [
        Column { title: "svc", dialect: Dialect::SolverService, tests: false },
        Column { title: "svc-test", dialect: Dialect::SolverService, tests: true },
        Column { title: "dir", dialect: Dialect::Opam0install, tests: false },
        Column { title: "opam2.6-mccs", dialect: Dialect::Opam, tests: false },
        Column { title: "opam2.6-mccs-test", dialect: Dialect::Opam, tests: true },
    ];
    let mut differ = Vec::new();
    for column in &columns {
        let place = titles.iter().position(|title| *title == column.title).unwrap();
        for row in &rows {
            let theirs = if row[place].starts_with("rc") { "NOSOL" } else { row[place] };
            let ours = ours(&index, column, row);
            let weighed = column.dialect == Dialect::Opam && WEIGHED.iter().any(|(test, _)| *test == row[0]);
            let other = titles.iter().position(|title| *title == "opam2.6-0install").unwrap();
            // Where mccs weighs, ours is what opam's other solver gives.
            let same = if weighed { ours == row[other] && theirs != "NOSOL" } else { ours == theirs };
            if !same {
                differ.push(format!("{} {}: theirs {theirs}, ours {ours}", column.title, row[0]));
            }
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}
