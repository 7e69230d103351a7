//! Where clones are, which of them are used, and that none disturbs another.

use crate::http::{Answered, JSON, said};
use crate::running::Running;
use crate::web::{Web, publish};
use caravan_tests::git::{COMPILERS, Repository};
use serde_json::json;
use std::path::{Path, PathBuf};

pub(crate) fn repository() -> (Repository, String) {
    let repository = Repository::new();
    repository.commit(&COMPILERS);
    let commit = repository.commit(&[("lib.1.0", "depends: \"ocaml\"")]);
    (repository, commit)
}

/// A service that fetches no local paths, with its cache prepared.
pub(crate) fn serve(more: &[&str], prepare: impl FnOnce(&Path)) -> (Running, String) {
    let running = Running::start(|home| {
        prepare(&home.join("cache"));
        let arguments = ["serve", "--listen=127.0.0.1:0", "--workers=1"];
        arguments.iter().chain(more).map(|argument| (*argument).to_owned()).collect()
    });
    let address = running.http();
    (running, address)
}

/// Asks for a package of a repository at a commit.
pub(crate) fn show(address: &str, url: &str, commit: &str) -> Answered {
    let body = json!({ "repositories": [{ "url": url, "commit": commit }], "packages": ["lib"] });
    said(address, "POST", "/v1/show", &[JSON], body.to_string().as_bytes())
}

pub(crate) fn is_shown(answer: &Answered) -> bool {
    answer.status == 200 && answer.json()["packages"][0]["version"] == "1.0"
}

/// The directories of hosts in a cache, and of clones in these.
pub(crate) fn cached(service: &Running) -> Vec<String> {
    let entries = |path: PathBuf| {
        let entries = fs_err::read_dir(path).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let cache = service.path("cache");
    let hosts = entries(cache.clone()).into_iter().filter(|name| name != ".caravan");
    let clones = |host: String| match entries(cache.join(&host)) {
        clones if clones.is_empty() => vec![host],
        clones => clones.into_iter().map(|clone| format!("{host}/{clone}")).collect(),
    };
    hosts.flat_map(clones).collect()
}

fn metric(address: &str, name: &str) -> String {
    let text = said(address, "GET", "/metrics", &[], b"").body;
    text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned()
}

/// Puts a bare clone into a cache.
fn put(repository: &Repository, place: &Path, origin: &str) {
    let place = place.display().to_string();
    repository.git(&["clone", "--quiet", "--bare", "--no-hardlinks", ".", &place]);
    repository.git(&["--git-dir", &place, "config", "remote.origin.url", origin]);
}

#[test]
fn a_cache_of_solver_service_is_used_without_any_network() {
    let (repository, commit) = repository();
    for (url, origin) in [
        ("https://opam.invalid/ocaml/opam-repository.git", "https://opam.invalid/ocaml/opam-repository.git"),
        ("https://opam.invalid/ocaml/opam-repository.git", "https://opam.invalid/ocaml/opam-repository"),
        ("https://opam.invalid/ocaml/opam-repository/", "https://opam.invalid:443/ocaml/opam-repository.git"),
        ("https://OPAM.invalid/ocaml/opam-repository.git", "https://opam.invalid/ocaml/opam-repository.git/"),
    ] {
        let place = "opam_invalid/_ocaml_opam-repository";
        let (service, address) = serve(&[], |cache| put(&repository, &cache.join(place), origin));
        let answer = show(&address, url, &commit);
        assert!(is_shown(&answer), "{url} {origin} {}", answer.body);
        assert_eq!(cached(&service), [place]);
        assert_eq!(metric(&address, "caravan_fetches_total"), "");
        assert!(!service.log().contains("cloning") && !service.log().contains("fetching"), "{}", service.log());
    }
}

#[test]
fn a_clone_of_another_url_is_not_used() {
    let (repository, commit) = repository();
    let place = "opam_invalid/_x_y";
    for origin in
        ["http://opam.invalid/x/y.git", "https://opam.invalid/x_y.git", "https://other.invalid/x/y.git", "/x/y"]
    {
        let (service, address) = serve(&[], |cache| put(&repository, &cache.join(place), origin));
        let answer = show(&address, "https://opam.invalid/x/y.git", &commit);
        assert_eq!(answer.status, 422, "{origin} {}", answer.body);
        assert_eq!(cached(&service), [place], "nothing is left behind");
    }
}

#[test]
fn clones_do_not_disturb_each_other() {
    let (repository, commit) = repository();
    let folder = tempfile::tempdir().unwrap();
    publish(&repository, folder.path(), "demo.git");
    let web = Web::plain(folder.path());
    let inner =
        ["demo.git/x/y", "demo.git/objects/info/alternates/x", "demo.git/objects", "demo.git/refs/heads/main.git"];
    let (service, address) = serve(&["--allow-private"], |_| ());
    let try_inner = || {
        for path in inner {
            let answer = show(&address, &web.url(path), &commit);
            assert_eq!(answer.status, 422, "{path} {}", answer.body);
        }
    };
    try_inner();
    assert!(cached(&service).is_empty(), "{:?}", cached(&service));
    assert!(is_shown(&show(&address, &web.url("demo.git"), &commit)), "{}", service.log());
    try_inner();
    assert_eq!(cached(&service), ["127_0_0_1/_demo"]);
    let newer = repository.commit(&[("lib.0.9", "")]);
    repository.git(&["push", "--quiet", &folder.path().join("demo.git").display().to_string(), "main"]);
    repository.git(&["--git-dir", &folder.path().join("demo.git").display().to_string(), "update-server-info"]);
    assert!(is_shown(&show(&address, &web.url("demo.git"), &newer)), "{}", service.log());
    assert_eq!(cached(&service), ["127_0_0_1/_demo"]);
}

#[test]
fn urls_that_fall_together_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (repository(), Repository::new());
    let other_commit = other.commit(&[("lib.1.0", "x-other: \"1\"")]);
    publish(&one.0, folder.path(), "a/b.git");
    publish(&other, folder.path(), "a_b.git");
    let web = Web::plain(folder.path());
    let (service, address) = serve(&["--allow-private"], |_| ());
    for _ in 0..2 {
        assert!(is_shown(&show(&address, &web.url("a/b.git"), &one.1)));
        assert!(is_shown(&show(&address, &web.url("a_b.git"), &other_commit)));
    }
    let clones = cached(&service);
    assert_eq!((clones.len(), clones[0].as_str()), (2, "127_0_0_1/_a_b"));
    assert!(clones[1].starts_with("127_0_0_1/_a_b.") && clones[1].len() == "127_0_0_1/_a_b.".len() + 16, "{clones:?}");
    assert_eq!(show(&address, &web.url("a/b.git"), &other_commit).status, 422, "what the other one has it has not");
    assert_eq!(metric(&address, "caravan_fetches_total{result=\"ok\"}"), "caravan_fetches_total{result=\"ok\"} 3");
}

type Prepare<'p> = &'p dyn Fn(&Path);

#[test]
fn no_repository_of_this_machine_is_reached_through_the_cache() {
    let (repository, commit) = repository();
    let url = "https://opam.invalid/x.git";
    let objects = repository.path().join(".git/objects").display().to_string();
    let alternates = |place: &Path| {
        put(&Repository::new(), place, url);
        fs_err::create_dir_all(place.join("objects/info")).unwrap();
        fs_err::write(place.join("objects/info/alternates"), format!("{objects}\n")).unwrap();
    };
    let common = |place: &Path| {
        put(&Repository::new(), place, url);
        fs_err::write(place.join("commondir"), repository.path().join(".git").display().to_string()).unwrap();
    };
    let link = |place: &Path| {
        fs_err::create_dir_all(place).unwrap();
        fs_err::write(place.join(".git"), format!("gitdir: {}\n", repository.path().join(".git").display())).unwrap();
    };
    let path_as_origin = |place: &Path| put(&Repository::new(), place, &repository.path().display().to_string());
    // The cache lies in a working tree, and git would look there, too.
    let enclosed = |place: &Path| {
        fs_err::create_dir_all(place.join("packages")).unwrap();
        let home = place.parent().unwrap().parent().unwrap().parent().unwrap();
        repository.git(&["clone", "--quiet", "--bare", ".", &home.join(".git").display().to_string()]);
    };
    let cases: [(&str, u16, Prepare<'_>); 5] = [
        ("alternates", 500, &alternates),
        ("commondir", 500, &common),
        ("gitdir", 422, &link),
        ("origin", 422, &path_as_origin),
        ("enclosed", 422, &enclosed),
    ];
    for (name, status, prepare) in cases {
        let (service, address) = serve(&[], |cache| prepare(&cache.join("opam_invalid/_x")));
        let answer = show(&address, url, &commit);
        assert_eq!(answer.status, status, "{name} {}", answer.body);
        assert_eq!(answer.body.contains("cannot be used; its log says why"), status == 500, "{name} {}", answer.body);
        assert!(!answer.body.contains(&service.home.path().display().to_string()), "{}", answer.body);
    }
    let (_service, address) = serve(&["--allow-scheme=file"], |_| ());
    assert!(is_shown(&show(&address, &repository.path().display().to_string(), &commit)));
}

#[test]
fn what_a_fetch_left_behind_that_was_killed_is_no_obstacle() {
    let (repository, first) = repository();
    let (service, address) = serve(&["--allow-scheme=file"], |_| ());
    let url = repository.path().display().to_string();
    assert!(is_shown(&show(&address, &url, &first)));
    let [clone] = cached(&service).try_into().unwrap();
    let clone = service.path("cache").join(clone);
    fs_err::create_dir_all(clone.join("objects/pack")).unwrap();
    let left = ["packed-refs.lock", "refs/heads/main.lock", "objects/pack/tmp_pack_abc"].map(|name| clone.join(name));
    left.iter().for_each(|file| fs_err::write(file, "").unwrap());
    let second = repository.commit(&[("lib.0.9", "")]);
    assert!(is_shown(&show(&address, &url, &second)), "{}", service.log());
    assert!(left.iter().all(|file| !file.exists()));
}

#[test]
fn a_branch_that_gave_way_to_others_is_no_obstacle() {
    let (repository, first) = repository();
    repository.git(&["branch", "a"]);
    let (service, address) = serve(&["--allow-scheme=file"], |_| ());
    let url = repository.path().display().to_string();
    assert!(is_shown(&show(&address, &url, &first)));
    repository.git(&["branch", "-D", "a"]);
    let second = repository.commit(&[("lib.0.9", "")]);
    repository.git(&["branch", "a/b"]);
    assert!(is_shown(&show(&address, &url, &second)), "{}", service.log());
    assert!(is_shown(&show(&address, &url, &first)));
}
