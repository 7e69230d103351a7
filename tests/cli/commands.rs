//! Snapshots of what a person sees, on the example repository.

use crate::caravan::{Place, examples, fixture};
use insta::assert_snapshot;

fn run(arguments: &[&str]) -> String {
    let repo = examples();
    Place::new().run(&[arguments, &["--repo", &repo]].concat())
}

#[test]
fn solve() {
    assert_snapshot!(run(&["solve", "caravan-demo"]));
}

#[test]
fn solve_with_everything() {
    assert_snapshot!(run(&[
        "solve",
        "saffron>=1.0",
        "caravan-fmt",
        "--ocaml",
        "5.4",
        "--with-test",
        "--with-doc",
        "--with-dev-setup"
    ]));
}

#[test]
fn solve_the_oldest() {
    assert_snapshot!(run(&["solve", "saffron", "--prefer", "oldest"]));
}

#[test]
fn solve_on_another_platform() {
    assert_snapshot!(run(&["solve", "caravan-demo", "--os", "macos", "--arch", "arm64", "--distro", "homebrew"]));
}

#[test]
fn solve_an_avoided_version_only_when_asked() {
    assert_snapshot!(run(&["solve", "ocaml-base-compiler"]));
    assert_snapshot!(run(&["solve", "ocaml-base-compiler.5.5.0~beta1"]));
}

#[test]
fn solve_a_project() {
    assert_snapshot!(run(&["solve", &fixture("project")]));
}

#[test]
fn solve_as_json() {
    assert_snapshot!(run(&["solve", "dialect", "--format", "json", "--var", "sys-ocaml-version="]));
}

#[test]
fn no_solution() {
    assert_snapshot!(run(&["solve", "stuck-old"]));
    assert_snapshot!(run(&["solve", "stuck-missing"]));
    assert_snapshot!(run(&["solve", "stuck-clash"]));
    assert_snapshot!(run(&["solve", "never"]));
    assert_snapshot!(run(&["solve", "tent-both"]));
    assert_snapshot!(run(&["solve", "caravan-demo.2.0", "--ocaml", "4.14"]));
}

#[test]
fn no_solution_as_json() {
    assert_snapshot!(run(&["solve", "stuck-clash", "--format", "json"]));
}

#[test]
fn list() {
    assert_snapshot!(run(&["list", "caravan-*", "SAFFRON"]));
    assert_snapshot!(run(&["list", "ocaml*", "-V", "-A"]));
    assert_snapshot!(run(&["list", "nothing-like-it"]));
}

#[test]
fn list_as_json() {
    assert_snapshot!(run(&["list", "caravan-log", "-V", "--format", "json"]));
}

#[test]
fn show() {
    assert_snapshot!(run(&["show", "saffron", "quotes"]));
    assert_snapshot!(run(&["show", "ocaml-system", "--raw"]));
}

#[test]
fn show_as_json() {
    assert_snapshot!(run(&["show", "caravan-log.0.9", "--format", "json"]));
}

#[test]
fn revdeps() {
    assert_snapshot!(run(&["revdeps", "caravan-log"]));
    assert_snapshot!(run(&["revdeps", "caravan-log.0.9", "-V"]));
    assert_snapshot!(run(&["revdeps", "oasis-pool>=0.5", "--depopts", "-V"]));
    assert_snapshot!(run(&["revdeps", "caravan-check", "--with-test"]));
    assert_snapshot!(run(&["revdeps", "conf-pkg", "--recursive"]));
}

#[test]
fn revdeps_that_can_be_installed() {
    assert_snapshot!(run(&["revdeps", "ocaml", "-V", "--installable", "--ocaml", "4.14"]));
    assert_snapshot!(run(&["revdeps", "ocaml", "--coinstallable-with", "saffron.2.0"]));
    assert_snapshot!(run(&["revdeps", "ocaml", "--resolve", "caravan-demo"]));
    assert_snapshot!(run(&["revdeps", "ocaml", "--resolve", "stuck-old"]));
    assert_snapshot!(run(&["revdeps", "caravan-log", "--like", "opam-repo-ci", "--ocaml", "5.4"]));
    assert_snapshot!(run(&["revdeps", "caravan-log", "--like", "opam-repo-ci", "--recursive"]));
}

#[test]
fn trees_and_graphs() {
    assert_snapshot!(run(&["revdeps", "caravan-log", "-r", "--tree"]));
    assert_snapshot!(run(&["deps", "caravan-demo", "-r", "--resolve", "caravan-demo", "--tree"]));
    assert_snapshot!(run(&["deps", "saffron.2.0", "--format", "dot"]));
    assert_snapshot!(run(&["deps", "saffron.2.0", "--tree", "--format", "json"]));
    assert_snapshot!(run(&["solve", "saffron", "--format", "dot"]));
}

#[test]
fn deps() {
    assert_snapshot!(run(&["deps", "saffron"]));
    assert_snapshot!(run(&["deps", "caravan-demo.2.0", "-r", "-V", "--with-test"]));
}

#[test]
fn revdeps_as_json() {
    assert_snapshot!(run(&["revdeps", "tea-tls", "--format", "json"]));
}

#[test]
fn parse_prints_in_normal_style() {
    let file = format!("{}/packages/quotes/quotes.1/opam", examples());
    assert_snapshot!(Place::new().run(&["parse", "--print", &file]));
}

#[test]
fn the_whole_example_repository_is_sound() {
    assert_snapshot!(Place::new().run(&["parse", &examples()]));
}

#[test]
fn cache() {
    let place = Place::new();
    assert_snapshot!(place.run(&["cache", "path"]), @r"
    exit code: 0
    --- stdout
    [PLACE]/cache
    ");
    place.run(&["list", "--repo", &examples()]);
    let info = place.run(&["cache", "info"]);
    assert!(info.contains("holds 1 indexes and 0 other files"), "{info}");
    let cleaned = place.run(&["cache", "clean"]);
    assert!(cleaned.contains("is clean; removed 1 indexes"), "{cleaned}");
    assert!(!place.path("cache").exists());
}

#[test]
fn completions_and_manual_pages() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = Place::new().run(&["completions", shell]);
        assert!(script.starts_with("exit code: 0") && script.contains("revdeps"), "{shell}");
    }
    let place = Place::new();
    let pages = place.path("man");
    assert!(place.run(&["man", &pages.display().to_string()]).starts_with("exit code: 0"));
    for page in ["caravan.1", "caravan-solve.1", "caravan-revdeps.1"] {
        assert!(pages.join(page).is_file(), "{page}");
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let place = Place::new();
    let mut command = place.command(&["list", "-V", "--repo", &examples()]);
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_answer_does_not_depend_on_the_number_of_threads() {
    let place = Place::new();
    let answers: Vec<String> = ["1", "2", "7"]
        .iter()
        .map(|threads| {
            fs_err::remove_dir_all(place.path("cache")).ok();
            place.show(
                place
                    .command(&["revdeps", "ocaml", "-r", "-V", "--repo", &examples()])
                    .env("RAYON_NUM_THREADS", threads),
            )
        })
        .collect();
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
}
