//! One job, from its bytes to the bytes of its answer.

use super::connection::Connection;
use super::frames::{Cost, Done, FromWorker, Job, JobResult, Work};
use super::repositories::{JobRepositories, OpenRepositories};
use caravan::key::Key;
use caravan::{Context, Error, Observer, Question, Stop, Warning};
use serde_bytes::ByteBuf;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Does a job. What is wrong with it is its result.
///
/// # Errors
/// When the connection to the service fails.
pub(super) fn run(
    job: &Job,
    repositories: &mut OpenRepositories,
    connection: &mut Connection,
    stop: &Stop,
) -> io::Result<Done> {
    let observer = JobObserver::new(connection);
    let result = match &job.work {
        Work::MakeIndexes => make_indexes(job, repositories, &observer),
        Work::Answer(question) => {
            let mut prepared = JobRepositories::new(&job.repositories, repositories);
            answer(question, &mut Context { repositories: &mut prepared, observer: &observer, stop })
        }
    };
    repositories.close_unused(job.repositories.len());
    let Report { remember, cost, connected, .. } = observer.end();
    connected?;
    let result = result.unwrap_or_else(JobResult::Error);
    Ok(Done { result, remember, open: repositories.commits(), cost })
}

fn make_indexes(job: &Job, repositories: &OpenRepositories, observer: &dyn Observer) -> Result<JobResult, Error> {
    job.repositories.iter().try_for_each(|repository| repositories.make_index(repository, observer))?;
    Ok(JobResult::IndexesMade)
}

/// Answers a question: from JSON to JSON.
fn answer(question: &[u8], context: &mut Context<'_>) -> Result<JobResult, Error> {
    let question: Question = serde_json::from_slice(question).map_err(|error| Error::question(error.to_string()))?;
    let answer = caravan::ask(&question, context)?;
    let json = answer.to_json().map_err(Error::system)?;
    Ok(JobResult::Answer { json: ByteBuf::from(json), can_be_kept: answer.can_be_kept() })
}

/// Tells the service what happens, and writes down what it is told at the end.
struct JobObserver<'c>(Mutex<Report<'c>>);

struct Report<'c> {
    connection: &'c mut Connection,
    /// The first failure of the connection: it ends the worker as soon as the job is done.
    connected: io::Result<()>,
    remember: Vec<(Key, ByteBuf)>,
    cost: Cost,
}

impl<'c> JobObserver<'c> {
    fn new(connection: &'c mut Connection) -> Self {
        Self(Mutex::new(Report { connection, connected: Ok(()), remember: vec![], cost: Cost::default() }))
    }

    fn report(&self) -> MutexGuard<'_, Report<'c>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(self) -> Report<'c> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for JobObserver<'_> {
    fn log(&self, line: &str) {
        let mut report = self.report();
        if report.connected.is_ok() {
            report.connected = report.connection.send(&FromWorker::Log(line.to_owned()));
        }
    }

    fn warn(&self, warning: Warning) {
        self.log(&warning.message);
    }

    fn recall(&self, key: &Key) -> Option<Vec<u8>> {
        let mut report = self.report();
        if report.connected.is_err() {
            return None;
        }
        match report.connection.recall(*key) {
            Ok(known) => known.map(ByteBuf::into_vec),
            Err(error) => {
                report.connected = Err(error);
                None
            }
        }
    }

    fn remember(&self, key: Key, bytes: Vec<u8>) {
        self.report().remember.push((key, ByteBuf::from(bytes)));
    }

    fn solved(&self, seconds: f64) {
        self.report().cost.solves.push(seconds);
    }

    fn explored(&self, packages: u64) {
        self.report().cost.explored += packages;
    }
}
