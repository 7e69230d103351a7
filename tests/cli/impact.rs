//! What a change does: `impact`, `bounds` and `bisect`, on repositories made for it.

use crate::caravan::Place;
use crate::repositories::{git, write};
use std::path::{Path, PathBuf};

/// A repository on branch `main`: a compiler, a library, a user of it and a user of that.
fn repository(place: &Place) -> PathBuf {
    let root = place.path("repo");
    fs_err::create_dir_all(&root).unwrap();
    git(&root, &["init", "--quiet", "--initial-branch=main"]);
    for version in ["4.14.2", "5.4.0"] {
        write(&root, &format!("ocaml.{version}"), &format!("depends: \"ocaml-base-compiler\" {{= \"{version}\"}}"));
        write(&root, &format!("ocaml-base-compiler.{version}"), "flags: compiler");
    }
    write(
        &root,
        "lib.1.0",
        "depends: \"ocaml\"\nurl { src: \"https://example.org/1.tar.gz\" checksum: \"md5=00000000000000000000000000000000\" }",
    );
    write(
        &root,
        "user.1.0",
        "depends: [\n  \"ocaml\"\n  \"lib\" {>= \"1.0\"} # the library\n]\nrun-test: [\"make\" \"test\"]",
    );
    write(&root, "tool.1.0", "depends: \"user\"");
    commit(&root, "the beginning");
    root
}

fn commit(root: &Path, message: &str) {
    git(root, &["add", "."]);
    git(root, &["commit", "--quiet", "-m", message]);
}

fn shown(place: &Place, arguments: &[&str]) -> String {
    place.show(place.command(arguments).current_dir(place.path("repo")))
}

#[test]
fn a_working_tree() {
    let place = Place::new();
    let root = repository(&place);
    insta::assert_snapshot!("nothing_changed", shown(&place, &["impact"]));
    // New files count although git does not know them yet.
    write(&root, "lib.1.1", "depends: \"ocaml\"");
    write(&root, "user.1.0", "depends: [ \"ocaml\" \"lib\" {>= \"1.0\" & < \"1.0\"} ]\nrun-test: [\"make\" \"test\"]");
    insta::assert_snapshot!("a_working_tree", shown(&place, &["impact"]));
}

#[test]
fn a_branch() {
    let place = Place::new();
    let root = repository(&place);
    git(&root, &["checkout", "--quiet", "-b", "feature"]);
    write(&root, "lib.2.0", "depends: \"ocaml\" {>= \"5.0\"}");
    commit(&root, "lib 2.0");
    // What happens on the target branch meanwhile is not the branch's doing.
    git(&root, &["checkout", "--quiet", "main"]);
    write(&root, "other.1.0", "");
    commit(&root, "something else");
    git(&root, &["checkout", "--quiet", "feature"]);
    insta::assert_snapshot!("a_branch", shown(&place, &["impact", "--head", "feature"]));
    insta::assert_snapshot!("a_comment", shown(&place, &["impact", "--format", "markdown"]));
    insta::assert_snapshot!("a_budget", shown(&place, &["impact", "--ocaml", "5.4", "--budget", "1"]));
    // On the target branch a commit is compared with its first parent, and any state with any other.
    let other = shown(&place, &["impact", "--head", "main", "--ocaml", "5.4"]);
    assert!(other.contains("other.1.0  new package") && !other.contains("lib.2.0"), "{other}");
    let both = shown(&place, &["impact", "--base", "feature", "--head", "main", "--ocaml", "5.4"]);
    assert!(both.contains("other.1.0  new package") && both.contains("lib.2.0    deleted"), "{both}");
}

#[test]
fn packages_of_a_directory() {
    let place = Place::new();
    repository(&place);
    let more = place.path("more");
    write(&more, "lib.1.2", "depends: [\"ocaml\" \"typo\"]");
    write(&more, "lib.1.0", "depends: \"ocaml\" {< \"5\"}");
    let more = more.display().to_string();
    insta::assert_snapshot!("packages_of_a_directory", shown(&place, &["impact", "--add", &more]));
    let annotations = shown(&place, &["impact", "--add", &more, "--format", "github"]);
    insta::assert_snapshot!("annotations", annotations);
}

#[test]
fn a_repository_over_another() {
    let place = Place::new();
    let root = repository(&place);
    let over = place.path("over");
    write(&over, "lib.1.0", "depends: \"ocaml\"");
    write(&root, "lib.1.0", "depends: \"nowhere\"");
    let [root, over] = [&root, &over].map(|path| path.display().to_string());
    let both = |precedence: &str| {
        let repositories = ["--repo", &root, "--repo", &over, "--repo-precedence", precedence];
        shown(&place, &[&["impact", "--ocaml", "5.4"], &repositories[..]].concat())
    };
    // The one that changes counts, or the other one hides what it does.
    let first = both("first");
    assert!(first.starts_with("exit code: 1") && first.contains("user.1.0 requires lib"), "{first}");
    let last = both("last");
    assert!(last.starts_with("exit code: 0") && last.contains("nothing is affected"), "{last}");
}

#[test]
fn directories_without_a_history() {
    let place = Place::new();
    for (directory, version) in [("old", "1"), ("new", "2")] {
        write(&place.path(directory), &format!("a.{version}"), "");
    }
    let [old, new] = ["old", "new"].map(|part| place.path(part).display().to_string());
    insta::assert_snapshot!("no_history", place.run(&["impact", "--repo", &new]));
    let both = place.run(&["impact", "--repo", &new, "--base", &old]);
    assert!(both.contains("a.1  deleted") && both.contains("a.2  new release"), "{both}");
}

#[test]
fn what_cannot_be_told_is_code_2() {
    let place = Place::new();
    let root = repository(&place);
    write(&root, "lib.1.1", "depends: \"ocaml\"");
    insta::assert_snapshot!("no_such_revision", shown(&place, &["impact", "--head", "nowhere"]));
    insta::assert_snapshot!("no_time", shown(&place, &["impact", "--time-limit", "0"]));
    assert!(shown(&place, &["impact", "--at", "main"]).starts_with("exit code: 2"));
    let unknown = shown(&place, &["impact", "--ocaml", "7.1"]);
    assert!(unknown.starts_with("exit code: 2") && unknown.contains("no version `7.1` of `ocaml`"), "{unknown}");
    let format = shown(&place, &["solve", "lib", "--format", "markdown"]);
    assert!(format.starts_with("exit code: 2") && format.contains("does not know `--format markdown`"), "{format}");
}

#[test]
fn a_broken_file_breaks_the_change_and_nothing_else() {
    let place = Place::new();
    let root = repository(&place);
    write(&root, "lib.1.1", "depends: [ \"ocaml\"");
    write(&root, "new.1", "");
    fs_err::write(root.join("packages/lib/README"), "not a package").unwrap();
    insta::assert_snapshot!("a_broken_file", shown(&place, &["impact", "--ocaml", "5.4"]));
}

#[test]
fn names_that_are_gone() {
    let place = Place::new();
    let root = repository(&place);
    fs_err::remove_dir_all(root.join("packages/lib")).unwrap();
    insta::assert_snapshot!("names_that_are_gone", shown(&place, &["impact", "--ocaml", "5.4"]));
}

#[test]
fn circles_that_are_made() {
    let place = Place::new();
    let root = repository(&place);
    write(&root, "lib.1.0", "depends: [\"ocaml\" \"tool\" | \"ocaml\"]");
    insta::assert_snapshot!("circles_that_are_made", shown(&place, &["impact", "--ocaml", "5.4"]));
}

#[test]
fn bounds_for_what_broke() {
    let place = Place::new();
    let root = repository(&place);
    write(&root, "lib.2.0", "depends: \"ocaml\"");
    let list = place.path("broken.txt");
    fs_err::write(&list, "# what failed\nuser.1.0\ntool.1.0 # needs user\n").unwrap();
    let list = list.display().to_string();
    insta::assert_snapshot!("bounds", shown(&place, &["bounds", "--broken-from", &list]));
    insta::assert_snapshot!("bounds_json", shown(&place, &["bounds", "--broken", "user.1.0", "--format", "json"]));
    insta::assert_snapshot!("bounds_of_what", shown(&place, &["bounds", "--broken", "user"]));
    // The patch is one that git takes, and then they are kept apart.
    let patch = place.command(&["bounds", "--broken", "user.1.0"]).current_dir(&root).output().unwrap();
    fs_err::write(place.path("patch"), patch.stdout).unwrap();
    git(&root, &["apply", &place.path("patch").display().to_string()]);
    let apart = shown(&place, &["solve", "user.1.0", "lib.2.0", "--ocaml", "5.4"]);
    assert!(apart.contains("user.1.0 requires lib >= 1.0 & < 2.0"), "{apart}");
}

#[test]
fn the_commit_that_did_it() {
    let place = Place::new();
    let root = repository(&place);
    write(&root, "lib.1.0", "depends: \"ocaml\" {< \"5\"}");
    commit(&root, "lib is for OCaml 4");
    write(&root, "other.1.0", "");
    commit(&root, "something else");
    let all = |arguments: &[&str]| shown(&place, &[&["bisect", "--ocaml", "5.4"], arguments].concat());
    insta::assert_snapshot!("the_commit_that_did_it", all(&["tool"]));
    insta::assert_snapshot!("no_commit_did_it", all(&["ocaml"]));
    insta::assert_snapshot!("not_before", all(&["tool", "--head", "main~1", "--base", "main"]));
    let solution = all(&["tool", "--for", "solution", "--all", "--format", "json"]);
    assert!(solution.contains("\"schema\": \"caravan.bisect/1\"") && solution.contains("\"commits\": 3"), "{solution}");
}
