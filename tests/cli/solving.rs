//! Snapshots of `caravan solve` and `caravan installable` beyond the first answer: explanations,
//! several platforms, policies, problems in JSON, projects that pin.

use crate::caravan::{Place, examples};
use insta::assert_snapshot;

fn run(arguments: &[&str]) -> String {
    let repo = examples();
    Place::new().run(&[arguments, &["--repo", &repo]].concat())
}

#[test]
fn versions_are_explained() {
    assert_snapshot!(run(&["solve", "caravan-demo", "--explain-versions", "--verbose"]));
    assert_snapshot!(run(&["solve", "saffron", "--ocaml", "4.14", "--explain-versions", "--format", "json"]));
}

#[test]
fn facts_have_a_file_and_a_line() {
    assert_snapshot!(run(&["solve", "stuck-old", "--verbose"]));
    assert_snapshot!(run(&["solve", "tent-both", "-v"]));
}

#[test]
fn an_answer_is_checked() {
    assert_snapshot!(run(&["solve", "saffron", "--check"]));
}

#[test]
fn several_platforms() {
    let platforms = ["--platform", "linux/x86_64/debian-13", "--platform", "macos/arm64", "--platform", "win32/x86_64"];
    let with = |arguments: &[&str]| run(&[arguments, &platforms].concat());
    assert_snapshot!(with(&["solve", "sandbox", "caravan-log"]));
    assert_snapshot!(with(&["solve", "ocaml>=6"]));
    assert_snapshot!(with(&["solve", "saffron", "--same-versions"]));
    assert_snapshot!(with(&["solve", "mingw-shims"]));
    assert_snapshot!(run(&["solve", "caravan-log", "--platform", "linux"]));
    assert_snapshot!(run(&["solve", "caravan-log", "--platform", "linux/arm64", "--arch", "x86_64"]));
}

#[test]
fn the_oldest_and_what_else_is_pushed_down() {
    assert_snapshot!(run(&[
        "solve",
        "saffron",
        "--prefer",
        "oldest",
        "--push-down",
        "compilers",
        "--push-down",
        "conf"
    ]));
}

#[test]
fn versions_to_avoid() {
    assert_snapshot!(run(&["solve", "ocaml-base-compiler>=5.5~", "--avoid", "never"]));
    assert_snapshot!(run(&["solve", "ocaml-base-compiler>=5.5~", "--avoid", "if-needed"]));
    assert_snapshot!(run(&["solve", "camel-build", "--avoid", "ignore", "--dialect", "opam-0install"]));
}

#[test]
fn a_problem_in_json() {
    let place = Place::new();
    let file = place.path("here/problem.json");
    let file = file.to_str().unwrap();
    let problem = r#"{
  "setting": {
    "platform": { "os": "linux", "arch": "x86_64", "opam-version": "2.6.1" },
    "dialect": "solver-service",
    "pins": [ { "name": "mine", "version": "dev", "opam": "opam-version: \"2.0\"\ndepends: [ \"saffron\" {< \"2\"} \"caravan-check\" {with-test} ]" } ]
  },
  "request": {
    "roots": [
      { "name": "ocaml", "constraints": [ ">= 5.0", "< 5.4~" ] },
      { "name": "mine", "flags": { "with_test": true } }
    ],
    "time_limit_ms": 60000
  }
}"#;
    fs_err::write(file, problem).unwrap();
    let repo = examples();
    assert_snapshot!(place.run(&["solve", "--problem", file, "--repo", &repo]));
    fs_err::write(file, problem.replace("\"roots\"", "\"rots\"")).unwrap();
    assert_snapshot!(place.run(&["solve", "--problem", file, "--repo", &repo]));
    fs_err::write(file, problem.replace("depends: [", "depends: ((")).unwrap();
    assert_snapshot!(place.run(&["solve", "--problem", file, "--repo", &repo]));
}

#[test]
fn no_time_at_all() {
    assert_snapshot!(run(&["solve", "caravan-demo", "--time-limit", "soon"]));
    assert_snapshot!(run(&["solve", "caravan-demo", "--time-limit", "0"]));
}

#[test]
fn a_project_that_pins() {
    let place = Place::new();
    let project = place.path("here/project");
    let library = place.path("here/library");
    for directory in [&project, &library] {
        fs_err::create_dir_all(directory).unwrap();
    }
    let opam = |depends: &str, url: &str| {
        format!("opam-version: \"2.0\"\ndepends: [ {depends} ]\npin-depends: [ \"caravan-log.9\" \"{url}\" ]\n")
    };
    fs_err::write(
        library.join("caravan-log.opam"),
        "opam-version: \"2.0\"\nsynopsis: \"A fork\"\ndepends: \"ocaml\"\n",
    )
    .unwrap();
    let repo = examples();
    let solve = |url: &str| {
        fs_err::write(project.join("site.opam"), opam("\"caravan-log\"", url)).unwrap();
        place.run(&["solve", "./project", "--repo", &repo])
    };
    assert_snapshot!(solve("../library"));
    assert_snapshot!(solve("../nowhere.tar.gz"));
    // The same from a git repository.
    let git = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]).args(arguments).current_dir(&library);
        assert!(command.output().unwrap().status.success());
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "all"]);
    fs_err::remove_file(library.join("caravan-log.opam")).unwrap();
    assert_snapshot!(solve(&format!("git+file://{}#main", library.display())));
}

#[test]
fn what_can_be_installed() {
    assert_snapshot!(run(&["installable"]));
    assert_snapshot!(run(&["installable", "saffron", "caravan-demo", "-V", "--ocaml", "4.14", "--verbose"]));
    assert_snapshot!(run(&[
        "installable",
        "dune-sand",
        "mingw-shims",
        "--platform",
        "linux/x86_64/debian-13",
        "--platform",
        "win32/x86_64",
        "--format",
        "json"
    ]));
    assert_snapshot!(run(&["installable", "saffron.99"]));
}
