//! The walls between the crates: which crate names which, and which words the command line and the services must not
//! say because the library says them.

use caravan_tests::workspace;
use fs_err as fs;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Crates of this workspace that others may name.
const CRATES: [&str; 6] =
    ["opam-parser", "caravan-solver", "caravan-revdeps", "caravan-planning", "opam-caravan", "caravan-farm"];

/// The crates of ours in `[dependencies]` of a manifest.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(workspace().join(manifest)).unwrap();
    let table = text.split("\n[dependencies]\n").nth(1).unwrap();
    let table = table.split("\n[").next().unwrap();
    let name = |line: &str| line.split(['.', ' ', '=']).next().unwrap_or_default().to_owned();
    table.lines().map(name).filter(|name| CRATES.contains(&name.as_str())).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn crates_name_only_those_below_them() {
    assert_eq!(dependencies("opam-parser/Cargo.toml"), set(&[]));
    assert_eq!(dependencies("solver/Cargo.toml"), set(&["opam-parser"]));
    assert_eq!(dependencies("revdeps/Cargo.toml"), set(&["opam-parser", "caravan-solver"]));
    assert_eq!(dependencies("planning/Cargo.toml"), set(&["opam-parser", "caravan-solver"]));
    assert_eq!(
        dependencies("caravan/Cargo.toml"),
        set(&["opam-parser", "caravan-solver", "caravan-revdeps", "caravan-planning"])
    );
    // Services know a protocol and the library; the command line also reads single files for `parse`.
    assert_eq!(dependencies("farm/Cargo.toml"), set(&["opam-caravan"]));
    assert_eq!(dependencies("cli/Cargo.toml"), set(&["opam-caravan", "caravan-farm", "opam-parser"]));
}

#[test]
fn only_parse_reads_opam_files_in_the_command_line() {
    let naming: Vec<PathBuf> = sources(&workspace().join("cli/src"))
        .into_iter()
        .filter(|path| fs::read_to_string(path).unwrap().contains("opam_parser"))
        .collect();
    assert_eq!(naming, [workspace().join("cli/src/commands/parse.rs")]);
}

/// What carries out questions, in the library and below it.
const CARRYING_OUT: [&str; 17] = [
    "solve_until(",
    "solve_checked(",
    "solve_together(",
    "explain_versions(",
    "explain_facts(",
    "like_opam_repo_ci(",
    "coinstallable(",
    "RepositoryChange::new(",
    "Matrix::decide(",
    "Step::new(",
    "Matrix::new(",
    "Solver::new(",
    "View::new(",
    "View::of(",
    "Builds::of(",
    "Changes::of(",
    "Index::read(",
];

#[test]
fn the_command_line_and_the_services_carry_out_nothing() {
    for folder in ["cli/src", "farm/src"] {
        for path in sources(&workspace().join(folder)) {
            let text = fs::read_to_string(&path).unwrap();
            for word in CARRYING_OUT {
                assert!(!text.contains(word), "`{}` says `{word}…)`, which is the library's work", path.display());
            }
        }
    }
}

#[test]
fn no_crate_but_the_library_and_the_command_line_knows_a_terminal() {
    for folder in ["opam-parser/src", "solver/src", "revdeps/src", "planning/src", "farm/src"] {
        for path in sources(&workspace().join(folder)) {
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains("anstyle"), "`{}` knows colours", path.display());
        }
    }
}

// Written in two parts, so that this file does not say them.
const ALLOW: &str = concat!("#[", "allow(");
const ALLOW_ALL: &str = concat!("#![", "allow(");
const EXPECT: &str = concat!("[", "expect(");

#[test]
fn lints_are_expected_with_a_reason_and_never_only_allowed() {
    for folder in
        ["opam-parser", "solver", "revdeps", "planning", "caravan", "farm", "cli", "benches", "tests", "xtask"]
    {
        for path in sources(&workspace().join(folder)) {
            if path.components().any(|part| part.as_os_str() == "generated" || part.as_os_str() == "target") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains(ALLOW) && !text.contains(ALLOW_ALL), "`{}` allows a lint", path.display());
            for attribute in text.split(EXPECT).skip(1) {
                let attribute = attribute.split(")]").next().unwrap();
                assert!(attribute.contains("reason"), "`{}`: {attribute} has no reason", path.display());
            }
        }
    }
}

#[test]
fn the_code_map_names_what_there_is() {
    let text = fs::read_to_string(workspace().join("ARCHITECTURE.md")).unwrap();
    let everything =
        ["opam-parser", "solver", "revdeps", "planning", "caravan", "farm", "cli", "tests", "fuzz", "xtask", "benches"]
            .map(|folder| workspace().join(folder))
            .to_vec();
    // What stands under `CRATE/src`: is in that folder; before the code map and after it names may be of any crate.
    let mut folders = everything.clone();
    let (mut named, mut missing) = (0, Vec::new());
    for line in text.lines() {
        if line.starts_with("## ") {
            folders.clone_from(&everything);
        } else if let Some(folder) = line.strip_prefix('`').and_then(|rest| rest.split_once("`:"))
            && folder.0.ends_with("/src")
        {
            folders = vec![workspace().join(folder.0)];
        }
        for name in line.split('`').skip(1).step_by(2).filter(|name| names_a_file(name)) {
            named += 1;
            let exists = workspace().join(name).exists() || folders.iter().any(|folder| is_below(folder, name));
            if !exists {
                missing.push(format!("`{name}`: {line}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(named > 150, "{named} names were found");
}

/// Whether a text between backticks is the name of a file or a folder of ours.
fn names_a_file(text: &str) -> bool {
    let is_path = text.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-./".contains(letter));
    let is_file = [".rs", ".toml", ".json", ".html", ".md"].iter().any(|extension| text.ends_with(extension));
    is_path && (is_file || text.ends_with('/') && text != "packages/")
}

/// Whether a folder has a file or folder at a path, itself or in some folder of its own.
fn is_below(folder: &Path, path: &str) -> bool {
    let is_ours = |path: &Path| path.is_dir() && path.file_name().is_some_and(|name| name != "target");
    folder.join(path).exists()
        || fs::read_dir(folder).unwrap().any(|entry| {
            let entry = entry.unwrap().path();
            is_ours(&entry) && is_below(&entry, path)
        })
}

/// All Rust files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
