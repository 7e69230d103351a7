//! The `caravan` command: arguments in, answers out. What it knows about opam is in the libraries.

mod arguments;
mod commands;
mod failure;
mod output;
mod platform;
mod repositories;
mod session;

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
    match run(&arguments, &mut output).and_then(|code| output.flush().map(|()| code)) {
        Ok(code) => code,
        // Whoever read our output has seen enough.
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
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
    match &arguments.command {
        Command::Solve(solve) => commands::solve::run(global, solve, output),
        Command::Installable(installable) => commands::installable::run(global, installable, output),
        Command::List(list) => commands::list::run(global, list, output),
        Command::Show(show) => commands::show::run(global, show, output),
        Command::Revdeps(revdeps) => commands::revdeps::run(global, revdeps, output),
        Command::Deps(deps) => commands::deps::run(global, deps, output),
        Command::Impact(impact) => commands::impact::run(global, impact, output),
        Command::Bounds(bounds) => commands::bounds::run(global, bounds, output),
        Command::Bisect(bisect) => commands::bisect::run(global, bisect, output),
        Command::Health(health) => commands::health::run(global, health, output),
        Command::Builds(builds) => commands::builds::run(global, builds, output),
        Command::Docs(docs) => commands::docs::run(global, docs, output),
        Command::Lock(lock) => commands::lock::run(global, lock, output),
        Command::Platforms(platforms) => commands::platforms::run(global, platforms, output),
        Command::Serve(serve) => commands::farm::serve(global, serve),
        Command::SolverService(service) => commands::farm::solver_service(global, service, output),
        Command::DocsCiSolver(solver) => commands::farm::docs_ci(global, solver),
        Command::MirageCiSolver(solver) => commands::farm::mirage_ci(global, solver),
        Command::Submit(submit) => commands::farm::submit(global, submit, output),
        Command::Worker(worker) => commands::farm::worker(global, worker),
        Command::Parse(parse) => commands::parse::run(parse, output),
        Command::Cache(cache) => commands::cache::run(global, cache, output),
        Command::Completions(completions) => commands::generate::completions(completions),
        Command::Man(man) => commands::generate::man(man),
    }
}
