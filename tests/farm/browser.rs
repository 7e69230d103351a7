//! What a browser sends for somebody else's page is not answered.

use crate::http::{JSON, said};
use crate::running::{Running, request};
use caravan_tests::git::{COMPILERS, Repository};
use std::io::{Read, Write};
use std::net::TcpStream;

/// The head of the answer to a request, as it is written.
fn head(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split("\r\n\r\n").next().unwrap_or_default().to_ascii_lowercase()
}

fn status(address: &str, request: &str) -> String {
    head(address, request).split(' ').nth(1).unwrap_or_default().to_owned()
}

#[test]
fn a_form_or_a_blob_of_another_page_is_no_question() {
    let (repository, commit) = {
        let repository = Repository::new();
        let commit = repository.commit(&COMPILERS);
        (repository, commit)
    };
    let (_service, address) = Running::serve(&["--workers=1"]);
    let body = serde_json::to_vec(&request(&[(&repository, &commit)], "depends: \"ocaml\"")).unwrap();
    let post = |headers: &[(&str, &str)]| said(&address, "POST", "/v1/solver-service", headers, &body);
    // What browsers send without asking first.
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp"]
    {
        let answer = post(&[("content-type", kind)]);
        assert_eq!((answer.status, &answer.json()["kind"]), (415, &"malformed".into()), "{kind}");
    }
    assert_eq!(post(&[]).status, 415);
    for kind in ["application/json; charset=utf-8", "Application/JSON"] {
        assert_eq!(post(&[("content-type", kind)]).status, 200, "{kind}");
    }
    // With the right one they say whose page it is.
    for origin in ["http://evil.example", "null", "http://localhost:1"] {
        let answer = post(&[JSON, ("origin", origin)]);
        assert_eq!((answer.status, &answer.json()["kind"]), (403, &"forbidden".into()), "{origin}");
    }
    assert_eq!(post(&[JSON, ("origin", &format!("http://{address}"))]).status, 200);
    // They ask first; nothing that they are told allows it.
    let preflight = format!(
        "OPTIONS /v1/solve HTTP/1.1\r\nHost: {address}\r\nOrigin: http://evil.example\r\n\
         Access-Control-Request-Method: POST\r\nConnection: close\r\n\r\n"
    );
    let answer = head(&address, &preflight);
    assert!(answer.starts_with("http/1.1 403 ") && !answer.contains("access-control-allow"), "{answer}");
}

#[test]
fn names_that_were_made_to_lead_here_are_not_answered_for() {
    let (_service, address) = Running::serve(&["--workers=1", "--allow-host=solver.example"]);
    let get =
        |host: &str| status(&address, &format!("GET /v1/status HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
    for host in ["localhost:1", "127.0.0.1", "[::1]:8080", "solver.example", "SOLVER.example:443"] {
        assert_eq!(get(host), "200", "{host}");
    }
    for host in ["evil.example", "solver.example.evil.example", "127.0.0.1.evil.example"] {
        assert_eq!(get(host), "403", "{host}");
    }
    let absolute = "GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(status(&address, absolute), "403");
    // Probes that are older than hosts.
    assert_eq!(status(&address, "GET /healthz HTTP/1.0\r\n\r\n"), "200");
}

#[test]
fn every_response_says_how_it_may_be_used() {
    let (_service, address) = Running::serve(&["--workers=1"]);
    for path in ["/", "/healthz", "/openapi.json", "/v1/status", "/nothing"] {
        let answer = head(&address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"));
        assert!(answer.contains("\r\nx-content-type-options: nosniff"), "{answer}");
        assert!(answer.contains("\r\ncross-origin-resource-policy: same-origin"), "{answer}");
        let policy = answer.lines().find_map(|line| line.strip_prefix("content-security-policy: ")).unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(policy.contains("script-src 'sha256-"), path == "/", "{path}: {policy}");
        assert!(!policy.contains("unsafe-inline"), "{policy}");
    }
}
