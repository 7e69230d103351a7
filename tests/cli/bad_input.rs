//! Snapshots of what a person sees when something is wrong, with the exit codes of the table in
//! README.md.

use crate::caravan::{Place, examples, fixture, workspace};
use insta::assert_snapshot;

fn run(arguments: &[&str]) -> String {
    let repo = examples();
    Place::new().run(&[arguments, &["--repo", &repo]].concat())
}

#[test]
fn an_unknown_package() {
    assert_snapshot!(run(&["solve", "safron"]));
    assert_snapshot!(run(&["revdeps", "caravan_log"]));
    assert_snapshot!(run(&["show", "qqqqqqqq"]));
}

#[test]
fn an_unknown_version() {
    assert_snapshot!(run(&["solve", "saffron.9"]));
    assert_snapshot!(run(&["revdeps", "saffron>9"]));
    assert_snapshot!(run(&["solve", "saffron", "--ocaml", "6"]));
}

#[test]
fn a_constraint_that_is_none() {
    assert_snapshot!(run(&["solve", "saffron=>2"]));
    assert_snapshot!(run(&["solve", "saffron>="]));
    assert_snapshot!(run(&["solve", "saffron>=1:2"]));
    assert_snapshot!(run(&["solve", "1.2"]));
    assert_snapshot!(run(&["solve", "saffron", "--var", "=x"]));
    assert_snapshot!(run(&["solve", "saffron", "--ocaml", "new est"]));
}

#[test]
fn an_empty_directory() {
    let place = Place::new();
    let empty = place.path("here").display().to_string();
    assert_snapshot!(place.run(&["solve", "x", "--repo", &empty]));
    assert_snapshot!(place.run(&["solve", "x", "--repo", "/no/such/directory"]));
    assert_snapshot!(place.run(&["solve", ".", "--repo", &examples()]));
}

#[test]
fn a_file_that_is_no_repository() {
    let place = Place::new();
    let file = workspace().join("rustfmt.toml").display().to_string();
    assert_snapshot!(place.run(&["solve", "x", "--repo", &file]));
    let cut = place.path("cut.tar.gz");
    fs_err::write(&cut, b"\x1f\x8b\x08\x00\x00\x00\x00\x00").unwrap();
    assert_snapshot!(place.run(&["solve", "x", "--repo", &cut.display().to_string()]));
}

#[test]
fn a_revision_that_does_not_exist() {
    let place = Place::new();
    let here = place.path("here");
    assert_snapshot!(place.run(&["solve", "x", "--repo", &format!("{}#main", here.display())]));
    let git = |arguments: &[&str]| {
        let status = std::process::Command::new("git").args(arguments).current_dir(&here).status().unwrap();
        assert!(status.success());
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    assert_snapshot!(place.run(&["solve", "x", "--repo", &format!("{}#v1.0", here.display())]));
    assert_snapshot!(place.run(&["solve", "x", "--repo", &format!("{}#", here.display())]));
}

#[test]
fn a_broken_file_in_the_repository() {
    let place = Place::new();
    let repo = fixture("broken-repository");
    // The rest works, and what is set aside is said.
    assert_snapshot!(place.run(&["solve", "fine", "bad", "odd", "--repo", &repo]));
    // Asking for exactly that version says why it is missing.
    assert_snapshot!(place.run(&["solve", "bad.2", "--repo", &repo]));
    assert_snapshot!(place.run(&["show", "bad.2", "--repo", &repo]));
    assert_snapshot!(place.run(&["parse", &repo]));
    assert_snapshot!(place.run(&["parse", &repo, "--format", "json"]));
}

#[test]
fn a_broken_file_at_the_root_of_a_solve() {
    assert_snapshot!(run(&["solve", &fixture("broken-project")]));
}

#[test]
fn a_read_only_cache_directory() {
    let place = Place::new();
    // Nobody can make directories in sysfs, not even root; the reason differs from system to system.
    let run = |arguments: &[&str]| {
        let shown = place.run(&[arguments, &["--cache-dir", "/sys/caravan"]].concat());
        let (before, after) = shown.split_once("`/sys/caravan`: ").unwrap();
        format!("{before}`/sys/caravan`: [REASON]{}", &after[after.find('\n').unwrap()..])
    };
    assert_snapshot!(run(&["solve", "tent-a", "--repo", &examples()]));
    assert_snapshot!(run(&["solve", "x", "--repo", "https://example.invalid/x.git"]));
}

#[test]
fn a_full_cache_directory() {
    let place = Place::new();
    // A limit on the size of files stands for a full disk: writing fails in the middle.
    let mut shell = std::process::Command::new("sh");
    let caravan = place.command(&["solve", "tent-a", "--repo", &examples()]);
    shell
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""])
        .arg(caravan.get_program())
        .args(caravan.get_args());
    for (name, value) in caravan.get_envs() {
        if let Some(value) = value {
            shell.env(name, value);
        }
    }
    let shown = place.show(&mut shell);
    assert_snapshot!(shown);
    let left: Vec<_> = fs_err::read_dir(place.path("cache/index")).unwrap().collect();
    assert!(left.is_empty(), "nothing half-written stays: {left:?}");
}

#[test]
fn a_wrong_command_line() {
    assert_snapshot!(run(&["solv", "x"]));
    assert_snapshot!(run(&["solve"]));
    assert_snapshot!(run(&["parse", "x.opam"]));
}
