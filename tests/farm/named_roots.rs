//! The solvers of ocaml-docs-ci and mirage-ci: children over standard input, each with its own JSON.

use crate::running::{caravan, local, url};
use caravan_farm::generated::named_roots_capnp::{log, solver};
use caravan_farm::vat::attach;
use caravan_tests::git::{COMPILERS, Repository};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};
use std::rc::Rc;

#[derive(Clone, Default)]
struct Log(Rc<RefCell<String>>);

impl log::Server for Log {
    async fn write(
        self: capnp::capability::Rc<Self>,
        params: log::WriteParams,
        _: log::WriteResults,
    ) -> Result<(), capnp::Error> {
        self.0.borrow_mut().push_str(params.get()?.get_msg()?.to_str()?);
        Ok(())
    }
}

/// Starts a child, asks it, and waits for its end after the connection's.
fn asked(arguments: &[&str], requests: &[Value]) -> (Vec<Value>, String) {
    let home = tempfile::tempdir().unwrap();
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut command = caravan(home.path());
    command.args(arguments).stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child: Child = command.spawn().unwrap();
    drop(command);
    let log = Log::default();
    let answers = local(async {
        ours.set_nonblocking(true).unwrap();
        let stream = tokio::net::UnixStream::from_std(ours).unwrap();
        let connected = attach::<solver::Client>(stream, b"solver");
        let mut answers = Vec::new();
        for request in requests {
            let mut call = connected.service.solve_request();
            call.get().set_request(request.to_string().as_str());
            call.get().set_log(capnp_rpc::new_client(log.clone()));
            let answer = call.send().promise.await.unwrap();
            let text = answer.get().unwrap().get_response().unwrap();
            answers.push(serde_json::from_slice(text.as_bytes()).unwrap());
        }
        answers
    });
    assert!(child.wait().unwrap().success());
    (answers, log.0.take())
}

fn vars() -> Value {
    json!({ "arch": "x86_64", "os": "linux", "os_family": "debian", "os_distribution": "linux", "os_version": "12" })
}

#[test]
fn docs_ci() {
    let repository = Repository::new();
    repository.commit(&COMPILERS);
    let first = repository.commit(&[
        ("lib.1.0", "depends: [\"ocaml\" \"doc-tool\" {with-doc} \"later\" {post}]\ndepopts: \"extra\""),
        ("extra.1", "depends: \"ocaml\""),
        ("later.1", ""),
        ("app.1", "depends: [\"lib\" \"extra\"]"),
        ("doc-tool.1", ""),
    ]);
    let head = repository.commit(&[("unrelated.1", "")]);
    let request = json!({
        "opam_repository_commit": head,
        "pkgs": ["app", "ocaml", "ocaml-base-compiler"],
        "constraints": [["app", ["Eq"], "1"], ["ocaml", ["Leq"], "5.0.0"], ["ocaml-base-compiler", ["Geq"], "4.14.2"]],
        "platforms": [["debian-12", vars()]],
    });
    let mut none = request.clone();
    none["constraints"] = json!([["ocaml", ["Gt"], "5.0.0"]]);
    let mut wrong = request.clone();
    wrong["pkgs"] = json!(["no such name!"]);
    let repository_url = format!("--repository={}", url(&repository));
    let arguments = ["docs-ci-solver", "--jobs=1", &repository_url, "--allow-scheme=file"];
    let (answers, log) = asked(&arguments, &[request, none, wrong]);
    let compiler = json!(["ocaml-base-compiler.5.0.0", []]);
    let expected = json!(["Ok", [{
        "id": "debian-12",
        "packages": [
            ["app.1", ["ocaml-base-compiler.5.0.0", "ocaml.5.0.0", "lib.1.0", "extra.1"]],
            ["extra.1", ["ocaml-base-compiler.5.0.0", "ocaml.5.0.0"]],
            ["later.1", []],
            // An optional dependency that is there counts, a later one does not.
            ["lib.1.0", ["ocaml-base-compiler.5.0.0", "ocaml.5.0.0", "extra.1"]],
            ["ocaml.5.0.0", ["ocaml-base-compiler.5.0.0"]],
            compiler,
        ],
        "commit": first,
    }]]);
    assert_eq!(answers[0], expected);
    assert_eq!(answers[1], json!(["Ok", []]));
    assert!(log.contains("debian-12: eliminated all possibilities"), "{log}");
    assert_eq!(answers[2], json!(["Error", ["Msg", "`no such name!` is no package name"]]));
}

#[test]
fn mirage_ci() {
    let base = Repository::new();
    base.commit(&COMPILERS);
    let base_commit = base.commit(&[("lib.1.0", "depends: \"ocaml\""), ("lib.2.0", "depends: \"ocaml\"")]);
    let overlay = Repository::new();
    let overlay_commit = overlay.commit(&[("lib.2.0", "depends: [\"ocaml\" \"extra\"]"), ("extra.1", "")]);
    let folder = |repository: &Repository, name: &str, commit: &str| json!([name, url(repository), commit]);
    let request = |repositories: Value, constraints: Value| {
        json!({
            "opam_repos_folders": repositories,
            "pkgs": ["ocaml", "lib"],
            "constraints": constraints,
            "platforms": [["debian-12", vars()]],
        })
    };
    let over = json!([folder(&overlay, "overlay", &overlay_commit), folder(&base, "base", &base_commit)]);
    let under = json!([folder(&base, "base", &base_commit), folder(&overlay, "overlay", &overlay_commit)]);
    let requests = [
        request(over, json!([["ocaml", "4.14.2"]])),
        request(under.clone(), json!([])),
        request(under, json!([["lib", "1.0"]])),
    ];
    let (answers, _) = asked(&["mirage-ci-solver", "--workers=1"], &requests);
    // The earlier repository is on top. Commits come in the order of the repositories' folders, whose names are random.
    let sorted = |one: Value, other: Value| match url(&overlay) < url(&base) {
        true => json!([one, other]),
        false => json!([other, one]),
    };
    assert_eq!(
        answers[0],
        json!(["Ok", [{
            "id": "debian-12",
            "packages": ["extra.1", "lib.2.0", "ocaml.4.14.2", "ocaml-base-compiler.4.14.2"],
            "commits": sorted(json!(["overlay", overlay_commit]), json!(["base", base.git(&["rev-parse", "HEAD~1"])])),
        }]])
    );
    let packages = |answer: &Value| answer[1][0]["packages"].clone();
    assert_eq!(packages(&answers[1]), json!(["lib.2.0", "ocaml.5.0.0", "ocaml-base-compiler.5.0.0"]));
    assert_eq!(packages(&answers[2]), json!(["lib.1.0", "ocaml.5.0.0", "ocaml-base-compiler.5.0.0"]));
}
