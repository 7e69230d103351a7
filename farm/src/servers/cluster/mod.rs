//! An OCluster worker, and sending work to one.
//!
//! ```text
//! connect ── register ──> Queue ── pop(Job) ──> Custom ── Service::ask ── result
//!    ^  10 s at least        │ one at a time, below the capacity, not while a repository is fetched for long
//!    └── the connection ended, or selfUpdate: drained, then again
//! ```

mod job;
mod submit;

pub use submit::{Submission, SubmitError, submit};

use crate::generated::ocluster_capnp::{MetricsSource, custom, job_descr, queue, registration, worker};
use crate::generated::solver_capnp::solver::solve_params;
use crate::metrics::{Exposition, JobLabels, Outcome};
use crate::pool::PoolError;
use crate::servers::error::{refusal, report};
use crate::servers::log::log_line;
use crate::service::{Request, RequestError, Service};
use crate::vat::{Connected, Identity, SturdyRef, VatError, connect};
use capnp::Error;
use capnp::capability::Rc;
use job::{JobServer, JobState};
use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::spawn_local;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// How a worker is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the pool's registration service is.
    pub connect: SturdyRef,
    /// What it is called.
    pub name: String,
    /// How many jobs it takes at once.
    pub capacity: u16,
    /// Between two attempts to connect.
    pub pause: Duration,
}

/// A fetch that takes longer than this pauses the queue: other workers may have the repository already.
const LONG_FETCH: Duration = Duration::from_millis(500);

/// Why a connection ended.
enum Ended {
    /// By itself.
    Connection,
    /// To begin anew.
    Update,
    /// For good.
    Stopped,
}

/// Takes jobs from a scheduler, over one connection after the other, until `stop`; then those that were taken
/// are finished.
pub async fn work(service: Arc<Service>, settings: Settings, identity: Identity, stop: CancellationToken) {
    let worker = Rc::new(ClusterWorker {
        service,
        settings,
        running: Cell::new(0),
        changed: Notify::new(),
        update: Notify::new(),
    });
    loop {
        let began = Instant::now();
        match ClusterWorker::connection(&worker, &identity, &stop).await {
            Ok(Ended::Stopped) => return,
            Ok(Ended::Update) => tracing::info!("registering again"),
            Ok(Ended::Connection) => tracing::info!("the connection to the scheduler ended: connecting again"),
            Err(ConnectionError::Rpc(error)) if error.kind == capnp::ErrorKind::Disconnected => {
                tracing::info!(
                    "the connection to the scheduler ended before it registered this worker: connecting again"
                );
            }
            Err(error) => tracing::warn!("no connection to the scheduler: {error}"),
        }
        let rest = worker.settings.pause.saturating_sub(began.elapsed());
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// A worker, over all its connections.
struct ClusterWorker {
    service: Arc<Service>,
    settings: Settings,
    running: Cell<u16>,
    /// A job ended.
    changed: Notify,
    /// The scheduler wants it to update itself.
    update: Notify,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
enum ConnectionError {
    #[error(transparent)]
    Vat(#[from] VatError),
    #[error("{0}")]
    Rpc(#[from] Error),
}

impl ClusterWorker {
    async fn connection(
        this: &Rc<Self>,
        identity: &Identity,
        stop: &CancellationToken,
    ) -> Result<Ended, ConnectionError> {
        let mut connected: Connected<registration::Client> = tokio::select! {
            connected = connect(&this.settings.connect, identity) => connected?,
            () = stop.cancelled() => return Ok(Ended::Stopped),
        };
        let mut call = connected.service.register_request();
        call.get().set_name(&this.settings.name);
        call.get().set_worker(capnp_rpc::new_client(WorkerServer(Rc::clone(this))));
        call.get().set_capacity(i32::from(this.settings.capacity));
        let answer = tokio::select! {
            answer = call.send().promise => answer?,
            () = stop.cancelled() => return Ok(Ended::Stopped),
        };
        let queue = answer.get()?.get_queue()?;
        tracing::info!(name = this.settings.name, "registered");
        let fetching = this.service.fetching();
        let pausing = AbortOnDropHandle::new(spawn_local(pause(queue.clone(), fetching)));
        let mut next: Option<RequestedJob> = None;
        let ended = loop {
            if next.is_none() && this.running.get() < this.settings.capacity {
                next = Some(this.pop(&queue));
            }
            let popped = async {
                match &mut next {
                    Some(next) => (&mut next.descr).await,
                    None => std::future::pending().await,
                }
            };
            let changed = this.changed.notified();
            tokio::select! {
                descr = popped => match (descr, next.take()) {
                    (Ok(descr), Some(RequestedJob { state, .. })) => Self::start(this, descr, state),
                    (Err(error), _) if error.kind == capnp::ErrorKind::Disconnected => break Ended::Connection,
                    (Err(error), _) => {
                        tracing::warn!("the scheduler gives no job: {error}");
                        break Ended::Connection;
                    }
                    (Ok(_), None) => {}
                },
                () = changed => {}
                _ = &mut connected.ended => return Ok(Ended::Connection),
                () = this.update.notified() => break Ended::Update,
                () = stop.cancelled() => break Ended::Stopped,
            }
        };
        drop(pausing);
        if !matches!(ended, Ended::Connection) {
            Self::drain(this, &queue, next).await;
        }
        Ok(ended)
    }

    /// Takes no more jobs, and finishes those that there are.
    async fn drain(this: &Rc<Self>, queue: &queue::Client, next: Option<RequestedJob>) {
        set_active(queue, false).await;
        if let Some(RequestedJob { descr, state }) = next {
            // What the scheduler gave before it knew has come by now.
            if let Ok(Ok(descr)) = tokio::time::timeout(Duration::from_millis(50), descr).await {
                Self::start(this, descr, state);
            }
        }
        while this.running.get() > 0 {
            let changed = this.changed.notified();
            let _ = tokio::time::timeout(Duration::from_millis(100), changed).await;
        }
        // The scheduler's last questions about results are answered before the connection goes.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    fn pop(&self, queue: &queue::Client) -> RequestedJob {
        let state = JobState::new(&self.settings.name);
        let mut call = queue.pop_request();
        call.get().set_job(capnp_rpc::new_client(JobServer::new(Rc::clone(&state))));
        RequestedJob { descr: call.send().promise, state }
    }

    fn start(this: &Rc<Self>, descr: capnp::capability::Response<queue::pop_results::Owned>, state: Rc<JobState>) {
        this.running.set(this.running.get() + 1);
        let metrics = this.service.metrics();
        metrics.jobs_accepted.inc();
        metrics.running_jobs.inc();
        let this = Rc::clone(this);
        spawn_local(async move {
            let began = Instant::now();
            let read = descr.get().and_then(|results| read(results.get_descr()?));
            drop(descr);
            let result = tokio::select! {
                result = this.job(read, &state) => result,
                () = state.cancelled() => None,
            };
            let outcome = match &result {
                Some(Ok(_)) => Outcome::Ok,
                Some(Err(_)) => Outcome::Error,
                None => Outcome::Cancelled,
            };
            // solver-service's clients want an answer also after they cancelled.
            let cancelled = || Ok(refusal(&PoolError::Cancelled.into()));
            state.finish(result.unwrap_or_else(cancelled));
            let metrics = this.service.metrics();
            metrics.job_seconds.get_or_create(&JobLabels { result: outcome }).observe(began.elapsed().as_secs_f64());
            metrics.running_jobs.dec();
            this.running.set(this.running.get() - 1);
            this.changed.notify_waiters();
        });
    }

    /// The result, or why the job fails.
    async fn job(&self, read: capnp::Result<Payload>, state: &JobState) -> Option<Result<Vec<u8>, String>> {
        let payload = match read {
            Ok(payload) => payload,
            Err(error) => return Some(Err(error.extra)),
        };
        let (lines, mut written) = mpsc::unbounded_channel::<String>();
        let asking = async {
            let client = format!("scheduler of {}", self.settings.name);
            match payload {
                Payload::SolverService(request) => {
                    let request = Request::from_ocaml(&request);
                    let answer = self.service.ask(&client, request, lines).await;
                    answer.unwrap_or_else(|error| match error {
                        RequestError::BadRequest(error) => {
                            refusal(&RequestError::Malformed(format!("Bad request: {}", error.reason())))
                        }
                        error => refusal(&error),
                    })
                }
                Payload::Question(question) => {
                    let answer = self.service.ask(&client, Request::from_json(question), lines).await;
                    answer.unwrap_or_else(|error| report(&error))
                }
            }
        };
        let logging = async {
            while let Some(line) = written.recv().await {
                state.write(log_line(&line).as_bytes());
            }
        };
        let (answer, ()) = futures::join!(asking, logging);
        Some(Ok(answer))
    }
}

/// A job that the scheduler was asked for.
struct RequestedJob {
    descr: capnp::capability::Promise<capnp::capability::Response<queue::pop_results::Owned>, Error>,
    state: Rc<JobState>,
}

/// What a job is.
enum Payload {
    /// A request of solver-service.
    SolverService(Vec<u8>),
    /// Any question.
    Question(Vec<u8>),
}

fn read(descr: job_descr::Reader<'_>) -> capnp::Result<Payload> {
    let custom: custom::Reader<'_> = match descr.get_action().which() {
        Ok(job_descr::action::Custom(custom)) => custom?,
        _ => return Err(Error::failed("Only custom builds are supported".to_owned())),
    };
    let parameters: solve_params::Reader<'_> = custom.get_payload().get_as()?;
    let request = parameters.get_request()?.as_bytes().to_vec();
    // As with the OCaml worker, everything that is not known is a solve.
    Ok(match custom.get_kind()?.as_bytes() {
        b"caravan" => Payload::Question(request),
        _ => Payload::SolverService(request),
    })
}

/// Pauses a queue while a repository is being fetched for long, as long as the service lives.
async fn pause(queue: queue::Client, mut fetching: watch::Receiver<usize>) {
    while fetching.wait_for(|count| *count > 0).await.is_ok() {
        if tokio::time::timeout(LONG_FETCH, fetching.wait_for(|count| *count == 0)).await.is_err() {
            set_active(&queue, false).await;
            if fetching.wait_for(|count| *count == 0).await.is_err() {
                return;
            }
            set_active(&queue, true).await;
        }
    }
}

async fn set_active(queue: &queue::Client, active: bool) {
    let mut call = queue.set_active_request();
    call.get().set_active(active);
    if let Err(error) = call.send().promise.await {
        tracing::warn!("the scheduler does not pause: {error}");
    }
}

/// What the scheduler may ask of the worker.
struct WorkerServer(Rc<ClusterWorker>);

impl worker::Server for WorkerServer {
    async fn metrics(
        self: Rc<Self>,
        params: worker::MetricsParams,
        mut results: worker::MetricsResults,
    ) -> Result<(), Error> {
        if params.get()?.get_source()? == MetricsSource::Host {
            return Err(Error::failed("this worker knows nothing of its host".to_owned()));
        }
        let text = self.0.service.metrics().write(Exposition::Text);
        results.get().set_content_type(Exposition::Text.content_type());
        results.get().set_data(text.as_str());
        Ok(())
    }

    async fn self_update(
        self: Rc<Self>,
        _: worker::SelfUpdateParams,
        _: worker::SelfUpdateResults,
    ) -> Result<(), Error> {
        self.0.update.notify_one();
        drop(self);
        // It ends with the connection: an answer would say that nothing was done.
        std::future::pending().await
    }
}
