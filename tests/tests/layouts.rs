//! Where packages are found in a repository: rules N5 and R1 to R6, the same from a directory, a commit
//! and an archive.

use opam_parser::file::OpamFile;
use opam_parser::index::{Index, Precedence};
use opam_parser::name::split_package;
use opam_parser::source::archive::ArchiveSource;
use opam_parser::source::directory::DirectorySource;
use opam_parser::source::git::GitSource;
use std::path::Path;
use std::process::Command;

struct Repository {
    folder: tempfile::TempDir,
}

impl Repository {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("repo");
        fs_err::create_dir_all(root.join("packages")).unwrap();
        for (path, body) in files {
            let path = root.join("packages").join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            let head = if path.ends_with("opam") { "opam-version: \"2.0\"\n" } else { "" };
            fs_err::write(path, format!("{head}{body}")).unwrap();
        }
        Self { folder }
    }

    fn root(&self) -> std::path::PathBuf {
        self.folder.path().join("repo")
    }

    fn directory(&self) -> Index {
        caravan_tests::index_of(&DirectorySource::open(&self.root()).unwrap())
    }

    /// The same repository from each kind of source.
    fn indexes(&self) -> [Index; 3] {
        let root = self.root();
        let run = |command: &mut Command| {
            let output = command.current_dir(&root).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        run(Command::new("git").args(["init", "--quiet", "--initial-branch=main"]));
        run(Command::new("git").args(["add", "--all", "--force", "."]));
        let identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
        run(Command::new("git").args(identity).args(["commit", "--quiet", "--allow-empty", "-m", "all"]));
        let archive = self.folder.path().join("repo.tar.gz");
        run(Command::new("tar").arg("czf").arg(&archive).arg("packages"));
        [
            self.directory(),
            caravan_tests::index_of(&GitSource::open(&root, "main").unwrap()),
            caravan_tests::index_of(&ArchiveSource::open(&archive).unwrap()),
        ]
    }
}

fn packages(index: &Index) -> Vec<String> {
    index.packages().map(|package| format!("{} {}", index.package_text(package), index.synopsis(package))).collect()
}

fn check(files: &[(&str, &str)], expected: &[&str]) {
    for index in Repository::new(files).indexes() {
        assert_eq!(packages(&index), expected);
    }
}

#[test]
fn any_depth_and_names_from_the_directory() {
    check(
        &[
            ("a/a.1/opam", "synopsis: \"1\""),
            ("b.1/opam", "synopsis: \"2\""),
            ("x/y/z/c.1/opam", "synopsis: \"3\""),
            ("i/i.1/opam", "synopsis: \"4\""),
            ("i/i.1/sub/j.1/opam", "synopsis: \"not found\""),
            ("d/e.1/opam", "synopsis: \"5\""),
            ("f/f/opam", "synopsis: \"no version\""),
            ("h/h.b c/opam", "synopsis: \"no name\""),
            ("11/11.1/opam", "synopsis: \"no letter\""),
            ("k/k.1/k.opam", "synopsis: \"another file\""),
            ("v/v.1/opam", "version: \"7\" name: \"w\" synopsis: \"6\""),
        ],
        &["a.1 1", "b.1 2", "c.1 3", "e.1 5", "i.1 4", "v.1 6"],
    );
}

#[test]
fn of_equal_versions_the_last_one_walked_counts() {
    check(
        &[
            ("m/m.1.0/opam", "synopsis: \"first\""),
            ("m/m.1.00/opam", "synopsis: \"last\""),
            ("p/p.1/opam", "synopsis: \"of p\""),
            ("q/p.1/opam", "synopsis: \"of q\""),
        ],
        &["m.1.00 last", "p.1 of q"],
    );
}

#[test]
fn companion_files_count_where_the_opam_file_is_silent() {
    let files = [
        ("a/a.1/opam", ""),
        ("a/a.1/descr", "From descr\nand more"),
        ("a/a.1/url", "git: \"https://example.org/a.git\""),
        ("b/b.1/opam", "synopsis: \"own\"\nurl { src: \"https://example.org/b.tar.gz\" }"),
        ("b/b.1/descr", "not used"),
        ("b/b.1/url", "git: \"https://example.org/b.git\""),
    ];
    check(&files, &["a.1 From descr", "b.1 own"]);
    let index = Repository::new(&files).directory();
    let dev: Vec<bool> = index.packages().map(|package| index.is_dev(package)).collect();
    assert_eq!(dev, [true, false]);
}

#[test]
fn a_broken_file_takes_nothing_else_down() {
    for index in Repository::new(&[("a/a.1/opam", "depends: ["), ("a/a.2/opam", "depends: \"b\"")]).indexes() {
        assert_eq!(packages(&index), ["a.2 "]);
        let broken: Vec<String> = index.broken_files().map(|file| index.file_text(file)).collect();
        assert_eq!(broken, ["a.1"]);
        let file = index.broken_files().next().unwrap();
        let (found, position) = index.problems(file).next().unwrap();
        assert_eq!(
            (found.message.as_str(), position.unwrap().line),
            ("expected a value or `]`, found the end of the file", 2)
        );
    }
}

#[test]
fn links_and_odd_entries_do_no_harm() {
    let repository = Repository::new(&[("a/a.1/opam", ""), ("README", "text")]);
    let packages_directory = repository.root().join("packages");
    let link =
        |target: &str, at: &str| fs_err::os::unix::fs::symlink(Path::new(target), packages_directory.join(at)).unwrap();
    link("nowhere", "dangling");
    link("loop", "loop");
    link("a.1", "a/a.2");
    fs_err::create_dir_all(packages_directory.join("d/d.1/opam")).unwrap();
    // opam follows links to directories.
    assert_eq!(packages(&repository.directory()), ["a.1 ", "a.2 "]);
}

#[test]
fn overlays_and_pins() {
    let one = Repository::new(&[("a/a.1/opam", "synopsis: \"one\""), ("b/b.1/opam", "")]).directory();
    let two = Repository::new(&[("a/a.1/opam", "synopsis: \"two\""), ("a/a.2/opam", "synopsis: \"two\"")]).directory();
    let first = Index::overlay(&[&one, &two], Precedence::FirstWins).unwrap();
    assert_eq!(packages(&first), ["a.1 one", "a.2 two", "b.1 "]);
    let last = Index::overlay(&[&one, &two], Precedence::LastWins).unwrap();
    assert_eq!(packages(&last), ["a.1 two", "a.2 two", "b.1 "]);
    assert_eq!(first.layer_count(), 2);
    let a1 = last.packages().next().unwrap();
    assert_eq!(last.file(last.package_file(a1)).layer, 1);
    let pin = OpamFile::parse(b"opam-version: \"2.0\" synopsis: \"pinned\" depends: \"b\"").file.unwrap();
    let (name, version) = split_package("a.dev").unwrap();
    let pinned = last.with_pins(&[(name, version, pin)]).unwrap();
    assert_eq!(packages(&pinned), ["a.dev pinned", "b.1 "]);
    // An overlay of one is that one.
    assert!(Index::overlay(&[&one], Precedence::FirstWins).unwrap().as_bytes() == one.as_bytes());
}
