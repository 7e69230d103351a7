//! Sending work to a pool of workers through a scheduler, and gathering the results. What a dying worker or a
//! restarting scheduler lost is sent again.

use crate::generated::ocluster_capnp::{submission, ticket};
use crate::generated::solver_capnp::solver::solve_params;
use crate::vat::{Connected, Identity, SturdyRef, VatError, connect};
use capnp::Error;
use capnp::capability::Rc;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::cell::RefCell;
use std::time::Duration;

/// Where and how work is sent.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The scheduler's submission service.
    pub connect: SturdyRef,
    /// The pool of workers.
    pub pool: String,
    /// `caravan` or `solve`.
    pub kind: String,
    /// Before others.
    pub urgent: bool,
    /// How many jobs are under way at once.
    pub at_once: usize,
    /// How often one job is sent at most.
    pub attempts: usize,
    /// Before something is sent again.
    pub pause: Duration,
}

/// Why a job has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// It was lost too often.
    #[error("lost {attempts} times: {last}")]
    Lost {
        /// How often it was sent.
        attempts: usize,
        /// Why it was lost the last time.
        last: String,
    },
}

/// A connection that whoever needs it makes again.
struct Scheduler<'s> {
    submission: &'s Submission,
    identity: &'s Identity,
    connected: RefCell<Option<Rc<Connected<submission::Client>>>>,
    connecting: tokio::sync::Mutex<()>,
}

impl Scheduler<'_> {
    async fn get(&self) -> Result<Rc<Connected<submission::Client>>, VatError> {
        let _one = self.connecting.lock().await;
        if let Some(known) = &*self.connected.borrow()
            && !known.ended.is_finished()
        {
            return Ok(Rc::clone(known));
        }
        let made = Rc::new(connect(&self.submission.connect, self.identity).await?);
        *self.connected.borrow_mut() = Some(Rc::clone(&made));
        Ok(made)
    }

    async fn attempt(&self, request: &[u8]) -> Result<Vec<u8>, String> {
        let scheduler = self.get().await.map_err(|error| error.to_string())?;
        result(&scheduler.service, self.submission, request).await.map_err(|error| error.to_string())
    }

    async fn one(&self, request: &[u8]) -> Result<Vec<u8>, SubmitError> {
        let mut last = String::new();
        for attempt in 0..self.submission.attempts.max(1) {
            if attempt > 0 {
                tracing::warn!("sent again: {last}");
                tokio::time::sleep(self.submission.pause).await;
            }
            match self.attempt(request).await {
                Ok(result) => return Ok(result),
                Err(error) => last = error,
            }
        }
        Err(SubmitError::Lost { attempts: self.submission.attempts.max(1), last })
    }
}

async fn result(to: &submission::Client, how: &Submission, request: &[u8]) -> Result<Vec<u8>, Error> {
    let mut call = to.submit_request();
    {
        let mut parameters = call.get();
        parameters.set_pool(&how.pool);
        parameters.set_urgent(how.urgent);
        let mut descr = parameters.init_descr();
        descr.set_cache_hint("");
        descr.set_repository("");
        let mut custom = descr.init_action().init_custom();
        custom.set_kind(&how.kind);
        let mut payload: solve_params::Builder<'_> = custom.init_payload().init_as();
        payload.set_request(capnp::text::Reader(request));
    }
    let ticket: ticket::Client = call.send().pipeline.get_ticket();
    let job = ticket.job_request().send().pipeline.get_job();
    let answer = job.result_request().send().promise.await?;
    Ok(answer.get()?.get_output()?.as_bytes().to_vec())
}

/// Has every request done. `done` gets each result with its place, in the order in which they come.
pub async fn submit(
    how: &Submission,
    identity: &Identity,
    requests: &[Vec<u8>],
    done: &mut dyn FnMut(usize, Result<Vec<u8>, SubmitError>),
) {
    let scheduler =
        Scheduler { submission: how, identity, connected: RefCell::default(), connecting: tokio::sync::Mutex::new(()) };
    let mut waiting = requests.iter().enumerate();
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < how.at_once.max(1)
            && let Some((place, request)) = waiting.next()
        {
            let scheduler = &scheduler;
            running.push(async move { (place, scheduler.one(request).await) });
        }
        match running.next().await {
            Some((place, result)) => done(place, result),
            None => return,
        }
    }
}
