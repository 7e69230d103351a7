//! `caravan submit`: work for a cluster.

use super::logs;
use super::setup::system;
use crate::arguments::Global;
use crate::arguments::farm::Submit;
use crate::failure::{Failure, Kind, NO};
use crate::output::Output;
use crate::progress::Bar;
use caravan_farm::servers::cluster::{Submission, SubmitError, submit};
use caravan_farm::servers::error::ErrorReport;
use caravan_farm::vat::{Identity, SturdyRef};
use serde_json::value::RawValue;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Before something that was lost is sent again.
const PAUSE: Duration = Duration::from_secs(2);

pub(crate) fn run(global: &Global, arguments: &Submit, output: &mut Output) -> Result<ExitCode, Failure> {
    logs::begin(&arguments.logs, global.color);
    let requests = requests(arguments)?;
    let submission = Submission {
        connect: SturdyRef::load(&arguments.connect)?,
        pool: arguments.pool.clone(),
        kind: arguments.kind.clone(),
        urgent: arguments.urgent,
        at_once: arguments.at_once,
        attempts: arguments.attempts,
        pause: PAUSE,
    };
    let identity = Identity::ephemeral().map_err(system)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(system)?;
    let local = tokio::task::LocalSet::new();
    let mut results: Vec<Option<Result<Vec<u8>, SubmitError>>> = vec![None; requests.len()];
    let mut done = 0;
    let mut bar = output.shows_progress().then(|| Bar::new("jobs", requests.len()));
    local.block_on(
        &runtime,
        submit(&submission, &identity, &requests, &mut |place, result| {
            results[place] = Some(result);
            done += 1;
            if let Some(bar) = &mut bar {
                bar.advance(done);
            }
        }),
    );
    drop(bar);
    let mut unanswered = 0;
    for result in results.into_iter().flatten() {
        match result {
            // One line for each job, in the order of the questions.
            Ok(answer) => {
                unanswered += usize::from(ErrorReport::is_one(&answer));
                output.data(&[answer.as_slice(), b"\n"].concat())?;
            }
            Err(error) => {
                unanswered += 1;
                let report = ErrorReport::new("lost", &error.to_string()).to_json();
                output.data(&[report.as_slice(), b"\n"].concat())?;
            }
        }
    }
    Ok(if unanswered == 0 { ExitCode::SUCCESS } else { ExitCode::from(NO) })
}

/// The questions, put together as jobs.
fn requests(arguments: &Submit) -> Result<Vec<Vec<u8>>, Failure> {
    let text = match arguments.questions.as_path() {
        path if path == Path::new("-") => std::io::read_to_string(std::io::stdin()),
        path => fs_err::read_to_string(path),
    };
    let text = text.map_err(|error| Failure::new(Kind::System, error.to_string()))?;
    let mut questions: Vec<&RawValue> = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let question = serde_json::from_str(line).map_err(|error| {
            Failure::usage(format!("line {} of `{}` is not JSON: {error}", number + 1, arguments.questions.display()))
        })?;
        questions.push(question);
    }
    if arguments.batch <= 1 {
        return Ok(questions.iter().map(|question| question.get().as_bytes().to_vec()).collect());
    }
    if arguments.kind != "caravan" {
        return Err(Failure::usage("only jobs of the kind `caravan` can be put together").hint("leave out `--batch`"));
    }
    let batch = |questions: &[&RawValue]| {
        let questions: Vec<&str> = questions.iter().map(|question| question.get()).collect();
        format!("{{\"batch\":[{}]}}", questions.join(",")).into_bytes()
    };
    Ok(questions.chunks(arguments.batch).map(batch).collect())
}
