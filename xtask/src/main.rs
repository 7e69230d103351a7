//! `cargo xtask`: makes what is generated in this repository.
//!
//! ```text
//! cargo xtask generate [--check]    all of it
//! cargo xtask capnp [--check]       farm/src/generated/ from farm/schema/
//! cargo xtask schemas [--check]     caravan/schemas/ and farm/src/servers/http/openapi.json from the types
//! ```
//!
//! With `--check` nothing is written; the exit code is 1 if a file is not what it would be made to be.

#![expect(clippy::print_stderr, reason = "a program for people")]

mod capnp;

use anyhow::Context as _;
use std::process::{Command, ExitCode};
use xtask::{Files, Mode, report, root};

const USAGE: &str = "\
usage: cargo xtask TASK [--check]

  generate  all of these
  capnp     the Cap'n Proto code in farm/src/generated/, from farm/schema/
  schemas   the JSON Schemas in caravan/schemas/ and farm/src/servers/http/openapi.json, from the types

  --check   write nothing; exit with 1 if something is not up to date";

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (task, mode) = match arguments[..] {
        [task] => (task, Mode::Write),
        [task, "--check"] | ["--check", task] => (task, Mode::Check),
        _ => ("", Mode::Check),
    };
    match task {
        "generate" => {
            let codes = [capnp(mode)?, schemas(mode)?];
            Ok(codes.into_iter().find(|code| *code != ExitCode::SUCCESS).unwrap_or(ExitCode::SUCCESS))
        }
        "capnp" => capnp(mode),
        "schemas" => schemas(mode),
        _ => {
            eprintln!("{USAGE}");
            Ok(ExitCode::from(2))
        }
    }
}

fn capnp(mode: Mode) -> anyhow::Result<ExitCode> {
    let mut files = Files::new(mode);
    capnp::make(root()?, &mut files)?;
    Ok(report(mode, &files))
}

/// Has cargo build and run the program that knows the types, which takes much longer to build than this one.
fn schemas(mode: Mode) -> anyhow::Result<ExitCode> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--locked", "--quiet", "--package", "xtask", "--bin", "xtask-schemas"]);
    command.args(["--features", "schemas", "--"]).current_dir(root()?);
    if mode == Mode::Check {
        command.arg("--check");
    }
    let status = command.status().context("cargo cannot be run")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
