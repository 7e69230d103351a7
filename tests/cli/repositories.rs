//! Where repositories are found: flags, variables, the checkout one stands in, opam's root, clones,
//! archives, overlays, the past.

use crate::caravan::{Place, examples};
use std::path::Path;
use std::process::Command;

pub(crate) fn write(root: &Path, package: &str, body: &str) {
    let name = package.split('.').next().unwrap();
    let directory = root.join("packages").join(name).join(package);
    fs_err::create_dir_all(&directory).unwrap();
    fs_err::write(directory.join("opam"), format!("opam-version: \"2.0\"\n{body}\n")).unwrap();
    fs_err::write(root.join("repo"), "opam-version: \"2.0\"\n").unwrap();
}

pub(crate) fn git(directory: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]).args(arguments).current_dir(directory);
    // The same commits have the same ids.
    for variable in ["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"] {
        command.env(variable, "2026-03-01T12:00:00Z");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A repository with two commits: `tool` 1 on 2026-01-01, 2 on 2026-02-01.
fn history(root: &Path) {
    fs_err::create_dir_all(root).unwrap();
    git(root, &["init", "--quiet", "--initial-branch=main"]);
    for (version, date) in [("1", "2026-01-01T12:00:00Z"), ("2", "2026-02-01T12:00:00Z")] {
        write(root, &format!("tool.{version}"), "synopsis: \"A tool\"");
        git(root, &["add", "."]);
        let mut command = Command::new("git");
        command.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "--quiet", "-m", version]);
        command.env("GIT_COMMITTER_DATE", date).env("GIT_AUTHOR_DATE", date).current_dir(root);
        assert!(command.status().unwrap().success());
    }
}

fn first_word(shown: &str) -> &str {
    shown.split_once("--- stdout\n").map_or(shown, |(_, out)| out).split_whitespace().next().unwrap_or_default()
}

#[test]
fn the_past_of_a_git_repository() {
    let place = Place::new();
    let root = place.path("repo");
    history(&root);
    let repo = root.display().to_string();
    let check = |arguments: &[&str], expected: &str| {
        let shown = place.run(&[&["solve", "tool"], arguments].concat());
        assert_eq!(first_word(&shown), expected, "{arguments:?}: {shown}");
    };
    check(&["--repo", &repo], "tool.2");
    check(&["--repo", &format!("{repo}#main~1")], "tool.1");
    check(&["--repo", &repo, "--at", "main~1"], "tool.1");
    check(&["--repo", &repo, "--at", "2026-01-15"], "tool.1");
    check(&["--repo", &repo, "--at", "2026-02-01"], "tool.2");
    check(&["--repo", &repo, "--at", "2026-02-01T11:59Z"], "tool.1");
    let before = place.run(&["solve", "tool", "--repo", &repo, "--at", "2025-12-31"]);
    assert!(before.starts_with("exit code: 4") && before.contains("no commit before 2025-12-31"), "{before}");
    // A bare clone, by path and by URL.
    let bare = place.path("bare.git");
    git(&root, &["clone", "--quiet", "--bare", ".", &bare.display().to_string()]);
    check(&["--repo", &bare.display().to_string()], "tool.2");
    let url = format!("file://{}", bare.display());
    check(&["--repo", &url], "tool.2");
    check(&["--repo", &format!("git+{url}#main~1")], "tool.1");
    // What is new there is seen with `--refresh`.
    write(&root, "tool.3", "");
    git(&root, &["add", "."]);
    git(&root, &["commit", "--quiet", "-m", "3"]);
    git(&root, &["push", "--quiet", &bare.display().to_string(), "main"]);
    check(&["--repo", &url], "tool.2");
    check(&["--repo", &url, "--refresh"], "tool.3");
    // Without anything else, the default repository is cloned.
    let shown = place.show(place.command(&["solve", "tool"]).env("CARAVAN_DEFAULT_REPO", &url));
    assert_eq!(first_word(&shown), "tool.3", "{shown}");
    let failed = place.run(&["solve", "tool", "--repo", "file:///no/such/repository.git"]);
    assert!(failed.starts_with("exit code: 6") && failed.contains("cloning file:///no/such"), "{failed}");
}

#[test]
fn edits_of_a_working_tree_are_seen_at_once() {
    let place = Place::new();
    let root = place.path("here");
    write(&root, "tool.1", "");
    // Standing in a checkout, it is the repository.
    assert_eq!(first_word(&place.run(&["solve", "tool"])), "tool.1");
    assert_eq!(first_word(&place.run(&["solve", "tool"])), "tool.1");
    write(&root, "tool.2", "");
    assert_eq!(first_word(&place.run(&["solve", "tool"])), "tool.2", "a new version");
    write(&root, "tool.2", "available: false");
    assert_eq!(first_word(&place.run(&["solve", "tool"])), "tool.1", "a changed file");
    write(&root, "tool.2", "available:  true");
    assert_eq!(first_word(&place.run(&["solve", "tool"])), "tool.2", "a change of the same length");
    write(&root, "other.1", "depends: \"tool\" {= \"1\"}");
    assert_eq!(first_word(&place.run(&["revdeps", "tool"])), "other", "a new name");
    fs_err::remove_dir_all(root.join("packages/tool/tool.2")).unwrap();
    assert_eq!(first_word(&place.run(&["solve", "tool"])), "tool.1", "a removed version");
    fs_err::remove_dir_all(root.join("packages/tool")).unwrap();
    assert!(place.run(&["solve", "tool"]).starts_with("exit code: 3"), "a removed name");
}

fn pack(root: &Path, archive: &Path) {
    let file = fs_err::File::create(archive).unwrap();
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(file, flate2::Compression::fast()));
    builder.append_dir_all(".", root).unwrap();
    builder.into_inner().unwrap().finish().unwrap();
}

#[test]
fn archives_and_opam_roots() {
    let place = Place::new();
    let source = place.path("source");
    write(&source, "tool.1", "");
    let archive = place.path("index.tar.gz");
    pack(&source, &archive);
    for _ in 0..2 {
        let shown = place.run(&["solve", "tool", "--repo", &archive.display().to_string()]);
        assert_eq!(first_word(&shown), "tool.1", "{shown}");
    }
    write(&source, "tool.2", "");
    pack(&source, &archive);
    let shown = place.run(&["solve", "tool", "--repo", &archive.display().to_string()]);
    assert_eq!(first_word(&shown), "tool.2", "{shown}");
    let raw = place.run(&["show", "tool.2", "--raw", "--repo", &archive.display().to_string()]);
    assert!(raw.contains("opam-version: \"2.0\""), "{raw}");

    // opam's root: two repositories, the first has precedence; one is an archive.
    let root = place.path("home/.opam");
    let mine = root.join("repo/mine");
    write(&mine, "tool.2", "synopsis: \"mine\"");
    fs_err::write(root.join("config"), "opam-version: \"2.0\"\nrepositories: [\"mine\" \"default\"]\n").unwrap();
    pack(&source, &root.join("repo/default.tar.gz"));
    for _ in 0..2 {
        let shown = place.run(&["list", "-V"]);
        assert!(shown.contains("tool  1") && shown.contains("tool  2  mine"), "{shown}");
    }
    // With a cache of opam's state its marks are enough: an update changes them.
    fs_err::write(root.join("repo/state-1.cache"), "1").unwrap();
    place.run(&["list", "-V"]);
    write(&mine, "tool.4", "");
    fs_err::remove_file(root.join("repo/state-1.cache")).unwrap();
    fs_err::write(root.join("repo/state-1.cache"), "22").unwrap();
    assert_eq!(first_word(&place.run(&["solve", "tool"])), "tool.4");
}

#[test]
fn several_repositories_and_their_order() {
    let place = Place::new();
    let (one, two) = (place.path("one"), place.path("two"));
    write(&one, "tool.1", "synopsis: \"of one\"");
    write(&one, "only-one.1", "");
    write(&two, "tool.1", "synopsis: \"of two\"");
    write(&two, "tool.2", "synopsis: \"of two\"");
    let (one, two) = (one.display().to_string(), two.display().to_string());
    let list = |extra: &[&str]| place.run(&[&["list", "-V", "--repo", &one, "--repo", &two], extra].concat());
    let first = list(&[]);
    assert!(first.contains("tool      1  of one") && first.contains("tool      2  of two"), "{first}");
    let last = list(&["--repo-precedence", "last"]);
    assert!(last.contains("tool      1  of two") && last.contains("only-one  1"), "{last}");
    let shown = place.run(&["show", "tool.1", "--repo", &one, "--repo", &two]);
    assert!(shown.contains("[PLACE]/one/packages/tool/tool.1/opam"), "{shown}");
    let variable = place.show(place.command(&["list", "tool"]).env("CARAVAN_REPO", format!("{one};{two}")));
    assert!(variable.contains("of two"), "{variable}");
}

#[test]
fn processes_share_a_cache() {
    let place = Place::new();
    let children: Vec<_> = (0..8)
        .map(|_| {
            let mut command = place.command(&["solve", "caravan-demo", "--repo", &examples()]);
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let outputs: Vec<_> = children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    for output in &outputs {
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.stdout, outputs[0].stdout);
    }
}

#[test]
fn an_archive_behind_a_url() {
    use std::io::{Read, Write};
    let place = Place::new();
    let source = place.path("source");
    write(&source, "tool.1", "");
    let archive = place.path("index.tar.gz");
    pack(&source, &archive);
    let body = fs_err::read(&archive).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/index.tar.gz", listener.local_addr().unwrap());
    // One request is answered; the second question must find the download in the cache.
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        let count = stream.read(&mut request).unwrap();
        assert!(request[..count].starts_with(b"GET /index.tar.gz"));
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len()).unwrap();
        stream.write_all(&body).unwrap();
    });
    for _ in 0..2 {
        let shown = place.run(&["solve", "tool", "--repo", &url]);
        assert_eq!(first_word(&shown), "tool.1", "{shown}");
    }
    server.join().unwrap();
    let failed = place.run(&["solve", "tool", "--repo", &url, "--refresh"]);
    assert!(failed.starts_with("exit code: 6") && failed.contains("cannot download"), "{failed}");
}

#[test]
fn what_is_set_aside_is_said() {
    let place = Place::new();
    let root = place.path("repo");
    let repo = root.display().to_string();
    let ask = |arguments: &[&str]| place.run(&[arguments, &["--repo", &repo]].concat());
    write(&root, "tool.1", "");
    write(&root, "huge.1", &"# many comments\n".repeat(600_000));
    let names: Vec<String> = (0..10_001).map(|number| format!("\"a{number}\"")).collect();
    write(&root, "many.1", &format!("depends: [{}]", names.join(" ")));
    fs_err::write(place.path("secret"), "the secret").unwrap();
    let link = |target: &str, at: &str| fs_err::os::unix::fs::symlink(target, root.join("packages").join(at)).unwrap();
    fs_err::create_dir_all(root.join("packages/link/link.1")).unwrap();
    link("../../../../secret", "link/link.1/opam");
    fs_err::create_dir_all(place.path("outside/out.1")).unwrap();
    link("../../outside", "out");
    let tool = ask(&["solve", "tool"]);
    assert!(tool.starts_with("exit code: 0\n--- stdout\ntool.1"), "{tool}");
    assert!(tool.contains("3 opam files are broken and set aside: huge.1, link.1, many.1"), "{tool}");
    let leaves = "is a symbolic link that leads out of the repository";
    assert!(tool.contains(&format!("`packages/out` is not read: it {leaves}")), "{tool}");
    for command in ["solve", "show"] {
        for (name, reason) in [
            ("huge", "this file is larger than 8 MiB, which is the limit"),
            ("many", "more than 10000 packages in one formula, which is the limit"),
            ("link", &format!("this file {leaves}")),
        ] {
            let shown = ask(&[command, name]);
            let said = format!("`{name}.1` is set aside because its opam file is broken");
            assert!(shown.starts_with("exit code: 5") && shown.contains(&said) && shown.contains(reason), "{shown}");
            assert!(!shown.contains("the secret"), "{shown}");
        }
        let shown = ask(&[command, "out"]);
        assert!(shown.starts_with("exit code: 5"), "{shown}");
        assert!(shown.contains(&format!("`out` is set aside because `packages/out` {leaves}")), "{shown}");
    }
}

#[test]
fn packages_that_hold_none() {
    let place = Place::new();
    let root = place.path("repo");
    fs_err::create_dir_all(root.join("packages")).unwrap();
    fs_err::write(root.join("packages/garbage"), "garbage").unwrap();
    let shown = place.run(&["list", "--repo", &root.display().to_string()]);
    assert!(shown.starts_with("exit code: 4") && shown.contains("nothing in its `packages/` is a package"), "{shown}");
    assert!(shown.contains("packages/NAME/NAME.VERSION/opam"), "{shown}");
}
