//! `caravan submit`: work for a cluster.

use super::{logs, system};
use crate::arguments::Global;
use crate::arguments::farm::Submit;
use crate::failure::{Failure, Kind, NO};
use crate::output::{Counter, Output};
use caravan_farm::doors::cluster::{Submission, SubmitError, submit};
use caravan_farm::vat::{Identity, SturdyRef};
use serde_json::value::RawValue;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// How a worker's answer begins that is none.
const ERROR: &[u8] = b"{\"schema\":\"caravan.error/1\"";
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
    let counter = Counter::new(output, "jobs", requests.len());
    local.block_on(
        &runtime,
        submit(&submission, &identity, &requests, &mut |place, result| {
            results[place] = Some(result);
            counter.done(1);
        }),
    );
    drop(counter);
    let mut unanswered = 0;
    for result in results.into_iter().flatten() {
        match result {
            // One line for each job, in the order of the tasks.
            Ok(answer) => {
                unanswered += usize::from(answer.starts_with(ERROR));
                output.bytes(&[answer.as_slice(), b"\n"].concat())?;
            }
            Err(error) => {
                unanswered += 1;
                let text = serde_json::to_string(&error.to_string()).unwrap_or_default();
                let line = format!("{{\"schema\":\"caravan.error/1\",\"kind\":\"lost\",\"error\":{text}}}\n");
                output.bytes(line.as_bytes())?;
            }
        }
    }
    Ok(if unanswered == 0 { ExitCode::SUCCESS } else { ExitCode::from(NO) })
}

/// The tasks, put together as jobs.
fn requests(arguments: &Submit) -> Result<Vec<Vec<u8>>, Failure> {
    let text = match arguments.tasks.as_path() {
        path if path == Path::new("-") => std::io::read_to_string(std::io::stdin()),
        path => fs_err::read_to_string(path),
    };
    let text = text.map_err(|error| Failure::new(Kind::System, error.to_string()))?;
    let mut tasks: Vec<&RawValue> = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let task = serde_json::from_str(line).map_err(|error| {
            Failure::usage(format!("line {} of `{}` is not JSON: {error}", number + 1, arguments.tasks.display()))
        })?;
        tasks.push(task);
    }
    if arguments.batch <= 1 {
        return Ok(tasks.iter().map(|task| task.get().as_bytes().to_vec()).collect());
    }
    if arguments.kind != "caravan" {
        return Err(Failure::usage("only tasks of the kind `caravan` can be put together").hint("leave out `--batch`"));
    }
    let batch = |tasks: &[&RawValue]| {
        let tasks: Vec<&str> = tasks.iter().map(|task| task.get()).collect();
        format!("{{\"batch\":[{}]}}", tasks.join(",")).into_bytes()
    };
    Ok(tasks.chunks(arguments.batch).map(batch).collect())
}
