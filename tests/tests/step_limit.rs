//! Hard instances end after so many steps of search, everywhere after the same ones; everything else is told.

use caravan::{Answer, Context, Local, Options, Outcome, Question, Silent, Stop, ask};
use caravan_planning::catalogue::Catalogue;
use caravan_planning::matrix::{Matrix, MatrixRequest, latest};
use caravan_solver::{Flags, Platform, Request, STEP_LIMIT, SolveError, Solver, Stopped, Verdict, View};
use caravan_tests::{pigeon_packages, pigeons};
use opam_parser::index::PackageId;
use serde_json::{Value, json};
use std::path::Path;

/// Far below the usual limit, so that a debug build is soon there.
const FEW: u64 = 100_000;

fn write_packages(root: &Path, packages: &[(String, String)]) {
    for (package, text) in packages {
        let name = package.split_once('.').unwrap().0;
        let folder = root.join("packages").join(name).join(package);
        fs_err::create_dir_all(&folder).unwrap();
        fs_err::write(folder.join("opam"), format!("opam-version: \"2.0\"\n{text}\n")).unwrap();
    }
    fs_err::write(root.join("repo"), "opam-version: \"2.0\"\n").unwrap();
}

fn ordinary() -> Vec<(String, String)> {
    [
        ("ocaml-base-compiler.5.4.0", "flags: compiler"),
        ("ocaml.5.4.0", "depends: \"ocaml-base-compiler\" {= \"5.4.0\"}"),
        ("good.1", "depends: \"ocaml\""),
        ("bad.1", "depends: \"nothing\""),
    ]
    .map(|(package, text)| (package.to_owned(), text.to_owned()))
    .to_vec()
}

/// Asks about a directory, with few steps and on so many threads.
fn answer(root: &Path, question: &Value, threads: usize) -> Answer {
    let cache = tempfile::tempdir().unwrap();
    let options = Options {
        repositories: vec![root.display().to_string()],
        cache: Some(cache.path().to_owned()),
        ..Options::default()
    };
    let mut local = Local::new(options).unwrap();
    let question: Question = serde_json::from_value(question.clone()).unwrap();
    let stop = Stop::new().with_steps(FEW);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| ask(&question, &mut Context { repositories: &mut local, observer: &Silent, stop: &stop })).unwrap()
}

fn json(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.to_json().unwrap()).unwrap()
}

#[test]
fn a_puzzle_costs_only_itself() {
    let place = tempfile::tempdir().unwrap();
    let (base, change) = (place.path().join("base"), place.path().join("change"));
    write_packages(&base, &ordinary());
    write_packages(&change, &pigeon_packages(12));
    let both = place.path().join("both");
    write_packages(&both, &[ordinary(), pigeon_packages(12)].concat());
    let platform = json!({ "os": "linux", "arch": "x86_64", "os-distribution": "debian", "os-family": "debian" });
    let questions = [
        (&both, json!({ "installable": { "setting": { "platform": platform } } })),
        (&both, json!({ "health": { "platforms": ["5.4"] } })),
        (&both, json!({ "builds": { "platforms": ["5.4"] } })),
        (&both, json!({ "docs": { "platform": "debian-13-5.4" } })),
        (&base, json!({ "impact": { "add": change, "ocaml": ["5.4"] } })),
    ];
    for (root, question) in &questions {
        let found = answer(root, question, 1);
        assert_eq!(found.outcome(), Outcome::Unknown, "{question}");
        assert!(!found.can_be_kept(), "{question}");
        let found = json(&found);
        for threads in [2, 4] {
            assert_eq!(json(&answer(root, question, threads)), found, "{question} on {threads} threads");
        }
        let text = found.to_string();
        assert!(text.contains("the search took more steps than it may"), "{found:#}");
        match question.as_object().unwrap().keys().next().unwrap().as_str() {
            "installable" => {
                let of = &found["answers"][0];
                assert_eq!(of["not_told"][0]["package"], "flock.1");
                assert_eq!(of["not_told"].as_array().unwrap().len(), 1);
                assert!(of["installable"].as_array().unwrap().contains(&json!("good.1")));
                assert_eq!(of["not_installable"], json!(["bad.1"]));
            }
            "health" => {
                assert_eq!(found["platforms"][0]["not_told"], 1);
                let flock = found["packages"].as_array().unwrap().iter().find(|row| row["package"] == "flock.1");
                assert!(flock.unwrap()["cells"][0]["not_told"].is_string(), "{found:#}");
            }
            "impact" => {
                assert_eq!(found["verdict"], "unknown");
                assert_eq!(found["platforms"][0]["not_told"][0]["package"], "flock.1");
                assert!(found["platforms"][0].get("error").is_none());
            }
            _ => assert_eq!(found["not_told"][0]["package"], "flock.1"),
        }
    }
}

#[test]
fn the_limit_is_the_same_on_every_machine() {
    let index = pigeons(12);
    let view = View::new(&index, &Platform::linux_x86_64());
    let request = Request::new(["flock".parse().unwrap()]);
    let solve = |steps: u64| Solver::new(&view).stop(&Stop::new().with_steps(steps)).solve(&request);
    for _ in 0..2 {
        assert!(matches!(solve(FEW), Err(SolveError::Stopped(Stopped::Steps))));
    }
    let few = pigeons(5);
    let view = View::new(&few, &Platform::linux_x86_64());
    assert!(matches!(Solver::new(&view).solve(&request), Err(SolveError::NoSolution)));
}

#[test]
fn what_another_selection_shows_is_told() {
    let mut packages: Vec<(String, String)> = pigeon_packages(12);
    // With a friend there is room for all: then no pigeon needs a hole.
    packages.push(("easy.1".to_owned(), "depends: \"target\"".to_owned()));
    packages.push(("target.1".to_owned(), String::new()));
    let index = caravan_tests::index_of_texts(packages.iter().map(|(package, text)| (package.as_str(), text.as_str())));
    let view = View::new(&index, &Platform::linux_x86_64());
    let all: Vec<PackageId> = index.packages().collect();
    let stop = Stop::new().with_steps(FEW);
    let verdicts = Solver::new(&view).stop(&stop).verdicts(&Request::default(), &all, Flags::default()).unwrap();
    for (package, verdict) in all.iter().zip(verdicts) {
        match index.package_text(*package).as_str() {
            "flock.1" => assert_eq!(verdict, Verdict::NotTold(Stopped::Steps)),
            text => assert_eq!(verdict, Verdict::Installable, "{text}"),
        }
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn nothing_of_opam_repository_comes_near_the_limit() {
    let index = caravan_tests::shared_index();
    let catalogue = Catalogue::builtin().unwrap();
    let targets = ["debian-13-5.4", "debian-13-4.14"]
        .map(|id| catalogue.platform(&index, id).unwrap().target(&Request::default()));
    let rows = latest(&index, &index.packages().collect::<Vec<_>>());
    for flags in [Flags::default(), Flags { with_test: true, ..Flags::default() }] {
        let request = MatrixRequest { targets: &targets, rows: rows.clone(), flags };
        let stop = Stop::new().with_steps(STEP_LIMIT / 100);
        let matrix = Matrix::decide(&index, request, &stop, &|_| {}).ok().unwrap();
        let not_told: Vec<String> = matrix
            .not_told()
            .map(|(platform, package, _)| format!("{} on {platform}", index.package_text(package)))
            .collect();
        assert_eq!(not_told, Vec::<String>::new());
    }
}
