//! Limits of time and Ctrl-C: what is known by then is the answer.

use crate::caravan::{Place, examples};
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A repository with a package of which no search finds out soon whether it can be installed.
fn puzzle(place: &Place) -> String {
    let root = place.path("puzzle");
    let mut packages = caravan_tests::pigeon_packages(20);
    packages.push(("good.1".to_owned(), String::new()));
    for (package, text) in packages {
        let folder = root.join("packages").join(package.split_once('.').unwrap().0).join(&package);
        fs_err::create_dir_all(&folder).unwrap();
        fs_err::write(folder.join("opam"), format!("opam-version: \"2.0\"\n{text}\n")).unwrap();
    }
    fs_err::write(root.join("repo"), "opam-version: \"2.0\"\n").unwrap();
    root.display().to_string()
}

#[test]
fn a_time_limit_leaves_what_is_known() {
    let place = Place::new();
    let repo = puzzle(&place);
    let output = place
        .command(&["installable", "--time-limit", "0.5", "--step-limit", "1000000000000", "--repo", &repo])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(7), "{text}");
    assert!(text.contains("flock.1") && text.contains("not told: the time limit was reached"), "{text}");
    assert!(text.contains("of 2") || text.contains("could not be told"), "{text}");
    let output = place
        .command(&["solve", "flock", "--time-limit", "0.1", "--step-limit", "1000000000000", "--repo", &repo])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(7));
}

#[test]
fn no_time_at_all_is_none_not_no_limit() {
    let place = Place::new();
    let question = place.path("question.json");
    for kind in [
        r#"{"solve":{"problem":{"request":{"roots":[{"name":"caravan-demo"}],"time_limit_ms":0}}}}"#,
        r#"{"installable":{"time_limit_ms":0}}"#,
        r#"{"health":{"time_limit_ms":0}}"#,
    ] {
        fs_err::write(&question, kind).unwrap();
        let output = place.command(&["ask", &question.display().to_string(), "--repo", &examples()]).output().unwrap();
        assert_eq!(output.status.code(), Some(7), "{kind}: {output:?}");
    }
}

#[test]
fn ctrl_c_ends_with_what_is_known() {
    let place = Place::new();
    let repo = puzzle(&place);
    let mut child = place
        .command(&["installable", "--verbose", "--step-limit", "1000000000000", "--repo", &repo])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Long enough for the rest to be known, however slow the machine: what is asserted of it is only said below.
    std::thread::sleep(Duration::from_secs(2));
    let pressed = Instant::now();
    let id = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGINT).unwrap();
    let status = child.wait().unwrap();
    let took = pressed.elapsed();
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(status.code(), Some(130), "{text}");
    assert!(text.contains("flock.1") && text.contains("not told: it was cancelled"), "{text}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_reader_that_has_seen_enough_does_not_change_the_code() {
    let place = Place::new();
    let run = |arguments: &[&str]| {
        let mut child = place
            .command(&[arguments, &["--repo", &examples()]].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        child.wait().unwrap().code()
    };
    assert_eq!(run(&["list"]), Some(0));
    assert_eq!(run(&["solve", "stuck-clash"]), Some(1));
}

#[test]
fn a_user_without_a_variable_home_has_a_home() {
    let place = Place::new();
    let mut command: Command = place.command(&["cache", "path"]);
    let output = command.env_remove("HOME").env_remove("CARAVAN_CACHE_DIR").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text.trim_end().ends_with("/.cache/caravan"), "{text}");
}

#[test]
fn a_lock_of_a_project_with_a_field_that_nobody_knows() {
    let place = Place::new();
    let project = place.path("here/project");
    fs_err::create_dir_all(&project).unwrap();
    let text = "opam-version: \"2.0\"\nname: \"mine\"\nno-such-field: \"x\"\ndepends: [\"caravan-log\"]\n";
    fs_err::write(project.join("mine.opam"), text).unwrap();
    let project = project.display().to_string();
    let output = place.command(&["lock", &project, "--repo", &examples()]).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(!text.contains("bug of caravan"), "{text}");
}
