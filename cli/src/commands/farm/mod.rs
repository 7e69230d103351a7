//! Services: `serve`, `solver-service`, `docs-ci-solver`, `mirage-ci-solver`, `submit`, and their `worker`.

mod logs;
mod named_roots;
mod serve;
mod setup;
mod solver_service;
mod submit;
mod worker;

use crate::arguments::{Command, Global};
use crate::failure::Failure;
use crate::output::Output;
use std::process::ExitCode;

/// Runs the command of a service.
pub(crate) fn run(global: &Global, command: &Command, output: &mut Output) -> Result<ExitCode, Failure> {
    match command {
        Command::Serve(arguments) => serve::run(global, arguments),
        Command::SolverService(arguments) => solver_service::run(global, arguments, output),
        Command::DocsCiSolver(arguments) => named_roots::docs_ci(global, arguments),
        Command::MirageCiSolver(arguments) => named_roots::mirage_ci(global, arguments),
        Command::Submit(arguments) => submit::run(global, arguments, output),
        Command::Worker(arguments) => worker::run(global, arguments),
        _ => Err(Failure::usage("this command is no service")),
    }
}
