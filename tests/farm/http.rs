//! HTTP.

use crate::running::{Running, caravan, puzzle, request, until, url};
use caravan_tests::git::{COMPILERS, Repository};
use caravan_tests::workspace;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// An answer: its status, the kind of its body, and the body.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) body: String,
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Sends a request.
pub(crate) fn said(address: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answered {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut asked = ureq::http::Request::builder().method(method).uri(format!("http://{address}{path}"));
    for (name, value) in headers {
        asked = asked.header(*name, *value);
    }
    let mut answer = agent.run(asked.body(body).unwrap()).unwrap();
    let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
    let status = answer.status().as_u16();
    Answered { status, kind, body: answer.body_mut().read_to_string().unwrap() }
}

pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

fn posted(address: &str, path: &str, body: &Value) -> Answered {
    said(address, "POST", path, &[JSON], body.to_string().as_bytes())
}

/// A repository with a change, its commits before and after it.
fn changed() -> (Repository, String, String) {
    let repository = Repository::new();
    repository.commit(&COMPILERS);
    let base = repository.commit(&[
        ("lib.1.0", "depends: \"ocaml\""),
        ("user.1", "depends: \"lib\" {>= \"1.0\"}"),
        ("old-user.1", "depends: \"lib\" {< \"2.0\"}"),
    ]);
    let head = repository.commit(&[("lib.2.0", "depends: \"ocaml\""), ("lib.1.0", "available: false")]);
    (repository, base, head)
}

fn platform() -> Value {
    json!({ "opam-version": "2.5.0", "os": "linux", "arch": "x86_64", "os-distribution": "debian", "os-version": "13", "os-family": "debian" })
}

/// What the command line answers.
fn commanded(arguments: &[&str]) -> Value {
    let home = tempfile::tempdir().unwrap();
    let mut command = caravan(home.path());
    command.args(arguments).args(["--format", "json"]);
    let output = command.output().unwrap();
    let said = || String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", said()))
}

#[test]
fn the_answers_are_those_of_the_commands() {
    let (repository, base, head) = changed();
    let (_service, address) = Running::serve(&["--workers=1"]);
    let at = |commit: &str| json!({ "url": url(&repository), "commit": commit });
    let setting = json!({ "platform": platform() });
    let repo = format!("--repo={}#{head}", url(&repository));
    let place = ["--platform=linux/x86_64/debian-13", "--var=opam-version=2.5.0"];
    let ocaml = ["--ocaml", "5.0"];

    let body = json!({ "repositories": [at(&head)], "ocaml": "5.0", "check": true,
        "problem": { "setting": setting, "request": { "roots": [{ "name": "user" }] } } });
    let solved = posted(&address, "/v1/solve", &body);
    assert_eq!((solved.status, solved.kind.as_str()), (200, "application/json"));
    let command = ["solve", "user", "--check", &repo, place[0], place[1], ocaml[0], ocaml[1]];
    assert_eq!(solved.json(), commanded(&command));

    let mut none = body.clone();
    none["problem"]["request"]["roots"] = json!([{ "name": "old-user" }]);
    none["check"] = json!(false);
    let none = posted(&address, "/v1/solve", &none);
    let command = ["solve", "old-user", &repo, place[0], place[1], ocaml[0], ocaml[1]];
    assert_eq!((none.status, none.json()), (200, commanded(&command)));
    assert!(none.body.contains("no_solution"));

    let body = json!({ "repositories": [at(&head)], "setting": setting, "ocaml": "5.0" });
    let which = posted(&address, "/v1/installable", &body);
    assert_eq!(which.json(), commanded(&["installable", &repo, place[0], place[1], ocaml[0], ocaml[1]]));
    assert_eq!(which.json()["answers"][0]["not_installable"], json!(["old-user.1"]));

    let body = json!({ "repositories": [at(&base)], "setting": setting, "packages": ["lib"], "recursive": true });
    let revdeps = posted(&address, "/v1/revdeps", &body).json();
    let names: Vec<&str> =
        revdeps["packages"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["lib", "old-user", "user"]);

    let body = json!({ "base": at(&base), "head": at(&head), "platforms": [platform()], "ocaml": ["5.0"] });
    let impact = posted(&address, "/v1/impact", &body).json();
    let git = url(&repository);
    let repo = format!("--repo={git}#{head}");
    let command = ["impact", &repo, "--base", &base, "--head", &head, place[0], place[1], ocaml[0], ocaml[1]];
    let mut expected = commanded(&command);
    // The command line names commits with their summaries, and the files of excerpts with their repository.
    for side in ["base", "head"] {
        assert!(expected[side].as_str().unwrap().starts_with(&impact[side].as_str().unwrap()[..10]));
        expected[side] = impact[side].clone();
    }
    assert_eq!(impact, expected);
    let lost: Vec<&Value> = impact["platforms"][0]["lost"].as_array().unwrap().iter().map(|l| &l["package"]).collect();
    assert_eq!((&impact["verdict"], lost), (&json!("broken"), vec![&json!("lib.1.0"), &json!("old-user.1")]));

    let body = serde_json::to_value(request(&[(&repository, &base)], "depends: \"lib\"")).unwrap();
    let answer = posted(&address, "/v1/solver-service", &body).json();
    assert_eq!(crate::running::own_packages(&answer), "lib.1.0");
}

#[test]
fn every_kind_of_question_has_a_route() {
    let (_service, address) = Running::serve(&["--workers=1"]);
    for kind in caravan::Question::KINDS.iter().chain(&["ask"]) {
        let answer = said(&address, "POST", &format!("/v1/{kind}"), &[JSON], b"7");
        let error = answer.json();
        assert_eq!((answer.status, &error["kind"]), (400, &json!("malformed")), "{kind}: {error}");
    }
    let metrics = said(&address, "GET", "/metrics", &[], b"").body;
    let count = caravan::Question::KINDS.len() + 1;
    let line = format!("caravan_requests_total{{kind=\"malformed\",result=\"error\"}} {count}");
    assert!(metrics.contains(&line), "{metrics}");
}

#[test]
fn whole_questions_and_several_at_once() {
    let (repository, base, head) = changed();
    let (_service, address) = Running::serve(&["--workers=1"]);
    let show = |commit: &str| {
        let at = json!([{ "url": url(&repository), "commit": commit }]);
        json!({ "show": { "repositories": at, "packages": ["lib"], "setting": { "platform": platform() } } })
    };
    let version = |answer: &Value| answer["packages"][0]["version"].clone();
    let whole = posted(&address, "/v1/ask", &show(&head));
    assert_eq!((whole.status, version(&whole.json())), (200, json!("2.0")), "{}", whole.body);
    let several = posted(&address, "/v1/batch", &json!([show(&base), show(&head)])).json();
    let versions: Vec<Value> =
        several["answers"].as_array().unwrap().iter().map(|part| version(&part["answer"])).collect();
    assert_eq!(versions, [json!("1.0"), json!("2.0")]);
}

#[test]
fn requests_of_other_ci_services() {
    let (repository, _, head) = changed();
    let vars = json!({ "arch": "x86_64", "os": "linux", "os_family": "debian", "os_distribution": "debian", "os_version": "13" });
    let platforms = json!([["debian-13", vars]]);
    let docs_ci = json!({
        "repository": url(&repository),
        "request": {
            "opam_repository_commit": head,
            "pkgs": ["lib"],
            "constraints": [["ocaml", ["Lt"], "5.0"]],
            "platforms": platforms,
        },
    });
    let mirage_ci = json!({
        "opam_repos_folders": [["main", url(&repository), head]],
        "pkgs": ["lib"],
        "constraints": [["ocaml", "4.14.2"]],
        "platforms": platforms,
    });
    let packages = json!(["lib.2.0", "ocaml.4.14.2", "ocaml-base-compiler.4.14.2"]);
    let (_service, address) = Running::serve(&["--workers=1"]);
    let answer = posted(&address, "/v1/docs-ci", &docs_ci).json();
    let names: Vec<&Value> = answer[1][0]["packages"].as_array().unwrap().iter().map(|package| &package[0]).collect();
    assert_eq!(json!(names), packages, "{answer}");
    let answer = posted(&address, "/v1/mirage-ci", &mirage_ci).json();
    assert_eq!(
        (&answer[1][0]["packages"], &answer[1][0]["commits"]),
        (&packages, &json!([["main", head]])),
        "{answer}"
    );
    // Folders are named only where local paths may be.
    let service = Running::start(|_| ["serve", "--listen=127.0.0.1:0", "--workers=1"].map(str::to_owned).to_vec());
    let refused = posted(&service.http(), "/v1/mirage-ci", &mirage_ci);
    assert_eq!((refused.status, &refused.json()["kind"]), (422, &json!("repository")), "{}", refused.body);
    assert!(refused.body.contains("is not fetched: this service allows https, http, git"), "{}", refused.body);
}

#[test]
fn answers_with_their_log() {
    let (repository, base, head) = changed();
    let (_service, address) = Running::serve(&["--workers=1"]);
    let at = |commit: &str| json!({ "url": url(&repository), "commit": commit });
    let body = json!({ "base": at(&base), "head": at(&head), "ocaml": ["5.0"] }).to_string();
    let lines = said(&address, "POST", "/v1/impact", &[JSON, ("accept", "application/x-ndjson")], body.as_bytes());
    assert_eq!((lines.status, lines.kind.as_str()), (200, "application/x-ndjson"));
    let objects: Vec<Value> = lines.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects[0]["log"], format!("Fetching {}", url(&repository)));
    assert!(objects.iter().any(|object| object["log"] == "2 packages changed"), "{objects:?}");
    assert_eq!(objects.last().unwrap()["answer"]["schema"], "caravan.impact/1");
    let events = said(&address, "POST", "/v1/impact", &[JSON, ("accept", "text/event-stream")], body.as_bytes());
    assert_eq!(events.kind, "text/event-stream");
    assert!(events.body.starts_with("event: log\ndata: \""), "{}", events.body);
    let last = events.body.trim_end().rsplit("\n\n").next().unwrap();
    assert!(last.starts_with("event: answer\ndata: {\"schema\":\"caravan.impact/1\""), "{last}");
    // An error comes in the same way.
    let wrong = body.replace("5.0", "6.0");
    let lines = said(&address, "POST", "/v1/impact", &[JSON, ("accept", "application/x-ndjson")], wrong.as_bytes());
    let last: Value = serde_json::from_str(lines.body.lines().last().unwrap()).unwrap();
    assert_eq!(last["error"]["error"], "there is no version `6.0` of `ocaml`");
}

#[test]
fn what_is_wrong_is_said() {
    let (repository, _, head) = changed();
    let (_service, address) = Running::serve(&["--workers=1", "--max-request=1"]);
    let solve = |url: &str, commit: &str, root: &str| json!({ "repositories": [{ "url": url, "commit": commit }], "problem": { "request": { "roots": [{ "name": root }] } } });
    let here = url(&repository);
    let missing = "0123456789".repeat(4);
    let cases = [
        (
            posted(&address, "/v1/solve", &solve("file://ada:secret@example.org/x", &head, "lib")),
            422,
            "repository",
            "URLs with passwords are not fetched",
        ),
        (posted(&address, "/v1/solve", &json!({})), 400, "malformed", "missing field `problem` at line 1 column 2"),
        (
            said(&address, "POST", "/v1/solve", &[JSON], b"{"),
            400,
            "malformed",
            "EOF while parsing an object at line 1 column 1",
        ),
        (
            posted(&address, "/v1/solve", &solve(&here, &head, "lub")),
            422,
            "unknown-package",
            "there is no package `lub`",
        ),
        (
            posted(&address, "/v1/solve", &solve("ext::sh -c true", &head, "lib")),
            422,
            "repository",
            "is not the URL of a git repository",
        ),
        (
            posted(&address, "/v1/solve", &solve("--upload-pack=x", &head, "lib")),
            422,
            "repository",
            "is not the URL of a git repository",
        ),
        (
            posted(&address, "/v1/solve", &solve("ssh://example.org/x", &head, "lib")),
            422,
            "repository",
            "is not fetched: this service allows file",
        ),
        (
            posted(&address, "/v1/solve", &solve(&here, "main", "lib")),
            422,
            "repository",
            "`main` is not the id of a commit",
        ),
        (
            posted(&address, "/v1/solve", &solve(&here, &missing, "lib")),
            422,
            "repository",
            "Still missing commit after update!",
        ),
        (
            said(&address, "POST", "/v1/solve", &[("content-type", "text/plain")], b"{}"),
            415,
            "malformed",
            "the body has to be JSON",
        ),
        (said(&address, "GET", "/v1/solve", &[], b""), 405, "unknown", "`/v1/solve` does not take GET"),
        (said(&address, "GET", "/v2", &[], b""), 404, "unknown", "there is nothing at `/v2`"),
    ];
    for (answer, status, kind, words) in cases {
        let error = answer.json();
        assert_eq!(
            (answer.status, &error["schema"], &error["kind"]),
            (status, &json!("caravan.error/1"), &json!(kind)),
            "{error}"
        );
        assert!(error["error"].as_str().unwrap().contains(words), "{error}");
    }
    // It says so without waiting for the rest.
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(b"POST /v1/solve HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2000000\r\n\r\n{").unwrap();
    let mut answer = [0; 2000];
    let length = stream.read(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("caravan.error/1"), "{answer}");
}

#[test]
fn tokens() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    fs_err::write(&file, "first-token\n\n second-token \n").unwrap();
    let (_service, address) = Running::serve(&["--workers=1", &format!("--token-file={}", file.display())]);
    let status = |path: &str, header: Option<&str>| {
        let headers: Vec<(&str, &str)> = header.map(|header| ("authorization", header)).into_iter().collect();
        said(&address, "GET", path, &headers, b"").status
    };
    for path in ["/v1/status", "/metrics"] {
        assert_eq!(status(path, None), 401);
        assert_eq!(status(path, Some("Bearer third-token")), 401);
        assert_eq!(status(path, Some("Basic first-token")), 401);
        assert_eq!(status(path, Some("Bearer first-token")), 200);
        assert_eq!(status(path, Some("Bearer second-token")), 200);
    }
    // What a prober and a browser need first says nothing about anybody.
    for path in ["/", "/healthz", "/openapi.json"] {
        assert_eq!(status(path, None), 200);
    }
    let empty = folder.path().join("empty");
    fs_err::write(&empty, "\n").unwrap();
    let mut command = caravan(folder.path());
    let output = command.args(["serve", "--listen=127.0.0.1:0", "--token-file"]).arg(&empty).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "an empty file does not open the door to everybody");
}

#[test]
fn a_client_that_goes_is_not_worked_for() {
    let (hard, commit) = puzzle();
    let (service, address) = Running::serve(&["--workers=1"]);
    let body = json!({
        "repositories": [{ "url": url(&hard), "commit": commit }],
        "problem": { "request": { "roots": [{ "name": "flock" }] } },
    });
    let body = body.to_string();
    for accept in ["application/json", "application/x-ndjson"] {
        let mut stream = TcpStream::connect(&address).unwrap();
        let head = format!(
            "POST /v1/solve HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: {accept}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        until("a busy worker", || {
            let status = said(&address, "GET", "/v1/status", &[], b"").json();
            (status["workers"][0]["state"] == "busy").then_some(())
        });
        std::thread::sleep(Duration::from_millis(300));
        drop(stream);
        let began = Instant::now();
        let easy = json!({
            "repositories": [{ "url": url(&hard), "commit": commit }],
            "problem": { "request": { "roots": [{ "name": "ocaml" }] }, "setting": { "platform": { "os": accept } } },
        });
        assert_eq!(posted(&address, "/v1/solve", &easy).status, 200);
        assert!(began.elapsed() < Duration::from_secs(10));
    }
    until("two cancelled requests", || (service.log().matches("cancelled").count() >= 2).then_some(()));
    assert!(!service.log().contains("killed"));
}

#[test]
fn health_metrics_and_the_end() {
    let (repository, _, head) = changed();
    let (mut service, address) = Running::serve(&["--workers=2", "--log-format=json"]);
    assert_eq!(said(&address, "GET", "/healthz", &[], b"").body, "ok\n");
    until("a worker", || (said(&address, "GET", "/readyz", &[], b"").status == 200).then_some(()));
    let body = serde_json::to_value(request(&[(&repository, &head)], "depends: \"lib\"")).unwrap();
    for _ in 0..3 {
        assert_eq!(posted(&address, "/v1/solver-service", &body).status, 200);
    }
    let open = [("accept", "application/openmetrics-text; version=1.0.0, text/plain; q=0.5")];
    let metrics = said(&address, "GET", "/metrics", &open, b"");
    assert_eq!(metrics.kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    for line in [
        "caravan_requests_total{kind=\"solver-service\",result=\"ok\"} 3",
        "caravan_remembered_total 2",
        "caravan_solve_seconds_count 1",
        "caravan_workers 2",
        "caravan_repository_states 1",
        "caravan_fetches_total{result=\"ok\"} 1",
        "caravan_queue 0",
        "# EOF",
    ] {
        assert!(metrics.body.lines().any(|found| found == line), "{line}\n{}", metrics.body);
    }
    let status = said(&address, "GET", "/v1/status", &[], b"").json();
    assert_eq!(status["recent"][0]["result"], "answered from memory");
    assert_eq!(status["states"][0]["commit"], head);
    let log = service.log();
    let line = log.lines().find(|line| line.contains("answered from memory")).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(
        (&line["request"], &line["kind"], &line["level"]),
        (&json!(2), &json!("solver-service"), &json!("INFO"))
    );
    assert!(line["milliseconds"].as_f64().is_some_and(|time| (0.0..60_000.0).contains(&time)), "{line}");
    // What failed is worth a warning.
    assert_eq!(posted(&address, "/v1/solve", &json!({})).status, 400);
    let log = service.log();
    let line = log.lines().find(|line| line.contains("missing field `problem`")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(line).unwrap()["level"], "WARN");
    service.signal(Signal::SIGTERM);
    assert!(service.wait().success());
}

/// Answers are kept across commits as long as nothing changed that they looked at.
#[test]
fn another_commit_with_nothing_new_for_the_question() {
    let (repository, _, head) = changed();
    let (_service, address) = Running::serve(&["--workers=1"]);
    let ask = |commit: &str, root: &str| {
        let body = serde_json::to_value(request(&[(&repository, commit)], root)).unwrap();
        posted(&address, "/v1/solver-service", &body).json()
    };
    let solves = || {
        let text = said(&address, "GET", "/metrics", &[], b"").body;
        let line = text.lines().find_map(|line| line.strip_prefix("caravan_solve_seconds_count ")).unwrap().to_owned();
        line.parse::<u32>().unwrap()
    };
    let root = "depends: \"lib\" {>= \"2.0\"}";
    let first = ask(&head, root);
    assert_eq!(solves(), 1);
    let unrelated = repository.commit(&[("unrelated.1", "depends: \"lib\"")]);
    assert_eq!(ask(&unrelated, root), first, "the oldest commit is the same, too");
    assert_eq!(solves(), 1);
    let newer = repository.commit(&[("lib.2.1", "depends: \"ocaml\"")]);
    assert_eq!(crate::running::own_packages(&ask(&newer, root)), "lib.2.1");
    assert_eq!(solves(), 2);
    // What changed and changed back is the same again, but since later.
    repository.git(&["rm", "-rq", "packages/lib/lib.2.1"]);
    let back = repository.commit(&[]);
    let again = ask(&back, root);
    assert_eq!((solves(), &again), (2, &first));
    // A dependency's dependency counts.
    let deeper =
        repository.commit(&[("ocaml.5.0.0", "depends: [\"ocaml-base-compiler\" {= \"5.0.0\"}]\n# another text")]);
    let changed = ask(&deeper, root);
    assert_eq!(solves(), 3);
    assert_eq!(changed[1][0]["commits"][0][1], deeper);
}

#[test]
fn one_fetch_for_all_who_need_it() {
    let (repository, _, head) = changed();
    let (_service, address) = Running::serve(&["--workers=2"]);
    let ask = |number: usize| {
        let mut asked = request(&[(&repository, &head)], "depends: \"lib\"");
        asked.platforms[0].1.os_version = number.to_string();
        let answer = posted(&address, "/v1/solver-service", &serde_json::to_value(asked).unwrap());
        assert_eq!(crate::running::own_packages(&answer.json()), "lib.2.0");
    };
    std::thread::scope(|scope| (0..24).for_each(|number| drop(scope.spawn(move || ask(number)))));
    let metrics = said(&address, "GET", "/metrics", &[], b"").body;
    assert!(metrics.contains("caravan_fetches_total{result=\"ok\"} 1\n"), "{metrics}");
}

/// Two URLs of one repository, whose clones would lie in the same place.
#[test]
fn clones_are_not_shared_between_urls() {
    let (repository, _, head) = changed();
    let (_service, address) = Running::serve(&["--workers=1"]);
    for url in [url(&repository), format!("file://{}", url(&repository))] {
        let mut asked = serde_json::to_value(request(&[(&repository, &head)], "depends: \"lib\"")).unwrap();
        asked["opam_repository_commits"][0][0] = json!(url);
        let answer = posted(&address, "/v1/solver-service", &asked).json();
        assert_eq!(answer[1][0]["commits"], json!([[url, head]]), "{answer}");
    }
    let metrics = said(&address, "GET", "/metrics", &[], b"").body;
    assert!(metrics.contains("caravan_fetches_total{result=\"ok\"} 2\n"), "{metrics}");
}

/// A host that accepts connections and says nothing.
pub(crate) fn silent_host() -> (std::net::TcpListener, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/repository.git", listener.local_addr().unwrap());
    (listener, url)
}

#[test]
fn a_fetch_that_hangs_holds_up_nobody_else() {
    let (repository, _, head) = changed();
    let (_silent, silent_url) = silent_host();
    let (_service, address) =
        Running::serve(&["--workers=1", "--allow-scheme=http", "--allow-private", "--fetch-limit=4"]);
    let good = serde_json::to_value(request(&[(&repository, &head)], "depends: \"lib\"")).unwrap();
    let mut slow = good.clone();
    slow["opam_repository_commits"][0][0] = json!(silent_url);
    let began = Instant::now();
    std::thread::scope(|scope| {
        let hanging = scope.spawn(|| posted(&address, "/v1/solver-service", &slow));
        std::thread::sleep(Duration::from_millis(200));
        for _ in 0..3 {
            assert_eq!(crate::running::own_packages(&posted(&address, "/v1/solver-service", &good).json()), "lib.2.0");
        }
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        let error = hanging.join().unwrap();
        assert_eq!(error.status, 422);
        assert!(error.body.contains("failed: it took longer than 4 s"), "{}", error.body);
    });
}

#[test]
fn states_go_when_they_take_too_much_memory() {
    let (repository, base, head) = changed();
    let third = repository.commit(&[("extra.1", "")]);
    let holds = |more: &str| {
        let (_service, address) = Running::serve(&["--workers=1", more]);
        for commit in [&base, &head, &third, &base] {
            let body = serde_json::to_value(request(&[(&repository, commit)], "depends: \"ocaml\"")).unwrap();
            assert_eq!(posted(&address, "/v1/solver-service", &body).status, 200);
        }
        let status = said(&address, "GET", "/v1/status", &[], b"").json();
        (status["workers"][0]["holds"].clone(), status["states"].as_array().unwrap().len())
    };
    assert_eq!(holds("--states=64"), (json!(3), 3));
    assert_eq!(holds("--states=0"), (json!(1), 3));
}

#[test]
fn the_openapi_document_holds() {
    let places = [workspace().join("target/python/bin/schemathesis"), PathBuf::from("schemathesis")];
    let works = |program: &&PathBuf| Command::new(program).arg("--version").output().is_ok_and(|o| o.status.success());
    let Some(program) = places.iter().find(works) else {
        eprintln!("skipped: no schemathesis");
        return;
    };
    let (service, address) = Running::serve(&["--workers=2"]);
    let document = said(&address, "GET", "/openapi.json", &[], b"").json();
    assert_eq!(document["openapi"], "3.1.0");
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command.current_dir(home.path()).args(["run", &format!("http://{address}/openapi.json")]).args([
        "--checks=not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
         negative_data_rejection,unsupported_method",
        "--phases=examples,coverage,fuzzing",
        &format!("--max-examples={}", std::env::var("CARAVAN_OPENAPI_EXAMPLES").as_deref().unwrap_or("50")),
        "--seed=1",
        "--workers=2",
        "--no-color",
    ]);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let mut answer = String::new();
    TcpStream::connect(&address)
        .and_then(|mut stream| {
            stream.write_all(b"GET /readyz HTTP/1.0\r\n\r\n")?;
            stream.read_to_string(&mut answer)
        })
        .unwrap();
    assert!(answer.contains("200 OK"), "{answer}");
    assert!(!service.log().contains("panicked"), "{}", service.log());
}
