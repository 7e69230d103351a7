//! Folders and git repositories that were made to do harm: each limit is an error or a report that names the path, and what is not
//! concerned is read all the same.

use caravan_revdeps::bisect::{Bisect, Sought};
use caravan_solver::{Platform, Request, Stop};
use caravan_tests::git::opam;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use opam_parser::index::{BuildError, Index};
use opam_parser::source::archive::ArchiveSource;
use opam_parser::source::directory::DirectorySource;
use opam_parser::source::git::GitSource;
use opam_parser::source::history::History;
use opam_parser::source::{Source, SourceError};
use std::io::Write;
use std::path::{Path, PathBuf};

fn packages(index: &Index) -> Vec<String> {
    index.packages().map(|package| index.package_text(package)).collect()
}

fn broken(index: &Index) -> Vec<String> {
    let said = |file| {
        let (found, _) = index.problems(file).next().unwrap();
        format!("{}: {}", index.file_text(file), found.message)
    };
    index.broken_files().map(said).collect()
}

fn unread(index: &Index) -> Vec<String> {
    index.unread().map(|(_, unread)| format!("{} {}", unread.path, unread.reason)).collect()
}

/// A bare git repository whose objects have whatever ids and contents they are given.
struct Git {
    folder: tempfile::TempDir,
    objects: u32,
}

const TREE: &str = "40000";
const FILE: &str = "100644";

impl Git {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let status = std::process::Command::new("git")
            .args(["init", "--quiet", "--bare", "--initial-branch=main"])
            .current_dir(folder.path())
            .status();
        assert!(status.unwrap().success());
        Self { folder, objects: 0 }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, id: &str, header: &str, parts: impl Iterator<Item = Vec<u8>>) {
        let directory = self.path().join("objects").join(&id[..2]);
        fs_err::create_dir_all(&directory).unwrap();
        let mut file = ZlibEncoder::new(fs_err::File::create(directory.join(&id[2..])).unwrap(), Compression::fast());
        file.write_all(header.as_bytes()).unwrap();
        parts.for_each(|part| file.write_all(&part).unwrap());
        file.finish().unwrap();
    }

    fn id(&mut self) -> String {
        self.objects += 1;
        format!("{:08x}{:032x}", self.objects.wrapping_mul(0x9e37_79b9), self.objects)
    }

    fn object(&mut self, kind: &str, data: Vec<u8>) -> String {
        let id = self.id();
        self.write(&id, &format!("{kind} {}\0", data.len()), std::iter::once(data));
        id
    }

    fn tree(&mut self, entries: &[(&str, &str, &str)]) -> String {
        self.object("tree", tree(entries))
    }

    fn file(&mut self, body: &str) -> String {
        self.object("blob", opam(body).into_bytes())
    }

    /// The tree of a name with one version, of which the opam file is given.
    fn name(&mut self, package: &str, blob: &str) -> String {
        let directory = self.tree(&[(FILE, "opam", blob)]);
        self.tree(&[(TREE, package, &directory)])
    }

    /// The commit of a `packages/` with these entries, and of `ok.1`.
    fn commit(&mut self, entries: &[(&str, &str, &str)]) {
        let blob = self.file("");
        let ok = self.name("ok.1", &blob);
        let packages = self.tree(&[entries, &[(TREE, "ok", &ok)]].concat());
        self.commit_packages(TREE, &packages);
    }

    fn commit_packages(&mut self, mode: &str, packages: &str) {
        let root = self.tree(&[(mode, "packages", packages)]);
        let id = self.object("commit", commit(&root, ""));
        self.point_to(&id);
    }

    fn point_to(&self, id: &str) {
        fs_err::write(self.path().join("refs/heads/main"), format!("{id}\n")).unwrap();
    }

    fn source(&self) -> GitSource {
        GitSource::open(self.path(), "main").unwrap()
    }

    fn index(&self) -> Index {
        Index::read(&self.source()).unwrap()
    }

    fn refused(&self) -> String {
        Index::read(&self.source()).unwrap_err().to_string()
    }
}

fn tree(entries: &[(&str, &str, &str)]) -> Vec<u8> {
    let mut tree = Vec::new();
    for (mode, name, id) in entries {
        tree.extend(format!("{mode} {name}\0").into_bytes());
        tree.extend((0..40).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap()));
    }
    tree
}

fn commit(root: &str, parents: &str) -> Vec<u8> {
    let person = "Ada <ada@example.org> 1700000000 +0000";
    format!("tree {root}\n{parents}author {person}\ncommitter {person}\n\na change\n").into_bytes()
}

#[test]
fn git_trees_that_double() {
    let mut git = Git::new();
    let blob = git.object("blob", b"x".to_vec());
    let mut bomb = git.tree(&[(FILE, "x", &blob)]);
    for _ in 0..60 {
        bomb = git.tree(&[(TREE, "a", &bomb), (TREE, "b", &bomb)]);
    }
    git.commit(&[(TREE, "bomb", &bomb)]);
    let index = git.index();
    assert_eq!(packages(&index), ["ok.1"]);
    let deep = format!("packages/bomb/{} lies more than 32 directories deep, which is the limit", ["a"; 33].join("/"));
    assert_eq!(unread(&index), [&*deep, "packages/bomb has more than 20000 directories, which is the limit"]);
}

#[test]
fn git_repositories_of_bombs_are_refused() {
    let mut git = Git::new();
    let blob = git.object("blob", b"x".to_vec());
    let mut bomb = git.tree(&[(FILE, "x", &blob)]);
    for _ in 0..20 {
        bomb = git.tree(&[(TREE, "a", &bomb), (TREE, "b", &bomb)]);
    }
    let names: Vec<String> = (0..60).map(|number| format!("bomb{number}")).collect();
    let entries: Vec<_> = names.iter().map(|name| (TREE, name.as_str(), bomb.as_str())).collect();
    git.commit(&entries);
    let refused = git.refused();
    assert!(refused.ends_with("has more than 1000000 directories, which is the limit"), "{refused}");
}

#[test]
fn git_trees_in_a_circle() {
    let mut git = Git::new();
    let circle = "c".repeat(40);
    let data = tree(&[(TREE, "again", &circle)]);
    git.write(&circle, &format!("tree {}\0", data.len()), std::iter::once(data));
    git.commit(&[(TREE, "circle", &circle)]);
    assert_eq!(packages(&git.index()), ["ok.1"]);
    assert!(unread(&git.index())[0].ends_with("lies more than 32 directories deep, which is the limit"));
    // `packages` itself is the circle: there is nothing else.
    git.commit_packages(TREE, &circle);
    assert!(git.refused().contains("nothing in its `packages/` is a package"));
    // What differs between two such states is found, too.
    let history = History::open(git.path()).unwrap();
    assert!(history.differences("main", Some("main")).unwrap().is_empty());
}

#[test]
fn git_blobs_are_not_unpacked_to_see_their_size() {
    let mut git = Git::new();
    let (big, liar) = (git.id(), git.id());
    let mebibytes = 64;
    git.write(&big, &format!("blob {}\0", mebibytes << 20), (0..mebibytes).map(|_| vec![b' '; 1 << 20]));
    // Unpacking this one would ask for a terabyte.
    git.write(&liar, "blob 999999999999\0", std::iter::once(b"x".to_vec()));
    let (big, liar) = (git.name("big.1", &big), git.name("liar.1", &liar));
    git.commit(&[(TREE, "big", &big), (TREE, "liar", &liar)]);
    let index = git.index();
    assert_eq!(packages(&index), ["ok.1"]);
    let too_large = "this file is larger than 8 MiB, which is the limit";
    assert_eq!(broken(&index), [format!("big.1: {too_large}"), format!("liar.1: {too_large}")]);
    let text = git.source().fetch("packages/big/big.1/opam").unwrap_err().to_string();
    assert_eq!(text, "`packages/big/big.1/opam` is larger than 8 MiB, which is the limit");
}

#[test]
fn the_same_large_blob_many_times_costs_only_its_entry() {
    let mut git = Git::new();
    let big = git.id();
    let start = opam("").into_bytes();
    let size = start.len() + (7 << 20);
    git.write(&big, &format!("blob {size}\0"), [start, vec![b' '; 7 << 20]].into_iter());
    let directory = git.tree(&[(FILE, "opam", &big)]);
    let versions: Vec<String> = (0..100).map(|version| format!("big.{version}")).collect();
    let entries: Vec<_> = versions.iter().map(|version| (TREE, version.as_str(), directory.as_str())).collect();
    let name = git.tree(&entries);
    git.commit(&[(TREE, "big", &name)]);
    let index = git.index();
    assert_eq!(index.package_count(), 11);
    assert_eq!(unread(&index), ["packages/big has more than 64 MiB to read, which is the limit"]);
}

#[test]
fn damaged_git_objects_cost_only_themselves() {
    let mut git = Git::new();
    let missing = "d".repeat(40);
    let blob = git.file("");
    let no_blob = git.name("no-blob.1", &missing);
    let no_tree = git.tree(&[(TREE, "no-tree.1", &missing)]);
    let cut = git.object("tree", b"40000 cut.1\0short".to_vec());
    let directory = git.tree(&[]);
    let directory = git.name("directory.1", &directory);
    git.commit(&[
        (TREE, "blob", &blob),
        (TREE, "cut", &cut),
        (TREE, "directory", &directory),
        (TREE, "no-blob", &no_blob),
        (TREE, "no-tree", &no_tree),
    ]);
    let index = git.index();
    assert_eq!(packages(&index), ["ok.1"]);
    let broken = broken(&index);
    assert_eq!(broken[0], "directory.1: this file is no blob in git");
    assert!(broken[1].starts_with("no-blob.1: this file cannot be read: "), "{}", broken[1]);
    assert!(broken[2].starts_with("no-tree.1: this file cannot be read: "), "{}", broken[2]);
    let unread = unread(&index);
    assert_eq!(unread[0], "packages/blob is no tree in git");
    assert_eq!(unread[1], "packages/cut is damaged");
    // An index that lacks something is read again the next time, whatever is the same.
    assert!(index.read_again(&git.source()).unwrap().is_some());
}

#[test]
fn a_packages_tree_of_garbage() {
    let mut git = Git::new();
    for garbage in [&b"garbage"[..], b"40000 ok\0too short", &b"x".repeat(7000)] {
        let packages = git.object("tree", garbage.to_vec());
        git.commit_packages(TREE, &packages);
        assert!(git.refused().contains(" is damaged"), "{}", git.refused());
    }
    let blob = git.object("blob", b"hi".to_vec());
    git.commit_packages(TREE, &blob);
    assert!(git.refused().contains("is no tree in git"), "{}", git.refused());
    let files = git.tree(&[(FILE, "one", &blob), (FILE, "two", &blob)]);
    git.commit_packages(TREE, &files);
    assert!(git.refused().contains("nothing in its `packages/` is a package"), "{}", git.refused());
    // A repository that has no packages yet is one.
    let empty = git.tree(&[(FILE, ".gitkeep", &blob)]);
    git.commit_packages(TREE, &empty);
    assert_eq!(git.index().package_count(), 0);
}

#[test]
fn commits_and_tags_in_a_circle() {
    let mut git = Git::new();
    git.commit(&[]);
    let root = git.tree(&[]);
    let (one, two) = ("a".repeat(40), "b".repeat(40));
    for (id, parent) in [(&one, &two), (&two, &one)] {
        let data = commit(&root, &format!("parent {parent}\n"));
        git.write(id, &format!("commit {}\0", data.len()), std::iter::once(data));
    }
    git.point_to(&one);
    let history = History::open(git.path()).unwrap();
    let commits: Vec<_> = history.first_parents("main").unwrap().collect();
    assert_eq!(commits.len(), 3);
    let said = commits[2].as_ref().unwrap_err().to_string();
    assert!(said.ends_with(&format!("are in a circle: `{one}` comes before itself")), "{said}");
    let past = GitSource::open_at_time(git.path(), "main", 0, "1970-01-01").err().unwrap();
    assert!(matches!(past, SourceError::CommitCircle { .. }), "{past}");
    let index = caravan_tests::index_of_texts([("ok.1", "")]);
    let (platform, request) = (Platform::linux_x86_64(), Request::new(["ok".parse().unwrap()]));
    let sought = Sought::Installable;
    let (path, head) = (git.path(), "main");
    let bisect = Bisect { path, head, base: None, platform: &platform, request: &request, sought, limit: 1 };
    let said = bisect.run(&index, &Stop::new(), &|_| {}).unwrap_err().to_string();
    assert!(said.contains("are in a circle"), "{said}");
    let tag = "e".repeat(40);
    let data =
        format!("object {tag}\ntype tag\ntag t\ntagger Ada <ada@example.org> 1700000000 +0000\n\nt\n").into_bytes();
    git.write(&tag, &format!("tag {}\0", data.len()), std::iter::once(data));
    fs_err::write(git.path().join("refs/tags/t"), format!("{tag}\n")).unwrap();
    assert!(matches!(GitSource::open(git.path(), "t"), Err(SourceError::NoRevision { .. })));
}

/// A repository in a folder, with `ok.1`.
struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        let made = Self { folder: tempfile::tempdir().unwrap() };
        made.write("ok/ok.1/opam", &opam(""));
        made
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root().join("packages").join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs_err::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs_err::write(self.at(path), text).unwrap();
    }

    fn link(&self, target: impl AsRef<Path>, at: &str) {
        fs_err::create_dir_all(self.at(at).parent().unwrap()).unwrap();
        fs_err::os::unix::fs::symlink(target, self.at(at)).unwrap();
    }

    fn source(&self) -> DirectorySource {
        DirectorySource::open(&self.root()).unwrap()
    }

    fn index(&self) -> Index {
        Index::read(&self.source()).unwrap()
    }
}

#[test]
fn links_that_leave_the_repository_are_not_followed() {
    let folder = Folder::new();
    let secret = folder.folder.path().join("secret");
    fs_err::write(&secret, "the secret").unwrap();
    let outside = folder.folder.path().join("outside");
    fs_err::create_dir_all(outside.join("out.2")).unwrap();
    fs_err::write(outside.join("out.2/opam"), opam("")).unwrap();
    folder.link(&secret, "secret/secret.1/opam");
    folder.link("../../../../secret", "secret/secret.2/opam");
    folder.link(&outside, "out");
    folder.link(outside.join("out.2"), "in/out.2");
    folder.link("../ok/ok.1", "in/ok.2");
    folder.write("url/url.1/opam", &opam(""));
    folder.link(&secret, "url/url.1/url");
    let index = folder.index();
    assert_eq!(packages(&index), ["ok.1", "ok.2"]);
    let leaves = "is a symbolic link that leads out of the repository";
    let expected = [
        format!("secret.1: this file {leaves}"),
        format!("secret.2: this file {leaves}"),
        format!("url.1: this file has a `url` beside it that {leaves}"),
    ];
    assert_eq!(broken(&index), expected);
    let unread = unread(&index);
    for path in ["packages/in/out.2", "packages/out"] {
        assert!(unread.contains(&format!("{path} {leaves}")), "{path}: {unread:?}");
    }
    // A link that is put there after the index was made is not followed either.
    fs_err::remove_file(folder.at("ok/ok.1/opam")).unwrap();
    folder.link(&secret, "ok/ok.1/opam");
    let text = folder.source().fetch("packages/ok/ok.1/opam").unwrap_err().to_string();
    assert_eq!(text, format!("this file {leaves}"));
}

#[test]
fn links_in_circles() {
    let folder = Folder::new();
    folder.link(".", "here");
    folder.link("..", "ok/up");
    folder.link("../b", "a/one");
    folder.link("../b", "a/two");
    folder.link("../a", "b/one");
    folder.link("../a", "b/two");
    let index = folder.index();
    assert_eq!(packages(&index), ["ok.1"]);
    let unread = unread(&index);
    let circle = "is a symbolic link to a directory that it lies in";
    for path in ["packages/here", "packages/ok/up", "packages/a/one/one/one"] {
        assert!(unread.contains(&format!("{path} {circle}")), "{path}: {unread:?}");
    }
}

#[test]
fn pipes_are_not_waited_for() {
    let folder = Folder::new();
    folder.write("a/a.1/opam", &opam(""));
    for path in ["a/a.1/url", "a/a.1/descr", "pipe", "b/b.1/opam"] {
        fs_err::create_dir_all(folder.at(path).parent().unwrap()).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(folder.at(path)).status().unwrap().success());
    }
    assert_eq!(packages(&folder.index()), ["a.1", "ok.1"]);
    assert!(matches!(folder.source().fetch("packages/b/b.1/opam"), Err(SourceError::Missing(_))));
    assert!(matches!(ArchiveSource::open(&folder.at("pipe")), Err(SourceError::NotARepository { .. })));
}

#[test]
fn deep_directories_cost_only_themselves() {
    let folder = Folder::new();
    // As deep as the system lets them be made at once, and then deeper than it lets them be named.
    let deep = vec!["d".repeat(200); 15].join("/");
    fs_err::create_dir_all(folder.at(&format!("deep/{deep}"))).unwrap();
    fs_err::create_dir_all(folder.folder.path().join(&deep)).unwrap();
    fs_err::rename(folder.folder.path().join("d".repeat(200)), folder.at(&format!("deep/{deep}")).join("inner"))
        .unwrap();
    folder.write(&format!("nested/{}/nested.1/opam", ["n"; 40].join("/")), &opam(""));
    let index = folder.index();
    assert_eq!(packages(&index), ["ok.1"]);
    let unread = unread(&index);
    assert!(unread[0].ends_with("cannot be read: File name too long (os error 36)"), "{unread:?}");
    assert!(unread[1].ends_with("lies more than 32 directories deep, which is the limit"), "{unread:?}");
}

#[test]
fn a_packages_folder_of_garbage() {
    let folder = tempfile::tempdir().unwrap();
    let packages = folder.path().join("packages");
    fs_err::create_dir_all(&packages).unwrap();
    let read = || Index::read(&DirectorySource::open(folder.path()).unwrap());
    assert_eq!(read().unwrap().package_count(), 0);
    fs_err::write(packages.join(".gitkeep"), "").unwrap();
    assert_eq!(read().unwrap().package_count(), 0);
    fs_err::write(packages.join("garbage"), "garbage").unwrap();
    assert!(matches!(read(), Err(BuildError::Source(SourceError::NoPackages { .. }))));
    fs_err::create_dir_all(packages.join("a/b/c")).unwrap();
    assert!(matches!(read(), Err(BuildError::Source(SourceError::NoPackages { .. }))));
}

#[test]
fn a_name_with_too_many_versions_has_the_newest_of_them() {
    let versions: Vec<String> = (1..=10_002).map(|version| format!("many.{version}")).collect();
    let texts = versions.iter().map(|package| (package.as_str(), opam("")));
    let source = opam_parser::source::memory::MemorySource::new(texts.chain([("ok.1", opam(""))]));
    let index = Index::read(&source).unwrap();
    assert_eq!(index.package_count(), 10_001);
    let said = "`many` has more than 10000 versions, which is the limit; this is not one of the newest";
    assert_eq!(broken(&index), [format!("many.1: {said}"), format!("many.2: {said}")]);
    // The same when it is laid over another one, and when there are fewer the next time.
    let over = Index::overlay(&[&index], opam_parser::index::Precedence::FirstWins).unwrap();
    assert_eq!(broken(&over), broken(&index));
    let texts = versions[..10_000].iter().map(|package| (package.as_str(), opam("")));
    let source = opam_parser::source::memory::MemorySource::new(texts);
    let fewer = index.read_again(&source).unwrap().unwrap();
    assert!(fewer.as_bytes() == Index::read(&source).unwrap().as_bytes());
}
