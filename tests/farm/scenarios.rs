//! The scenarios of solver-service's own tests, through Cap'n Proto.

use crate::running::{Asker, Running, local, own_packages, puzzle, request, until, url, vars};
use caravan::protocols::solver_service::OpamText;
use caravan_tests::git::{COMPILERS, Repository, opam};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const ROOT: &str = "depends: [\"ocaml\" \"lib\"]";

/// A repository with `lib.1.0`, then `lib.1.1`.
fn two_commits() -> (Repository, String, String) {
    let repository = Repository::new();
    repository.commit(&COMPILERS);
    let first = repository.commit(&[("lib.1.0", "depends: \"ocaml\"")]);
    let second = repository.commit(&[("lib.1.1", "depends: \"ocaml\"")]);
    (repository, first, second)
}

#[test]
fn a_selection_a_new_version_and_an_old_commit() {
    let (repository, first, second) = two_commits();
    let service = Running::service(&[]);
    local(async {
        let asker = Asker::new(&service.capability()).await;
        let answer = asker.ask(&request(&[(&repository, &first)], ROOT)).await;
        let expected = json!(["Ok", [{
            "id": "five",
            "compat_pkgs": ["app.dev"],
            "packages": ["app.dev", "lib.1.0", "ocaml.5.0.0", "ocaml-base-compiler.5.0.0"],
            "commits": [[url(&repository), first]],
            "lower_bound": false,
        }]]);
        assert_eq!(answer, expected);
        assert_eq!(own_packages(&asker.ask(&request(&[(&repository, &second)], ROOT)).await), "lib.1.1");
        assert_eq!(asker.ask(&request(&[(&repository, &first)], ROOT)).await, expected);
        // Each line has its time: `2026-11-21 20:26.24 [INFO] …`
        let log = asker.log.0.borrow();
        let lines: Vec<&str> =
            log.lines().filter_map(|line| line.split_once(" [INFO] ")).map(|(_, text)| text).collect();
        assert_eq!(lines.len(), log.lines().count());
        assert!(lines[0].starts_with("Fetching /"), "{log}");
        assert_eq!(lines[1], "Solving for app.dev");
        assert!(lines[2].starts_with("five: found solution in 0.") && lines[2].ends_with(" s"), "{log}");
        let rest = ["= five =", "-> app.dev lib.1.0 ocaml.5.0.0 ocaml-base-compiler.5.0.0"];
        assert_eq!(lines[3..5], rest);
        assert_eq!(lines[5], format!("(valid since opam-repository commit(s): {}, {first})", url(&repository)));
    });
}

#[test]
fn commits_that_come_later_are_fetched() {
    let (repository, first, _) = two_commits();
    let service = Running::service(&[]);
    local(async {
        let asker = Asker::new(&service.capability()).await;
        assert_eq!(own_packages(&asker.ask(&request(&[(&repository, &first)], ROOT)).await), "lib.1.0");
        let third = repository.commit(&[("lib.2.0", "depends: \"ocaml\"")]);
        assert_eq!(own_packages(&asker.ask(&request(&[(&repository, &third)], ROOT)).await), "lib.2.0");
        // A pull request's commit is on no branch.
        repository.git(&["checkout", "--quiet", "--detach"]);
        let proposed = repository.commit(&[("lib.3.0", "depends: \"ocaml\"")]);
        repository.git(&["update-ref", "refs/pull/1/head", &proposed]);
        repository.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
        repository.git(&["checkout", "--quiet", "main"]);
        assert_eq!(own_packages(&asker.ask(&request(&[(&repository, &proposed)], ROOT)).await), "lib.3.0");
    });
}

#[test]
fn overlays() {
    let (repository, _, base) = two_commits();
    let overlay = Repository::new();
    let over = overlay.commit(&[("lib.1.1", "depends: [\"ocaml\" \"extra\"]"), ("extra.0.1", "")]);
    let service = Running::service(&[]);
    local(async {
        let asker = Asker::new(&service.capability()).await;
        let both = [(&repository, base.as_str()), (&overlay, over.as_str())];
        let commits = |answer: &Value| answer[1][0]["commits"].clone();
        let answer = asker.ask(&request(&both, ROOT)).await;
        assert_eq!(own_packages(&answer), "extra.0.1 lib.1.1");
        // The overlay's lib.1.1 counts, but what the base has of it must not change either.
        assert_eq!(commits(&answer), json!([[url(&repository), base], [url(&overlay), over]]));
        // The compilers are from the first commit of the base; nothing that is needed is in the overlay.
        let oldest = repository.git(&["rev-parse", "HEAD~2"]);
        let answer = asker.ask(&request(&both, "depends: \"ocaml\"")).await;
        assert_eq!(commits(&answer), json!([[url(&repository), oldest]]));
        // Versions that only the base has stay visible.
        let answer = asker.ask(&request(&both, "depends: [\"ocaml\" \"lib\" {< \"1.1\"}]")).await;
        assert_eq!(own_packages(&answer), "lib.1.0");
    });
}

#[test]
fn lower_bounds_and_no_solution() {
    let (repository, first, second) = two_commits();
    let service = Running::service(&[]);
    local(async {
        let asker = Asker::new(&service.capability()).await;
        let mut oldest = request(&[(&repository, &second)], ROOT);
        oldest.platforms[0].1.lower_bound = true;
        let answer = asker.ask(&oldest).await;
        assert_eq!((own_packages(&answer).as_str(), &answer[1][0]["lower_bound"]), ("lib.1.0", &json!(true)));
        // Since the commit that brought it.
        assert_eq!(answer[1][0]["commits"], json!([[url(&repository), first]]));
        let none = asker.ask(&request(&[(&repository, &second)], "depends: \"lib\" {>= \"2\"}")).await;
        assert_eq!(none, json!(["Ok", []]));
        let log = asker.log.0.borrow();
        assert!(log.contains("five: eliminated all possibilities in 0."), "{log}");
        assert!(log.contains("lib >= 2"), "{log}");
    });
}

#[test]
fn broken_files() {
    let (repository, _, _) = two_commits();
    let broken = repository.commit(&[("lib.2.0", "depends: ["), ("other.1.0", "depends: [")]);
    let service = Running::service(&[]);
    local(async {
        let asker = Asker::new(&service.capability()).await;
        let message = |answer: Value| {
            assert_eq!((&answer[0], &answer[1][0]), (&json!("Error"), &json!("Msg")), "{answer}");
            answer[1][1].as_str().unwrap().to_owned()
        };
        let root = message(asker.ask(&request(&[(&repository, &broken)], "depends: [")).await);
        assert!(root.starts_with("Error parsing app.dev: "), "{root}");
        let looked_at = message(asker.ask(&request(&[(&repository, &broken)], ROOT)).await);
        assert!(looked_at.starts_with("Error parsing lib.2.0: "), "{looked_at}");
        // What nobody looks at does not matter.
        assert_eq!(own_packages(&asker.ask(&request(&[(&repository, &broken)], "depends: \"ocaml\"")).await), "");
    });
}

#[test]
fn good_and_bad_repositories_at_once() {
    let (repository, _, second) = two_commits();
    let service = Running::service(&["--workers=2"]);
    local(async {
        let asker = Asker::new(&service.capability()).await;
        let good = request(&[(&repository, &second)], ROOT);
        let mut bad_commit = good.clone();
        bad_commit.opam_repository_commits[0].1 = "0123456789".repeat(4);
        let mut bad_repository = good.clone();
        bad_repository.opam_repository_commits[0].0 = "/there/is/nothing".to_owned();
        let (good, bad_commit, bad_repository) =
            futures::join!(asker.ask(&good), asker.ask(&bad_commit), asker.ask(&bad_repository));
        assert_eq!(own_packages(&good), "lib.1.1");
        let text = bad_commit[1][1].as_str().unwrap();
        assert_eq!(text, "Still missing commit after update!");
        let text = bad_repository[1][1].as_str().unwrap();
        assert_eq!(text, "cloning /there/is/nothing failed: git could not do it; the log of this service says why");
    });
}

#[test]
fn roots_for_some_platforms() {
    let (repository, _, second) = two_commits();
    let service = Running::service(&[]);
    local(async {
        let asker = Asker::new(&service.capability()).await;
        let mut asked = request(&[(&repository, &second)], ROOT);
        let root = |package: &str, body: &str| (package.to_owned(), OpamText(opam(body).into_bytes()));
        asked.root_pkgs = vec![
            root("app.dev", ROOT),
            root("app-new.dev", "depends: \"ocaml\" {>= \"5\"}"),
            root("app-windows.dev", "available: os = \"win32\""),
        ];
        asked.platforms.push(("four".to_owned(), vars("4.14.2")));
        let answer = asker.ask(&asked).await;
        let compatible: Vec<&Value> = answer[1].as_array().unwrap().iter().map(|s| &s["compat_pkgs"]).collect();
        assert_eq!(compatible, [&json!(["app.dev", "app-new.dev"]), &json!(["app.dev"])]);
        asked.root_pkgs = vec![root("app-windows.dev", "available: os = \"win32\"")];
        assert_eq!(asker.ask(&asked).await, json!(["Ok", []]));
        assert!(asker.log.0.borrow().contains("four: not available for this platform"));
    });
}

#[test]
fn cancelling() {
    let (repository, commit) = puzzle();
    let service = Running::service(&["--workers=1"]);
    local(async {
        let asked = serde_json::to_vec(&request(&[(&repository, &commit)], "depends: \"flock\"")).unwrap();
        let easy = request(&[(&repository, &commit)], "depends: \"ocaml\"");
        let asker = Asker::new(&service.capability()).await;
        let solves = async || {
            // The only worker is at the question.
            let began = Instant::now();
            let busy = tokio::time::timeout(Duration::from_millis(700), asker.raw(&asked)).await;
            assert!(busy.is_err(), "{busy:?} after {:?}", began.elapsed());
        };
        // The call is dropped: `Finish`.
        solves().await;
        assert_eq!(own_packages(&asker.ask(&easy).await), "");
        // The whole client is gone: `Release`, or the end of the connection.
        let other = Asker::new(&service.capability()).await;
        let busy = tokio::time::timeout(Duration::from_millis(700), other.raw(&asked)).await;
        assert!(busy.is_err());
        drop(other);
        assert_eq!(own_packages(&asker.ask(&easy).await), "");
    });
    until("two cancelled requests in the log", || (service.log().matches("cancelled").count() >= 2).then_some(()));
}

#[test]
fn errors_of_the_protocol() {
    let service = Running::service(&[]);
    local(async {
        let asker = Asker::new(&service.capability()).await;
        let error = asker.raw(b"{\"opam_repository_commits\": []}").await.unwrap_err();
        assert!(error.contains("Bad JSON in request: "), "{error}");
        let call = asker.connected.service.solve_request();
        let Err(error) = call.send().promise.await else { panic!("there is no log") };
        assert!(error.extra.contains("Missing log argument!"), "{error}");
    });
}
