//! Commands that ask a question: the answer on stdout, what it comes to as exit code.

use crate::arguments::{Command, Format, Global};
use crate::failure::{COULD_NOT_TELL, Failure, Kind, NO};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::progress::Progress;
use crate::questions;
use caravan::answer::{BuildsAnswer, LockAnswer, RecipeKind};
use caravan::escape;
use caravan::render::{self, TextOptions};
use caravan::{Answer, Context, Local, Observer, Outcome, Question, Stop, ask};
use std::path::Path;
use std::process::ExitCode;

/// Answers a command that asks a question.
pub(crate) fn run(global: &Global, command: &Command, output: &mut Output) -> Result<ExitCode, Failure> {
    let interrupt = Interrupt::watch(global.step_limit);
    let answer = answer(global, command, output, &interrupt.stop);
    interrupt.answered();
    let interrupted = interrupt.code();
    let shown = answer.and_then(|answer| {
        match show(command, &answer, output) {
            // What is left of it is nobody's business any more, but what it comes to is.
            Err(Failure::BrokenPipe) => {}
            shown => shown?,
        }
        Ok(match answer.outcome() {
            Outcome::Yes => ExitCode::SUCCESS,
            Outcome::No => ExitCode::from(NO),
            Outcome::Unknown if matches!(command, Command::Impact(_)) => ExitCode::from(COULD_NOT_TELL),
            Outcome::Unknown => ExitCode::from(Kind::Deadline.exit_code()),
        })
    });
    match (shown, interrupted) {
        (Err(failure), Some(code)) => {
            output.failure(&failure);
            Ok(code)
        }
        (Ok(_), Some(code)) => Ok(code),
        (shown, None) => code_of_impact(shown, command, output),
    }
}

/// The code of `impact` where it failed.
fn code_of_impact(
    shown: Result<ExitCode, Failure>,
    command: &Command,
    output: &mut Output,
) -> Result<ExitCode, Failure> {
    match shown {
        // CI has to tell three cases of `impact` apart, and a failure of any kind is the third.
        Err(failure @ Failure::Error(_)) if matches!(command, Command::Impact(_)) => {
            output.failure(&failure);
            Ok(ExitCode::from(COULD_NOT_TELL))
        }
        other => other,
    }
}

fn answer(global: &Global, command: &Command, output: &mut Output, stop: &Stop) -> Result<Answer, Failure> {
    let observer = Progress::new(output);
    let mut local = questions::repositories(global)?;
    let question = question(global, command, &local, &observer)?;
    Ok(ask(&question, &mut Context { repositories: &mut local, observer: &observer, stop })?)
}

/// The question of a command.
fn question(global: &Global, command: &Command, local: &Local, observer: &dyn Observer) -> Result<Question, Failure> {
    match command {
        Command::Solve(arguments) => questions::solve(global, arguments, local, observer),
        Command::Installable(arguments) => questions::installable(global, arguments),
        Command::List(arguments) => questions::list(global, arguments),
        Command::Show(arguments) => questions::show(global, arguments),
        Command::Revdeps(arguments) => questions::revdeps(global, arguments),
        Command::Deps(arguments) => questions::deps(global, arguments),
        Command::Impact(arguments) => questions::impact(global, arguments),
        Command::Bounds(arguments) => questions::bounds(global, arguments),
        Command::Bisect(arguments) => questions::bisect(global, arguments),
        Command::Health(arguments) => questions::health(arguments),
        Command::Builds(arguments) => questions::builds(global, arguments),
        Command::Docs(arguments) => questions::docs(arguments),
        Command::Lock(arguments) => questions::lock(global, arguments, local, observer),
        Command::Platforms(arguments) => questions::platforms(arguments),
        Command::Ask(arguments) => questions::from_file(&arguments.question),
        _ => Err(Failure::usage("this command asks no question")),
    }
}

/// Shows an answer in the form that was asked for, and writes the files that it has.
fn show(command: &Command, answer: &Answer, output: &mut Output) -> Result<(), Failure> {
    let written = match (command, answer) {
        (Command::Lock(arguments), Answer::Lock(lock)) => {
            write_locks(lock, &arguments.directory, arguments.output.as_deref())?
        }
        (Command::Builds(arguments), Answer::Builds(builds)) => {
            write_recipes(builds, arguments.obuilder.as_deref(), arguments.dockerfile.as_deref())?;
            vec![]
        }
        _ => vec![],
    };
    let options = TextOptions { verbose: verbose(command), tree: matches!(tree(command), Some(true)) };
    match (output.format, answer) {
        // The same bytes as services send.
        (_, answer) if matches!(command, Command::Ask(_)) => {
            let mut json = answer.to_json().map_err(|error| Failure::new(Kind::System, error.to_string()))?;
            json.push(b'\n');
            output.data(&json)
        }
        (_, Answer::Show(show)) if is_raw(command) => output.data(&show.raw()),
        (Format::Text, Answer::Lock(_)) => written.iter().try_for_each(|line| output.line(escape::line(line))),
        (format, answer) => {
            let text = render::render(answer, form(format), options);
            let text = text.ok_or_else(|| Failure::usage("this answer does not have that format"))?;
            match (format, answer) {
                // A patch is for `git apply`.
                (Format::Text, Answer::Bounds(bounds)) => {
                    output.data(text.as_bytes())?;
                    render::bounds_summary(bounds).iter().for_each(|line| output.note(line));
                    Ok(())
                }
                (Format::Text, _) => output.text(&text),
                _ => output.data(text.as_bytes()),
            }
        }
    }
}

/// What the library calls a format.
fn form(format: Format) -> render::Format {
    match format {
        Format::Text => render::Format::Text,
        Format::Json => render::Format::Json,
        Format::Dot => render::Format::Dot,
        Format::Markdown => render::Format::Markdown,
        Format::Github => render::Format::Github,
        Format::Html => render::Format::Html,
        Format::HealthCheck => render::Format::HealthCheck,
    }
}

fn verbose(command: &Command) -> bool {
    match command {
        Command::Installable(arguments) => arguments.verbose,
        Command::Impact(arguments) => arguments.verbose,
        Command::Health(arguments) => arguments.verbose,
        _ => false,
    }
}

fn tree(command: &Command) -> Option<bool> {
    match command {
        Command::Revdeps(arguments) => Some(arguments.listing.tree),
        Command::Deps(arguments) => Some(arguments.listing.tree),
        _ => None,
    }
}

fn is_raw(command: &Command) -> bool {
    matches!(command, Command::Show(arguments) if arguments.raw)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs_err::write(path, text).map_err(|error| Failure::new(Kind::System, error.to_string()))
}

/// Writes lock files beside the opam files, or where the user wants them; says what was written.
fn write_locks(lock: &LockAnswer, project: &Path, wanted: Option<&Path>) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    for file in &lock.files {
        // For opam the output is a directory, for opam-monorepo, which has one lock file, it is that file.
        let path = match (wanted, &file.vendored) {
            (Some(wanted), Some(_)) => wanted.to_owned(),
            (wanted, _) => wanted.unwrap_or(project).join(&file.path),
        };
        write(&path, &file.text)?;
        let count = file.packages.len();
        let vendored = file.vendored.as_ref().map(|all| format!(", {} of them vendored", all.len()));
        lines.push(format!("wrote {}: {count} packages{}", path.display(), vendored.unwrap_or_default()));
    }
    Ok(lines)
}

fn write_recipes(builds: &BuildsAnswer, obuilder: Option<&Path>, dockerfile: Option<&Path>) -> Result<(), Failure> {
    for recipe in &builds.recipes {
        let directory = match recipe.kind {
            RecipeKind::Obuilder => obuilder,
            RecipeKind::Dockerfile => dockerfile,
        };
        let Some(path) = directory.map(|directory| directory.join(&recipe.path)) else { continue };
        if let Some(parent) = path.parent() {
            fs_err::create_dir_all(parent).map_err(|error| Failure::new(Kind::System, error.to_string()))?;
        }
        write(&path, &recipe.text)?;
    }
    Ok(())
}
