//! Questions about packages, asked of the example repository.

use caravan::answer::{ListingAnswer, PlatformSolution, ShowAnswer, SolveAnswer};
use caravan::{Answer, Context, Error, ErrorKind, Local, Options, Outcome, Question, Silent, Stop, ask};
use serde_json::{Value, json};

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/repository");

fn asked(question: Value, repository: &str) -> Result<Answer, Error> {
    let question: Question = serde_json::from_value(question).expect("it is a question");
    let cache = tempfile::tempdir().expect("there is place for a directory");
    let mut local = Local::new(Options {
        repositories: vec![repository.to_owned()],
        cache: Some(cache.path().to_owned()),
        ..Options::default()
    })?;
    ask(&question, &mut Context { repositories: &mut local, observer: &Silent, stop: &Stop::new() })
}

/// The answer, which its JSON has, too.
fn answer(question: Value) -> Answer {
    let answer = asked(question, REPOSITORY).expect("it has an answer");
    let json = answer.to_json().expect("it has a form");
    let read: Answer = serde_json::from_slice(&json).expect("it is an answer");
    assert_eq!(read.to_json().expect("it has a form"), json);
    answer
}

fn error(question: Value) -> Error {
    asked(question, REPOSITORY).expect_err("it has no answer")
}

fn platform() -> Value {
    json!({ "arch": "x86_64", "os": "linux", "os-distribution": "debian", "os-version": "13" })
}

fn pins() -> Value {
    json!([
        { "name": "mine", "version": "dev", "opam": "opam-version: \"2.0\"\ndepends: [\"caravan-log\"]\n" },
        { "name": "caravan-log", "version": "1.9", "opam": "opam-version: \"2.0\"\n" },
    ])
}

fn solve(roots: &[&str], members: Value) -> Value {
    let roots: Vec<Value> = roots.iter().map(|name| json!({ "name": name })).collect();
    let problem = json!({ "setting": { "platform": platform(), "pins": pins() }, "request": { "roots": roots } });
    let mut solve = json!({ "problem": problem });
    solve.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    json!({ "solve": solve })
}

fn solution(question: Value) -> SolveAnswer {
    match answer(question) {
        Answer::Solve(answer) => *answer,
        other => panic!("{other:?}"),
    }
}

fn packages(solution: &PlatformSolution) -> Vec<String> {
    let text = |package: &caravan::answer::Package| format!("{}.{}", package.name, package.version);
    solution.packages.iter().flatten().map(text).collect()
}

#[test]
fn roots_are_written_as_the_repository_has_them() {
    let found = solution(solve(&["SAFFRON", "MINE"], json!({ "ocaml": "5.3" })));
    assert_eq!(found.roots, ["saffron", "mine"]);
    assert_eq!(found.root_names, ["ocaml", "saffron", "mine"]);
    let found = packages(&found.answers[0]);
    for package in ["saffron.2.0", "mine.dev", "caravan-log.1.9", "ocaml.5.3.0"] {
        assert!(found.iter().any(|other| other == package), "{package} {found:?}");
    }
    assert_eq!(error(solve(&["saffran"], json!({}))).kind, ErrorKind::UnknownPackage);
}

#[test]
fn what_cannot_be_asked_together_is_said_before_anything_is_read() {
    for other in ["check", "explain_versions"] {
        let question = solve(&["saffron"], json!({ "same_versions": true, other: true }));
        assert_eq!(asked(question, "/nowhere").expect_err("it is wrong").kind, ErrorKind::Question);
    }
}

#[test]
fn places_are_there_if_they_are_wanted() {
    for places in [false, true] {
        let found = solution(solve(&["stuck-clash", "mine"], json!({ "places": places })));
        let why = found.answers[0].no_solution.as_ref().expect("there is no solution");
        let origins: Vec<_> = why.facts.iter().filter_map(|fact| fact.origin.as_ref()).collect();
        assert!(!origins.is_empty());
        for origin in origins {
            let ending = format!(": {}", origin.field);
            let is_place = |place: &String| place.contains("/opam:") && place.ends_with(&ending);
            assert_eq!(origin.place.as_ref().is_some_and(is_place), places, "{origin:?}");
        }
    }
}

#[test]
fn one_version_on_all_platforms() {
    let both = json!([platform(), { "arch": "arm64", "os": "macos" }]);
    let found = solution(solve(&["dune-sand"], json!({ "platforms": both, "same_versions": true })));
    assert_eq!((found.answers.len(), found.differing.is_some(), found.checked), (2, true, None));
    let found = solution(solve(&["dune-sand"], json!({ "platforms": both, "check": true })));
    assert_eq!((found.answers.len(), found.differing, found.checked), (2, None, Some(true)));
}

fn listing(kind: &str, members: Value) -> ListingAnswer {
    let mut listing = json!({ "setting": { "platform": platform() } });
    listing.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    match answer(json!({ kind: listing })) {
        Answer::Listing(answer) => *answer,
        other => panic!("{other:?}"),
    }
}

#[test]
fn of_each_name_only_the_newest_version_is_listed() {
    for like in [false, true] {
        let names = |all: bool| -> Vec<String> {
            let members = json!({ "packages": ["caravan-log"], "all_versions": all, "like_opam_repo_ci": like });
            listing("revdeps", members).packages.into_iter().map(|package| package.name).collect()
        };
        let (mut all, newest) = (names(true), names(false));
        let several = all.len();
        all.dedup();
        assert_eq!(all, newest);
        assert!(several > newest.len());
    }
    let wrong = error(json!({ "deps": { "packages": ["caravan-log"], "like_opam_repo_ci": true } }));
    assert_eq!(wrong.kind, ErrorKind::Question);
}

#[test]
fn edges_are_there_if_they_are_wanted() {
    let found = listing("deps", json!({ "packages": ["SAFFRON.2.0"], "edges": true }));
    assert_eq!(
        (found.targets, found.target_versions),
        (vec!["SAFFRON.2.0".to_owned()], vec!["saffron.2.0".to_owned()])
    );
    assert!(found.edges.is_some_and(|edges| edges.iter().any(|[from, _]| from == "saffron.2.0")));
    let found = listing("deps", json!({ "packages": ["saffron"] }));
    assert_eq!((found.edges, found.target_versions), (None, vec![]));
}

fn show(packages: &[&str]) -> ShowAnswer {
    let setting = json!({ "platform": platform(), "pins": pins() });
    match answer(json!({ "show": { "setting": setting, "packages": packages } })) {
        Answer::Show(answer) => *answer,
        other => panic!("{other:?}"),
    }
}

#[test]
fn opam_files_are_shown_byte_for_byte() {
    let file = |package: &str| {
        let (name, _) = package.split_once('.').expect("it has a version");
        fs_err::read(format!("{REPOSITORY}/packages/{name}/{package}/opam")).expect("it can be read")
    };
    let found = show(&["windows-line-ends", "saffron.1.0"]);
    assert_eq!(found.raw(), [file("windows-line-ends.1"), file("saffron.1.0")].concat());
    let pinned = show(&["caravan-log"]);
    assert_eq!(
        (pinned.packages[0].all_versions.as_slice(), pinned.raw()),
        (&["1.9".to_owned()][..], b"opam-version: \"2.0\"\n".to_vec())
    );
}

#[test]
fn nothing_that_matches_is_a_no() {
    let outcome = |patterns: &[&str]| answer(json!({ "list": { "patterns": patterns } })).outcome();
    assert_eq!(outcome(&["*saffron*"]), Outcome::Yes);
    assert_eq!(outcome(&["nothing-like-it"]), Outcome::No);
    assert_eq!(outcome(&[]), Outcome::Yes);
}

#[test]
fn what_can_be_installed_is_told_from_what_cannot() {
    let question =
        json!({ "installable": { "packages": ["stuck-clash", "SAFFRON"], "setting": { "platform": platform() } } });
    let found = answer(question);
    assert_eq!(found.outcome(), Outcome::No);
    let Answer::Installable(found) = found else { panic!("{found:?}") };
    assert_eq!(
        (&*found.answers[0].installable, &*found.answers[0].not_installable),
        (&["saffron.2.0".to_owned()][..], &["stuck-clash.1".to_owned()][..])
    );
}
