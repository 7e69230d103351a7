//! Fetching is bounded, ends with all that it started, and reaches public addresses alone.

use crate::clones::{cached, is_shown, repository, serve, show};
use crate::http::{JSON, said};
use crate::running::{Running, caravan, until};
use crate::web::{Web, publish};
use caravan_tests::git::Repository;
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The processes that have a text in their command lines.
fn processes(text: &str) -> Vec<u32> {
    let entries = fs_err::read_dir("/proc").unwrap().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let has = |pid: &u32| {
        let line = fs_err::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        *pid != std::process::id() && String::from_utf8_lossy(&line).contains(text)
    };
    numbers.filter(has).collect()
}

/// How many of them the service started itself.
fn started(service: &Running, text: &str) -> usize {
    let parent = format!("PPid:\t{}\n", service.child.id());
    let of_service =
        |pid: &u32| fs_err::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|status| status.contains(&parent));
    processes(text).into_iter().filter(of_service).count()
}

/// Asks without waiting for the answer.
fn ask(address: &str, urls: &[String], commit: &str, accept: &str) -> TcpStream {
    let at = |url: &String| json!({ "url": url, "commit": commit });
    let body = json!({ "repositories": urls.iter().map(at).collect::<Vec<_>>(), "packages": ["lib"] }).to_string();
    let mut stream = TcpStream::connect(address).unwrap();
    let kinds = format!("Content-Type: application/json\r\nAccept: {accept}\r\n");
    let head = format!("POST /v1/show HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{kinds}");
    stream.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
    stream
}

#[test]
fn fetches_are_few_at_once_and_end_when_nobody_waits() {
    let (_, commit) = repository();
    let web = Web::plain(std::path::Path::new("/nowhere"));
    let (service, address) = serve(&["--allow-private", "--fetches=2", "--fetch-queue=8"], |_| ());
    let urls: Vec<String> = (0..6).map(|number| web.url(&format!("hang/{number}.git"))).collect();
    let hang = web.url("hang/");
    let asking = ask(&address, &urls, &commit, "application/json");
    until("two fetches", || (web.asked().len() == 2).then_some(()));
    assert_eq!(started(&service, &hang), 2);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!((started(&service, &hang), web.asked().len()), (2, 2), "the others wait");
    drop(asking);
    until("the end of all processes", || processes(&hang).is_empty().then_some(()));
    until("no trace", || cached(&service).is_empty().then_some(()));
    assert_eq!(web.asked().len(), 2, "those that waited were not begun");
    until("the end of the request", || service.log().contains("cancelled").then_some(()));
}

#[test]
fn a_client_has_its_share_of_the_waiting_room() {
    let (_, commit) = repository();
    let web = Web::plain(std::path::Path::new("/nowhere"));
    let (_service, address) = serve(&["--allow-private", "--fetches=1", "--fetch-queue=4"], |_| ());
    let urls: Vec<String> = (0..5).map(|number| web.url(&format!("hang/{number}.git"))).collect();
    let at = |url: &String| json!({ "url": url, "commit": commit });
    let body = json!({ "repositories": urls.iter().map(at).collect::<Vec<_>>(), "packages": ["lib"] }).to_string();
    let answer = said(&address, "POST", "/v1/show", &[JSON], body.as_bytes());
    assert_eq!((answer.status, &answer.json()["kind"]), (503, &json!("busy")), "{}", answer.body);
    assert!(answer.body.contains("you have your share of fetches waiting already"), "{}", answer.body);
    until("the end of all processes", || processes(&web.url("hang/")).is_empty().then_some(()));
}

#[test]
fn a_request_names_few_repositories() {
    let (_, commit) = repository();
    let web = Web::plain(std::path::Path::new("/nowhere"));
    let (_service, address) = serve(&["--allow-private"], |_| ());
    let at = |number: usize| json!({ "url": web.url(&format!("hang/{number}.git")), "commit": commit });
    let body = json!({ "repositories": (0..300).map(at).collect::<Vec<_>>(), "packages": ["lib"] }).to_string();
    let answer = said(&address, "POST", "/v1/show", &[JSON], body.as_bytes());
    assert_eq!((answer.status, &answer.json()["kind"]), (422, &json!("repository")), "{}", answer.body);
    assert!(answer.body.contains("names 300 repositories, and this service takes 32"), "{}", answer.body);
    assert!(web.asked().is_empty());
}

#[test]
fn a_fetch_that_takes_too_long_ends_with_all_its_processes() {
    let (_, commit) = repository();
    let web = Web::plain(std::path::Path::new("/nowhere"));
    let (service, address) = serve(&["--allow-private", "--fetch-limit=1"], |_| ());
    let answer = show(&address, &web.url("hang/x.git"), &commit);
    assert!(answer.body.contains("failed: it took longer than 1 s"), "{}", answer.body);
    assert!(processes(&web.url("hang/")).is_empty());
    assert!(cached(&service).is_empty());
}

#[test]
fn a_fetch_goes_on_as_long_as_somebody_waits() {
    let (repository, commit) = repository();
    let folder = tempfile::tempdir().unwrap();
    publish(&repository, folder.path(), "demo.git");
    let web = Web::plain(folder.path());
    let (service, address) = serve(&["--allow-private"], |_| ());
    let url = web.url("later/demo.git");
    let first = ask(&address, std::slice::from_ref(&url), &commit, "application/json");
    until("a fetch", || (!web.asked().is_empty()).then_some(()));
    let second = ask(&address, std::slice::from_ref(&url), &commit, "application/x-ndjson");
    let mut lines = BufReader::new(second).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("Fetching")));
    drop(first);
    until("one request", || service.log().contains("cancelled").then_some(()));
    web.open();
    let rest: String = lines.collect();
    assert!(rest.contains("\"version\":\"1.0\""), "{rest}");
    assert_eq!(service.log().matches("cloning").count(), 1, "{}", service.log());
}

#[test]
fn a_clone_does_not_become_too_large() {
    let (repository, small) = repository();
    let (service, address) = serve(&["--allow-scheme=file", "--clone-limit=2"], |_| ());
    let url = repository.path().display().to_string();
    assert!(is_shown(&show(&address, &url, &small)));
    let fill = |repository: &Repository| {
        let mut random = 88_172_645_463_325_252_u64;
        let mut next = || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random as u8
        };
        let noise: Vec<u8> = (0..4 << 20).map(|_| next()).collect();
        fs_err::write(repository.path().join("noise"), noise).unwrap();
        repository.commit(&[("lib.0.9", "")])
    };
    let other = Repository::new();
    let large = fill(&other);
    let answer = show(&address, &other.path().display().to_string(), &large);
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("failed: the clone would be larger than 2 MiB"), "{}", answer.body);
    assert_eq!(cached(&service).len(), 1, "it is gone");
    let grown = fill(&repository);
    let answer = show(&address, &url, &grown);
    assert!(answer.body.contains("failed: the clone would be larger than 2 MiB"), "{}", answer.body);
    assert!(is_shown(&show(&address, &url, &small)), "what was there before still is");
}

#[test]
fn only_public_addresses_are_fetched_from() {
    let (repository, commit) = repository();
    let folder = tempfile::tempdir().unwrap();
    publish(&repository, folder.path(), "demo.git");
    let web = Web::plain(folder.path());
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let (service, address) = serve(&["--allow-scheme=http,git,ssh"], |_| ());
    for url in [
        web.url("demo.git"),
        format!("http://127.0.0.1:{closed}/demo.git"),
        format!("http://localhost:{}/demo.git", web.port),
        format!("http://0x7f.1:{}/demo.git", web.port),
        format!("http://2130706433:{}/demo.git", web.port),
        format!("http://[::1]:{}/demo.git", web.port),
        format!("http://[::ffff:127.0.0.1]:{}/demo.git", web.port),
        format!("http://0.0.0.0:{}/demo.git", web.port),
        format!("git://127.0.0.1:{}/demo.git", web.port),
        format!("ssh://127.0.0.1:{}/demo.git", web.port),
        "http://169.254.169.254/latest".to_owned(),
        "http://10.0.0.1/x.git".to_owned(),
        "http://no-such-host.invalid/x.git".to_owned(),
    ] {
        let answer = show(&address, &url, &commit);
        let said =
            format!("`{url}` is not fetched: its host has no public address, and this service fetches from no others");
        assert_eq!((answer.status, &answer.json()["error"]), (422, &json!(said)));
    }
    assert!(web.asked().is_empty(), "{:?}", web.asked());
    assert!(service.log().contains("all addresses of the host are private"), "{}", service.log());
    assert!(cached(&service).is_empty());
}

#[test]
fn redirections_are_followed_to_allowed_hosts_alone() {
    let (repository, commit) = repository();
    let folder = tempfile::tempdir().unwrap();
    publish(&repository, folder.path(), "demo.git");
    let secret = Web::plain(folder.path());
    let place = secret.url("");
    let web = Web::new(folder.path(), move |rest| match rest {
        rest if rest.starts_with("here/") => format!("/{}", &rest["here/".len()..]),
        rest if rest.starts_with("there/") => format!("{place}{}", &rest["there/".len()..]),
        rest if rest.starts_with("file/") => format!("file:///{}", &rest["file/".len()..]),
        rest => format!("/to/{rest}"),
    });
    let url = |path: &str| format!("http://localhost:{}/to/{path}", web.port);
    let (service, address) = serve(&["--allow-private=localhost", "--allow-scheme=http,file"], |_| ());
    assert!(is_shown(&show(&address, &url("here/demo.git"), &commit)), "{}", service.log());
    let [clone] = cached(&service).try_into().unwrap();
    assert_eq!(clone, "localhost/_to_here_demo");
    let origin = repository.git(&[
        "-C",
        &service.path("cache").join(clone).display().to_string(),
        "config",
        "remote.origin.url",
    ]);
    assert_eq!(origin, url("here/demo.git"));
    for path in ["there/demo.git", "file/demo.git", "round/demo.git"] {
        let answer = show(&address, &url(path), &commit);
        assert_eq!(answer.status, 422, "{path} {}", answer.body);
    }
    assert!(secret.asked().is_empty(), "{:?}", secret.asked());
    assert!(web.asked().len() < 30, "not for ever");
    let (service, address) = serve(&["--allow-private"], |_| ());
    assert!(is_shown(&show(&address, &url("there/demo.git"), &commit)), "{}", service.log());
}

#[test]
fn what_git_says_is_logged_and_not_passed_on() {
    let (_, commit) = repository();
    let web = Web::plain(std::path::Path::new("/nowhere"));
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let (service, address) = serve(&["--allow-private"], |_| ());
    for (port, logged) in [(web.port, "not found"), (closed, "Failed to connect")] {
        let url = format!("http://127.0.0.1:{port}/x.git");
        let answer = show(&address, &url, &commit).json();
        let said = format!("cloning {url} failed: git could not do it; the log of this service says why");
        assert_eq!(answer["error"], said);
        assert!(service.log().contains(logged), "{}", service.log());
    }
}

#[test]
fn kinds_of_urls_that_cannot_be_fetched_cannot_be_allowed() {
    let home = tempfile::tempdir().unwrap();
    let output = caravan(home.path()).args(["serve", "--allow-scheme=ext"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("'ext'") && said.contains("https, http, ssh, git, file"), "{said}");
    let output = caravan(home.path()).arg("serve").env("CARAVAN_SCHEMES", "https,ftp").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
