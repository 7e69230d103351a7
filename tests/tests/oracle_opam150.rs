//! `oracle/opam150.tsv`: what real opam (mccs, its default criteria) would install in an empty switch,
//! and in one that has OCaml 5.4.1.
//!
//! Yes and no are the same, and opam's selections pass the verifier. The versions differ where opam
//! weighs and we go by order: opam minimises the sum of the requested packages' lags, then that of all
//! lags (rules O1 and O2); we take the newest of the root, then of its first dependency, and so on
//! (rule O7). The test shows for each difference that ours is the better one by our order.

use caravan_solver::{Platform, Request, Setting, SolveError, Solver, View, verify};
use opam_parser::index::{Index, PackageId};
use std::collections::BTreeMap;

fn find(index: &Index, text: &str) -> PackageId {
    let (name, version) = text.split_once('.').unwrap();
    index.find_package(index.find_name(name).unwrap(), version).unwrap()
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn what_opam_installs_can_be_installed() {
    let path = caravan_tests::shared("oracle/opam150.tsv");
    let index = caravan_tests::shared_index();
    let setting = Setting::new(Platform::linux_x86_64());
    let view = View::of(&index, &setting);
    let text = fs_err::read_to_string(path).unwrap();
    let switch = Request::new(["ocaml-base-compiler.5.4.1".parse().unwrap()]);
    let installed = Solver::new(&view).solve(&switch).unwrap().packages().to_vec();
    let (mut rows, mut same, mut different) = (0, 0, 0);
    for row in text.lines().filter(|row| !row.starts_with('#')) {
        let columns: Vec<&str> = row.split('\t').collect();
        let [kind, root, verdict] = columns[..3] else { panic!("{row}") };
        let mut request = Request::new([root.parse().unwrap()]);
        if kind == "c541" {
            request.roots.extend(switch.roots.clone());
        }
        rows += 1;
        let ours = match Solver::new(&view).solve(&request) {
            Ok(selection) => Some(selection.packages().to_vec()),
            Err(SolveError::NoSolution) => None,
            Err(error) => panic!("{row}: {error}"),
        };
        match verdict {
            // opam gave up after 60 seconds.
            "timeout" => continue,
            "none" => assert!(ours.is_none(), "{kind} {root}: opam finds nothing"),
            _ => {
                let ours = ours.unwrap_or_else(|| panic!("{kind} {root}: opam has a solution"));
                let mut theirs: BTreeMap<_, PackageId> = BTreeMap::new();
                if kind == "c541" {
                    theirs.extend(installed.iter().map(|package| (index.package_name(*package), *package)));
                }
                for text in columns[3].split(' ').filter(|text| !text.is_empty()) {
                    let package = find(&index, text);
                    theirs.insert(index.package_name(package), package);
                }
                let theirs: Vec<PackageId> = theirs.into_values().collect();
                let violations = verify(&index, &setting, &request, &theirs);
                assert!(violations.is_empty(), "{kind} {root}: {violations:?}");
                if ours == theirs {
                    same += 1;
                    continue;
                }
                different += 1;
                // By our order the first root comes first, so it is at least as new as theirs.
                let name = index.find_name(root.split('.').next().unwrap()).unwrap();
                let of = |packages: &[PackageId]| {
                    packages.iter().copied().find(|package| index.package_name(*package) == name).unwrap()
                };
                assert!(of(&ours) >= of(&theirs), "{kind} {root}");
                eprintln!("{kind} {root}: {}", difference(&index, &ours, &theirs));
            }
        }
    }
    assert_eq!(rows, 162);
    eprintln!("{same} selections are the same, {different} are not");
}

/// Which criterion tells two selections apart, and the lags of both.
fn difference(index: &Index, ours: &[PackageId], theirs: &[PackageId]) -> String {
    let platform = Platform::linux_x86_64();
    let view = View::new(index, &platform);
    // Rules O1 and O4: versions ranked above it, those to avoid counted as the newest.
    let lag = |package: &PackageId| {
        let name = index.package_name(*package);
        let own = index.version_position(*package);
        let known = view.name(name);
        let rank = |place: usize| (known.avoided.contains(place), place);
        known.available.positions().filter(|place| rank(*place) > rank(own)).count()
    };
    let sum = |packages: &[PackageId]| packages.iter().map(lag).sum::<usize>();
    let (our_lag, their_lag) = (sum(ours), sum(theirs));
    let criterion = if their_lag < our_lag {
        "their sum of lags is smaller (`-count[version-lag,changed]`)"
    } else if their_lag == our_lag && theirs.len() < ours.len() {
        "they install fewer packages (`-changed`)"
    } else {
        panic!("no criterion of opam prefers theirs")
    };
    format!("lags {our_lag} and {their_lag}, packages {} and {}: {criterion}", ours.len(), theirs.len())
}
