//! The `caravan` command: arguments in, answers out. What it knows about opam is in the library.
//!
//! ```text
//! arguments ── questions ──> Question ── caravan::ask ──> Answer ── answers ──> stdout, files, exit code
//! ```

mod answers;
mod arguments;
mod commands;
mod failure;
mod interrupt;
mod output;
mod progress;
mod questions;

use arguments::{Arguments, Command, Format};
use clap::ValueEnum;
use failure::Failure;
use output::Output;
use std::process::ExitCode;

// Parsing a repository makes millions of small allocations; mimalloc is some 10 % faster at it than
// glibc's allocator, and much faster than musl's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::read();
    let mut output = Output::new(arguments.global.color, arguments.global.format);
    let answered = run(&arguments, &mut output).and_then(|code| match output.flush() {
        // Whoever read the answer has seen enough of it: the code still says what it is.
        Ok(()) | Err(Failure::BrokenPipe) => Ok(code),
        Err(failure) => Err(failure),
    });
    match answered {
        Ok(code) => code,
        Err(failure) => {
            output.failure(&failure);
            failure.code()
        }
    }
}

fn run(arguments: &Arguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let global = &arguments.global;
    let formats = arguments.command.formats();
    if !formats.contains(&global.format) {
        let name = |format: &Format| format.to_possible_value().map(|value| value.get_name().to_owned());
        let known: Vec<String> = formats.iter().filter_map(name).collect();
        let asked = name(&global.format).unwrap_or_default();
        return Err(Failure::usage(format!("this command does not know `--format {asked}`"))
            .hint(format!("it knows {}", known.join(", "))));
    }
    if !arguments.command.reads_repositories() && (!global.repo.is_empty() || global.refresh) {
        return Err(Failure::usage("this command reads no repository, so `--repo` and `--refresh` mean nothing to it"));
    }
    if let Command::Platforms(platforms) = &arguments.command
        && platforms.toml
    {
        output.data(caravan::plan_input::BUILTIN_CATALOGUE.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    match &arguments.command {
        Command::Serve(_)
        | Command::SolverService(_)
        | Command::DocsCiSolver(_)
        | Command::MirageCiSolver(_)
        | Command::Submit(_)
        | Command::Worker(_) => service(arguments, output),
        Command::Parse(parse) => commands::parse::run(parse, output),
        Command::Cache(cache) => commands::cache::run(global, cache, output),
        Command::Completions(completions) => commands::generate::completions(completions),
        Command::Man(man) => commands::generate::man(man),
        question => answers::run(global, question, output),
    }
}

#[cfg(feature = "services")]
fn service(arguments: &Arguments, output: &mut Output) -> Result<ExitCode, Failure> {
    commands::farm::run(&arguments.global, &arguments.command, output)
}

#[cfg(not(feature = "services"))]
fn service(_: &Arguments, _: &mut Output) -> Result<ExitCode, Failure> {
    Err(Failure::usage("this program was built without the services")
        .hint("`cargo install --path cli --features full` builds all of it"))
}
