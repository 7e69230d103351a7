//! Clients that were not written by us: C++ with Debian's libcapnp, Python with pycapnp.

use crate::running::{Running, caravan, request};
use caravan_tests::git::{COMPILERS, Repository};
use caravan_tests::workspace;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Says that a test cannot be run here.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

fn run(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn works(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// A request, and what the answer has to be.
fn question() -> (Repository, Vec<u8>, String) {
    let repository = Repository::new();
    repository.commit(&COMPILERS);
    let commit = repository.commit(&[("lib.1.0", "depends: \"ocaml\"")]);
    let request = serde_json::to_vec(&request(&[(&repository, &commit)], "depends: \"lib\"")).unwrap();
    let answer = format!(
        "[\"Ok\",[{{\"id\":\"five\",\"compat_pkgs\":[\"app.dev\"],\"packages\":[\"app.dev\",\"lib.1.0\",\
         \"ocaml.5.0.0\",\"ocaml-base-compiler.5.0.0\"],\"commits\":[[\"{}\",\"{commit}\"]],\"lower_bound\":false}}]]\n",
        repository.path().display()
    );
    (repository, request, answer)
}

fn check(output: &Output, answer: &str) {
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), answer);
    assert!(log.contains("[INFO] -> app.dev lib.1.0 ocaml.5.0.0 ocaml-base-compiler.5.0.0"), "{log}");
}

/// The C++ client, compiled; `None`, with a word, where that cannot be done.
fn compiled(folder: &Path) -> Option<PathBuf> {
    let there = works(Command::new("capnp").arg("--version")) && works(Command::new("g++").arg("--version"));
    if !there || !Path::new("/usr/include/capnp/rpc-twoparty.h").exists() {
        skipped("no C++ compiler, Cap'n Proto compiler or libcapnp-dev");
        return None;
    }
    let schemas = workspace().join("farm/schema");
    let mut schema = Command::new("capnp");
    schema.current_dir(folder).args(["compile", "-oc++"]);
    assert!(works(schema.arg(format!("--src-prefix={}", schemas.display())).arg(schemas.join("solver.capnp"))));
    let program = folder.join("client");
    let mut compiler = Command::new("g++");
    compiler.current_dir(folder).args(["-std=c++17", "-I."]).arg(workspace().join("tests/farm/client.c++"));
    compiler.args(["solver.capnp.c++", "-lcapnp-rpc", "-lcapnp", "-lkj-async", "-lkj", "-o"]).arg(&program);
    let output = compiler.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(program)
}

#[test]
fn a_client_in_cxx_over_a_socket_and_as_a_parent() {
    let folder = tempfile::tempdir().unwrap();
    let Some(program) = compiled(folder.path()) else { return };
    let (_repository, request, answer) = question();
    let service = Running::service(&["--capnp-disable-tls"]);
    let id: String = service.capability().id.iter().map(|byte| format!("{byte:02x}")).collect();
    check(&run(Command::new(&program).arg("unix").arg(service.path("socket")).arg(id), &request), &answer);
    let wrong = run(Command::new(&program).arg("unix").arg(service.path("socket")).arg("00ff"), &request);
    assert!(!wrong.status.success());
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("Unknown persistent service ID"));
    // As a link with the name of the program that it stands in for.
    let link = folder.path().join("solver-service");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_caravan"), &link).unwrap();
    let mut child = Command::new(&program);
    child.args(["child", "736f6c766572"]).arg(&link).args(["run-child", "--internal-workers", "1"]);
    child.arg(format!("--cache-dir={}", folder.path().join("cache").display())).arg("--allow-scheme=file");
    check(&run(&mut child, &request), &answer);
}

/// A Python with pycapnp: that of `.ci/run`, or the system's.
fn python() -> Option<PathBuf> {
    let places = [workspace().join("target/python/bin/python"), PathBuf::from("python3")];
    let found = places.into_iter().find(|python| works(Command::new(python).args(["-c", "import capnp"])));
    if found.is_none() {
        skipped("no Python with pycapnp");
    }
    found
}

#[test]
fn a_client_in_python() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (_repository, request, answer) = question();
    let mut client = Command::new(python);
    client.arg(workspace().join("tests/farm/client.py")).arg(workspace().join("farm/schema/solver.capnp"));
    client.arg(caravan(folder.path()).get_program()).args(["solver-service", "run-child", "--allow-scheme=file"]);
    client.arg(format!("--cache-dir={}", folder.path().join("cache").display()));
    check(&run(&mut client, &request), &answer);
}
