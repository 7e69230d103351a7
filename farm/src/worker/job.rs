//! One job, from its bytes to the bytes of its answer.

use super::frames::{Cost, Done, Failure, FromWorker, Job, Question};
use super::{Held, Line, States};
use crate::digest::Key;
use crate::siblings::{self, docs_ci, mirage_ci};
use crate::solver_service::{Asked, Found, Refusal, SolveRequest, SolveResponse, State};
use crate::tasks;
use caravan_solver::{Stop, Stopped};
use serde_bytes::ByteBuf;
use std::io;

/// What a job comes to.
#[derive(Default)]
struct Answered {
    answer: Vec<u8>,
    remember: Option<(Key, Vec<u8>)>,
    cost: Cost,
}

impl From<Vec<u8>> for Answered {
    fn from(answer: Vec<u8>) -> Self {
        Self { answer, ..Self::default() }
    }
}

/// Trouble with the socket, which ends the worker, or with the job.
enum Trouble {
    Socket(io::Error),
    Job(Failure),
    /// solver-service's own kind of error.
    Refused(String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Socket(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Job(failure)
    }
}

impl From<Stopped> for Failure {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Cancelled => Self::Cancelled,
            Stopped::Deadline => Self::Deadline,
        }
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Cancelled => Self::Job(Failure::Cancelled),
            Refusal::Msg(text) => Self::Refused(text),
        }
    }
}

pub(super) fn answer(job: &Job, states: &mut States, line: &mut Line, stop: &Stop) -> io::Result<Done> {
    let answered = match &job.question {
        Question::Prepare => prepare(job, states, line),
        Question::SolverService(body) => solver_service(job, body, states, line, stop),
        Question::DocsCi(body) => docs_ci(job, body, states, line, stop),
        Question::MirageCi(body) => mirage_ci(job, body, states, line, stop),
        Question::Caravan(body) => caravan(job, body, states, line, stop),
    };
    let answered = match answered {
        Ok(answered) => Ok(answered),
        Err(Trouble::Refused(text)) => Ok(SolveResponse::Error(Refusal::Msg(text)).to_json().into()),
        Err(Trouble::Job(failure)) => Err(failure),
        Err(Trouble::Socket(error)) => return Err(error),
    };
    let (answer, remember, cost) = match answered {
        Ok(Answered { answer, remember, cost }) => (Ok(ByteBuf::from(answer)), remember, cost),
        Err(failure) => (Err(failure), None, Cost::default()),
    };
    let remember = remember.map(|(key, bytes)| (key, ByteBuf::from(bytes)));
    Ok(Done { answer, remember, holds: states.names(), cost })
}

fn prepare(job: &Job, states: &States, line: &mut Line) -> Result<Answered, Trouble> {
    for name in &job.states {
        for warning in states.prepare(name)? {
            line.send(&FromWorker::Log(warning))?;
        }
    }
    Ok(Answered::default())
}

/// The JSON of a question.
fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| Failure::Question(error.to_string()))
}

/// Does something that writes a log; the first error of the socket counts before all others.
fn logged<T>(line: &mut Line, work: impl FnOnce(&mut dyn FnMut(&str)) -> T) -> io::Result<T> {
    let mut error = None;
    let made = work(&mut |text| {
        if error.is_none() {
            error = line.send(&FromWorker::Log(text.to_owned())).err();
        }
    });
    error.map_or(Ok(made), Err)
}

fn state(held: &Held) -> State<'_> {
    State {
        url: &held.name.url,
        commit: &held.name.commit,
        index: &held.index,
        reach: &held.reach,
        lineage: &held.lineage,
    }
}

fn solver_service(
    job: &Job,
    body: &[u8],
    states: &mut States,
    line: &mut Line,
    stop: &Stop,
) -> Result<Answered, Trouble> {
    let request: SolveRequest = read(body)?;
    let held = states.open(&job.states)?;
    let states: Vec<State<'_>> = held.iter().map(|held| state(held)).collect();
    let asked = Asked::read(&states, &request)?;
    let key = asked.looked_at();
    let known = line.recall(key)?.and_then(|bytes| postcard::from_bytes::<Vec<Found>>(&bytes).ok());
    let mut answered = Answered::default();
    let found = match known.filter(|known| known.len() == request.platforms.len()) {
        Some(known) => known,
        None => {
            let (found, explored) = asked.solve(stop)?;
            answered.remember = postcard::to_allocvec(&found).ok().map(|bytes| (key, bytes));
            answered.cost = Cost { solves: found.iter().map(|found| found.seconds).collect(), explored };
            found
        }
    };
    let selections = logged(line, |log| asked.respond(found, log, stop))??;
    answered.answer = SolveResponse::Ok(selections).to_json();
    Ok(answered)
}

fn docs_ci(job: &Job, body: &[u8], states: &mut States, line: &mut Line, stop: &Stop) -> Result<Answered, Trouble> {
    let request: docs_ci::SolveRequest = read(body)?;
    let held = states.open(&job.states)?;
    let [held] = held.as_slice() else {
        return Err(Failure::Question("there is one repository".to_owned()).into());
    };
    sibling(logged(line, |log| docs_ci::answer(held, &request, log, stop))?)
}

fn mirage_ci(job: &Job, body: &[u8], states: &mut States, line: &mut Line, stop: &Stop) -> Result<Answered, Trouble> {
    let request: mirage_ci::SolveRequest = read(body)?;
    let held = states.open(&job.states)?;
    sibling(logged(line, |log| mirage_ci::answer(&held, &request, log, stop))?)
}

fn sibling(answer: Result<Vec<u8>, siblings::Refusal>) -> Result<Answered, Trouble> {
    match answer {
        Ok(answer) => Ok(answer.into()),
        Err(siblings::Refusal::Stopped(why)) => Err(Trouble::Job(why.into())),
        Err(siblings::Refusal::Msg(text)) => Err(Trouble::Job(Failure::Question(text))),
    }
}

fn caravan(job: &Job, body: &[u8], states: &mut States, line: &mut Line, stop: &Stop) -> Result<Answered, Trouble> {
    let task: tasks::Task = read(body)?;
    let held = states.open(&job.states)?;
    let answer = logged(line, |log| tasks::answer(&task, &held, log, stop))??;
    Ok(answer.into())
}
