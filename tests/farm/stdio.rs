//! Standard input and output, as solver-service's earlier generation had it and ocaml-ci-local uses it.

use crate::running::{caravan, request};
use caravan_tests::git::{COMPILERS, Repository};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

#[test]
fn requests_and_answers_over_a_pipe() {
    let repository = Repository::new();
    repository.commit(&COMPILERS);
    let commit = repository.commit(&[("lib.1.0", "depends: \"ocaml\"")]);
    let home = tempfile::tempdir().unwrap();
    let mut command = caravan(home.path());
    let repositories = serde_json::json!([{ "repo": repository.path(), "hash": commit }]).to_string();
    command.args(["solver-service", "--worker", &repositories, "--allow-scheme=file", "--workers=1"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut answer = || {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let seconds: f64 = line.trim().parse().unwrap();
        assert!((0.0..60.0).contains(&seconds));
        line.clear();
        output.read_line(&mut line).unwrap();
        let mut text = vec![0; line.trim().parse().unwrap()];
        output.read_exact(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    };
    let mut send = |request: &[u8]| {
        input.write_all(format!("{}\n", request.len()).as_bytes()).unwrap();
        input.write_all(request).unwrap();
        input.flush().unwrap();
    };
    let json = |request| serde_json::to_vec(&request).unwrap();
    send(&json(request(&[(&repository, &commit)], "depends: \"lib\"")));
    assert_eq!(answer(), "+app.dev lib.1.0 ocaml.5.0.0 ocaml-base-compiler.5.0.0");
    // The repositories of the command line, where the request names none.
    send(&json(request(&[], "depends: \"lib\"")));
    assert_eq!(answer(), "+app.dev lib.1.0 ocaml.5.0.0 ocaml-base-compiler.5.0.0");
    send(&json(request(&[(&repository, &commit)], "depends: \"lib\" {> \"1.0\"}")));
    let none = answer();
    assert!(none.starts_with("-Solving for app.dev\nfive: eliminated all possibilities"), "{none}");
    send(&json(request(&[(&repository, &commit)], "depends: [")));
    let broken = answer();
    assert!(broken.starts_with("!Error parsing app.dev"), "{broken}");
    send(b"{}");
    assert!(answer().starts_with("!Bad JSON in request: missing field"));
    let two = {
        let mut asked = request(&[(&repository, &commit)], "depends: \"lib\"");
        asked.platforms.push(("four".to_owned(), crate::running::vars("4.14.2")));
        asked
    };
    send(&json(two));
    assert!(answer().ends_with("ocaml.5.0.0 ocaml-base-compiler.5.0.0"));
    assert!(answer().ends_with("ocaml.4.14.2 ocaml-base-compiler.4.14.2"));
    drop(input);
    assert!(child.wait().unwrap().success());
}
