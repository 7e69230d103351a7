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
use serde::Deserialize;
use serde_json::value::RawValue;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Before something that was lost is sent again.
const PAUSE: Duration = Duration::from_secs(2);

pub(crate) fn run(global: &Global, arguments: &Submit, output: &mut Output) -> Result<ExitCode, Failure> {
    logs::begin(&arguments.logs, global.color);
    let jobs = jobs(arguments)?;
    let requests: Vec<Vec<u8>> = jobs.iter().map(|job| job.request.clone()).collect();
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
    for (job, result) in jobs.iter().zip(results.into_iter().flatten()) {
        // One line for each question, in their order.
        for answer in job.answers(result) {
            unanswered += usize::from(ErrorReport::is_one(&answer));
            output.data(&[answer.as_slice(), b"\n"].concat())?;
        }
    }
    Ok(if unanswered == 0 { ExitCode::SUCCESS } else { ExitCode::from(NO) })
}

/// What is sent as one.
struct Job {
    request: Vec<u8>,
    /// How many questions were put together; `None`: it is one question as it was written.
    batch: Option<usize>,
}

/// The answer to several questions.
#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow)]
    answers: Vec<Part<'a>>,
}

/// The answer to one of them.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Part<'a> {
    #[serde(borrow)]
    Answer(&'a RawValue),
    Error(String),
}

impl Job {
    /// The answer to each of its questions, or `caravan.error/1`.
    fn answers(&self, result: Result<Vec<u8>, SubmitError>) -> Vec<Vec<u8>> {
        let answer = result.unwrap_or_else(|error| ErrorReport::new("lost", &error.to_string()).to_json());
        let Some(count) = self.batch else { return vec![answer] };
        let parts = serde_json::from_slice::<Batch<'_>>(&answer).map(|batch| batch.answers).unwrap_or_default();
        if parts.len() != count {
            // What happened to the job happened to all of its questions.
            let all = match ErrorReport::is_one(&answer) {
                true => answer,
                false => ErrorReport::new("system", "the worker's answer is none to the job's questions").to_json(),
            };
            return vec![all; count];
        }
        let one = |part: Part<'_>| match part {
            Part::Answer(answer) => answer.get().as_bytes().to_vec(),
            Part::Error(text) => ErrorReport::new("unanswered", &text).to_json(),
        };
        parts.into_iter().map(one).collect()
    }
}

/// The questions, put together as jobs.
fn jobs(arguments: &Submit) -> Result<Vec<Job>, Failure> {
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
        let job = |question: &&RawValue| Job { request: question.get().as_bytes().to_vec(), batch: None };
        return Ok(questions.iter().map(job).collect());
    }
    if arguments.kind != "caravan" {
        return Err(Failure::usage("only jobs of the kind `caravan` can be put together").hint("leave out `--batch`"));
    }
    let batch = |questions: &[&RawValue]| {
        let texts: Vec<&str> = questions.iter().map(|question| question.get()).collect();
        let request = format!("{{\"batch\":[{}]}}", texts.join(",")).into_bytes();
        Job { request, batch: Some(questions.len()) }
    };
    Ok(questions.chunks(arguments.batch).map(batch).collect())
}
