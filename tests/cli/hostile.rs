//! What a repository says is shown, never obeyed: by a terminal, by whatever reads lines, by the shell.

use crate::caravan::Place;
use std::path::Path;

const HEADER: &str = "opam-version: \"2.0\"\n";

/// A repository of a compiler and some packages, each `NAME.VERSION` with its text; as an argument of `--repo`.
fn repository(place: &Place, packages: &[(&str, &str)]) -> String {
    let root = place.path("hostile");
    let compiler = format!("{HEADER}flags: compiler\n");
    let ocaml = format!("{HEADER}depends: \"ocaml-base-compiler\" {{= \"5.4.0\"}}\n");
    let always = [("ocaml-base-compiler.5.4.0", compiler.as_str()), ("ocaml.5.4.0", ocaml.as_str())];
    for (package, text) in always.iter().chain(packages) {
        write_package(&root, package, text);
    }
    fs_err::write(root.join("repo"), HEADER).unwrap();
    root.display().to_string()
}

fn write_package(root: &Path, package: &str, text: &str) {
    let name = package.split_once('.').unwrap().0;
    let folder = root.join("packages").join(name).join(package);
    fs_err::create_dir_all(&folder).unwrap();
    fs_err::write(folder.join("opam"), text).unwrap();
}

/// Stdout and stderr, even with colours.
fn output(place: &Place, arguments: &[&str]) -> String {
    let output = place.command(arguments).output().unwrap();
    [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat()
}

/// Control characters that are not of the palette, and lines that are orders to GitHub's workflows.
#[track_caller]
fn assert_harmless(text: &str) {
    let without_styles: String = text
        .split("\x1b[")
        .enumerate()
        .map(|(place, part)| match part.split_once('m') {
            Some((numbers, rest)) if place > 0 && numbers.chars().all(|c| c.is_ascii_digit() || c == ';') => rest,
            _ => part,
        })
        .collect();
    let order = without_styles.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t'));
    assert_eq!(order, None, "{text:?}");
    for line in without_styles.lines() {
        assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "{line:?} of {text}");
    }
}

#[test]
fn a_terminal_gets_no_orders_from_opam_files() {
    let place = Place::new();
    let text = format!(
        "{HEADER}synopsis: \"x\x1b[2J\x1b]0;PWNED\x07 \u{9b}5m\"\n\
         description: \"\x1b]8;;http://evil\x07click\n::error::pwned\"\nmaintainer: \"\x1b[?25l\"\n\
         authors: \"a\x1b[5;7Hb\"\nhomepage: \"https://x\r\x1b[1A\"\n"
    );
    let unavailable = format!("{HEADER}available: os = \"\x1b]0;AV\x07\n::error::av\"\n");
    let bound = format!("{HEADER}depends: \"esc\" {{= \"\x1b[2J\" & os = \"a\n::error::filter ##[error]x\"}}\n");
    let broken = format!("{HEADER}depends: [ \x1b[2J \u{9b}5m )\n");
    let repo =
        repository(&place, &[("esc.1", &text), ("gone.1", &unavailable), ("bound.1", &bound), ("broken.1", &broken)]);
    for arguments in [
        &["show", "esc", "gone", "bound"][..],
        &["show", "broken.1"],
        &["solve", "esc"],
        &["solve", "gone"],
        &["solve", "bound"],
        &["solve", "broken.1"],
        &["list"],
        &["installable", "--verbose"],
        &["health", "--verbose"],
        &["health", "gone", "--format", "markdown"],
    ] {
        for color in ["always", "never"] {
            let shown = output(&place, &[arguments, &["--repo", &repo, "--color", color]].concat());
            assert!(!shown.is_empty(), "{arguments:?}");
            assert_harmless(&shown);
        }
    }
    let shown = output(&place, &["solve", "gone", "--repo", &repo]);
    assert!(shown.contains(r"\x1b]0;AV\x07\n::error::av"), "{shown}");
}

#[test]
fn what_programs_read_is_as_it_was_written() {
    let place = Place::new();
    let text = format!("{HEADER}synopsis: \"x\x1b[2J\"\n");
    let repo = repository(&place, &[("esc.1", &text)]);
    let raw = place.command(&["show", "esc", "--raw", "--repo", &repo]).output().unwrap();
    assert_eq!(String::from_utf8(raw.stdout).unwrap(), text);
}

#[test]
fn a_comment_and_annotations_have_no_lines_of_others() {
    let place = Place::new();
    let base = repository(&place, &[("ok.1", HEADER)]);
    let change = place.path("change");
    let filter = "os = \"a\n::error file=pwn::PWNED @here `|` </details><img src=x onerror=a>\"";
    write_package(&change, "ok.1", &format!("{HEADER}available: {filter}\n"));
    write_package(&change, "new.1", &format!("{HEADER}depends: \"ok\" {{{filter}}}\n"));
    write_package(&change, "needs.1", &format!("{HEADER}depends: \"ok\"\n"));
    let odd = change.join("packages/ok/ok.1\n::error::DIRNAME");
    fs_err::create_dir_all(&odd).unwrap();
    fs_err::write(odd.join("opam"), HEADER).unwrap();
    let change = change.display().to_string();
    let impact = |format: &str| {
        output(&place, &["impact", "--add", &change, "--repo", &base, "--format", format, "--color", "always"])
    };
    assert_harmless(&impact("text"));
    let markdown = impact("markdown");
    assert_harmless(&markdown);
    assert!(!markdown.contains("<img") && !markdown.contains("@here"), "{markdown}");
    for line in impact("github").lines() {
        assert!(line.starts_with("::"), "{line}");
        assert!(line.split("::").nth(1).is_some_and(|command| !command.contains("pwn")), "{line}");
    }
}

#[test]
fn a_package_is_no_option_of_a_command() {
    let place = Place::new();
    let needs = format!("{HEADER}depends: [\"--help\" \"ocaml\"]\n");
    let repo = repository(&place, &[("--help.1", HEADER), ("tool.1", &needs)]);
    let out = place.path("out");
    let directory = out.display().to_string();
    let status = place
        .command(&["builds", "tool", "--platform", "5.4", "--repo", &repo])
        .args(["--obuilder", &directory, "--dockerfile", &directory])
        .output()
        .unwrap();
    assert!(status.status.success(), "{status:?}");
    for file in ["debian-13-5.4.Dockerfile", "debian-13-5.4.spec"] {
        let text = fs_err::read_to_string(out.join(file)).unwrap();
        let line = text.lines().find(|line| line.contains("--help.1")).unwrap();
        assert!(line.contains("opam install -- "), "{line}");
    }
}

#[test]
fn a_name_of_70_000_characters_is_shown() {
    let place = Place::new();
    let repo = repository(&place, &[("ok.1", HEADER)]);
    let long = "a".repeat(70_000);
    for arguments in [&["solve", &long][..], &["show", &long], &["list", &long], &["revdeps", &long]] {
        let output = place.command(&[arguments, &["--repo", &repo]].concat()).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code().is_some_and(|code| code < 10) && !text.contains("panicked"), "{arguments:?}");
    }
    let versions = place.path("archive.json");
    let question = format!(
        "{{\"solve\":{{\"problem\":{{\"setting\":{{\"pins\":[{{\"name\":\"{long}\",\"version\":\"1\",\"opam\":\"opam-version: \\\"2.0\\\"\"}}]}},\"request\":{{\"roots\":[{{\"name\":\"{long}\"}}]}}}}}}}}"
    );
    fs_err::write(&versions, question).unwrap();
    let output = place.command(&["ask", &versions.display().to_string(), "--repo", &repo]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
