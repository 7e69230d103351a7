//! A pool of worker processes.
//!
//! ```text
//! Pool::run ── Queue (bounded, clients take turns) ── an idle worker ──> Process ── Done
//!     │            a worker that holds the states comes first     │
//!     └─ dropped: the job is cancelled       dead, late, too large: killed, replaced after a while,
//!                                             and the job gets an error, never a second worker
//! ```

mod process;
mod queue;

pub use process::Start;
pub use queue::{Full, Queue};

use crate::digest::{Digest, Key};
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::worker::frames::{Done, Failure, FromWorker, Job, Question, StateName, ToWorker};
use process::Process;
use serde_bytes::ByteBuf;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// How a pool is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How to start a worker.
    pub start: Start,
    /// How many workers.
    pub workers: usize,
    /// How many jobs may wait.
    pub queue: usize,
    /// How much longer than its limit a job may take before its worker is killed.
    pub grace: Duration,
}

/// After a job killed its worker, it is refused for that long.
const REFUSED_FOR: Duration = Duration::from_secs(600);
/// Before a worker that died at once is replaced; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// Why a job has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// There is no room in the queue.
    #[error("busy: {0} requests are waiting already; try again later")]
    Busy(usize),
    /// The client has too many waiting.
    #[error("busy: you have your share of requests waiting already; try again when some are answered")]
    BusyClient,
    /// The service ends.
    #[error("the service is shutting down; try again on another one, or later")]
    ShuttingDown,
    /// The worker that did it died.
    #[error("the worker process died while it was at this request ({0}); other requests are not affected")]
    Died(String),
    /// An earlier worker died of the same job.
    #[error("a worker process died of this very request a short time ago ({0}), so it is not tried again for now")]
    Poisonous(String),
    /// It took too long.
    #[error("the request took longer than its limit of {} s", .0.as_secs_f64())]
    Deadline(Duration),
    /// It was cancelled.
    #[error("the request was cancelled")]
    Cancelled,
    /// The question is wrong.
    #[error("{0}")]
    Question(String),
    /// A repository cannot be read.
    #[error("{0}")]
    Repository(String),
}

/// What comes of a job.
#[derive(Debug)]
pub struct Answer {
    /// The answer, in JSON.
    pub answer: Vec<u8>,
    /// What it cost.
    pub cost: crate::worker::frames::Cost,
}

/// What a worker does, for those who watch.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct WorkerStatus {
    /// Its process; 0 while there is none.
    pub process: u32,
    /// What it does.
    pub state: WorkerState,
    /// The repository states that it holds.
    pub holds: usize,
    /// How many times it was started again.
    pub restarts: u64,
}

/// What a worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkerState {
    /// It is being started.
    Starting,
    /// It waits.
    Idle,
    /// It is at a job.
    Busy,
}

/// A job that waits, or that a worker is at.
struct Pending {
    client: String,
    job: Job,
    key: Key,
    log: mpsc::UnboundedSender<String>,
    answer: oneshot::Sender<Result<Answer, PoolError>>,
    since: Instant,
}

struct Idle {
    worker: usize,
    holds: Vec<StateName>,
    give: oneshot::Sender<Pending>,
}

struct State {
    queue: Queue<Pending>,
    idle: Vec<Idle>,
    workers: Vec<WorkerStatus>,
    busy: usize,
    draining: bool,
    /// Jobs that killed a worker, with how and when.
    poisonous: HashMap<Key, (String, Instant)>,
}

struct Shared {
    settings: Settings,
    state: Mutex<State>,
    /// Something ended: for whoever waits until nothing is left.
    ended: Notify,
    stop: CancellationToken,
    memory: Arc<Memory>,
    metrics: Arc<Metrics>,
}

/// A pool of worker processes.
pub struct Pool {
    shared: Arc<Shared>,
    workers: Mutex<Vec<tokio::task::JoinHandle<()>>>,
}

impl State {
    /// Gives a job to an idle worker, one that holds its states if there is one; else gives it back.
    fn give(&mut self, mut pending: Pending) -> Option<Pending> {
        while !self.idle.is_empty() {
            let held = |idle: &Idle| pending.job.states.iter().filter(|name| idle.holds.contains(name)).count();
            // Of equally good ones the one that was idle last: what it holds is still in the machine's caches.
            let best = (0..self.idle.len()).max_by_key(|place| (held(&self.idle[*place]), *place))?;
            match self.idle.remove(best).give.send(pending) {
                Ok(()) => {
                    self.busy += 1;
                    return None;
                }
                // That worker ends.
                Err(back) => pending = back,
            }
        }
        Some(pending)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    /// Starts the workers.
    pub fn new(settings: Settings, memory: Arc<Memory>, metrics: Arc<Metrics>) -> Self {
        let count = settings.workers.max(1);
        let starting = WorkerStatus { process: 0, state: WorkerState::Starting, holds: 0, restarts: 0 };
        let state = State {
            queue: Queue::new(settings.queue),
            idle: vec![],
            workers: vec![starting; count],
            busy: 0,
            draining: false,
            poisonous: HashMap::new(),
        };
        let shared = Arc::new(Shared {
            settings,
            state: Mutex::new(state),
            ended: Notify::new(),
            stop: CancellationToken::new(),
            memory,
            metrics,
        });
        let tend = |number| {
            tokio::spawn(Tender { shared: Arc::clone(&shared), number, holds: vec![], answered: false }.tend())
        };
        let workers = Mutex::new((0..count).map(tend).collect());
        Self { shared, workers }
    }

    /// Has a worker do a job. Dropping the future cancels it.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn run(&self, client: &str, job: Job, log: mpsc::UnboundedSender<String>) -> Result<Answer, PoolError> {
        let (answer, answered) = oneshot::channel();
        let pending = Pending { client: client.to_owned(), key: key(&job), job, log, answer, since: Instant::now() };
        let limit = Duration::from_millis(pending.job.limit_ms);
        self.take(pending)?;
        // A worker keeps the limit; this is for when there is none.
        match tokio::time::timeout(limit + 2 * self.shared.settings.grace, answered).await {
            Ok(answer) => answer.unwrap_or(Err(PoolError::ShuttingDown)),
            Err(_) => Err(PoolError::Deadline(limit)),
        }
    }

    fn take(&self, pending: Pending) -> Result<(), PoolError> {
        let mut state = self.shared.state();
        if state.draining {
            return Err(PoolError::ShuttingDown);
        }
        state.poisonous.retain(|_, (_, when)| when.elapsed() < REFUSED_FOR);
        if let Some((how, _)) = state.poisonous.get(&pending.key) {
            return Err(PoolError::Poisonous(how.clone()));
        }
        let pending = match state.give(pending) {
            None => return Ok(()),
            Some(pending) => pending,
        };
        let client = pending.client.clone();
        let mut pushed = state.queue.push(&client, pending);
        if let Err((_, pending)) = pushed {
            // Those that nobody waits for any more have made way by now.
            state.queue.retain(|pending| !pending.answer.is_closed());
            pushed = state.queue.push(&client, pending);
        }
        let length = state.queue.len();
        self.shared.metrics.queue.set(length as i64);
        pushed.map_err(|(full, _)| {
            self.shared.metrics.refused.inc();
            match full {
                Full::Queue => PoolError::Busy(length),
                Full::Client => PoolError::BusyClient,
            }
        })
    }

    /// What the workers do.
    pub fn workers(&self) -> Vec<WorkerStatus> {
        self.shared.state().workers.clone()
    }

    /// How many jobs wait.
    pub fn waiting(&self) -> usize {
        self.shared.state().queue.len()
    }

    /// Whether a worker can take jobs.
    pub fn is_ready(&self) -> bool {
        let state = self.shared.state();
        !state.draining && state.workers.iter().any(|worker| worker.state != WorkerState::Starting)
    }

    /// Takes no more jobs, waits until all that were taken are answered, and ends the workers.
    pub async fn drain(&self) {
        self.shared.state().draining = true;
        loop {
            let ended = self.shared.ended.notified();
            {
                let mut state = self.shared.state();
                state.queue.retain(|pending| !pending.answer.is_closed());
                if state.queue.is_empty() && state.busy == 0 {
                    break;
                }
            }
            // Jobs that nobody waits for any more end without a word.
            let _ = tokio::time::timeout(Duration::from_millis(100), ended).await;
        }
        self.shared.stop.cancel();
        let workers = std::mem::take(&mut *self.workers.lock().unwrap_or_else(PoisonError::into_inner));
        for worker in workers {
            if worker.await.is_err() {
                tracing::error!("looking after a worker failed");
            }
        }
    }
}

/// Tells jobs apart: the states and the question.
fn key(job: &Job) -> Key {
    let mut digest = Digest::default();
    digest.add(&job.states);
    match &job.question {
        Question::Prepare => digest.add(&0_u8),
        Question::SolverService(body) => digest.add(&(1_u8, &body[..])),
        Question::DocsCi(body) => digest.add(&(2_u8, &body[..])),
        Question::MirageCi(body) => digest.add(&(3_u8, &body[..])),
        Question::Caravan(body) => digest.add(&(4_u8, &body[..])),
    }
    digest.key()
}

/// Looks after one worker.
struct Tender {
    shared: Arc<Shared>,
    number: usize,
    holds: Vec<StateName>,
    /// This process answered something.
    answered: bool,
}

impl Tender {
    async fn tend(mut self) {
        let mut pause = FIRST_PAUSE;
        let stop = self.shared.stop.clone();
        loop {
            self.set(0, WorkerState::Starting);
            match Process::start(&self.shared.settings.start).await {
                Ok(mut process) => {
                    tracing::debug!(worker = process.id(), "started");
                    self.set(process.id(), WorkerState::Idle);
                    if self.work(&mut process).await {
                        process.end().await;
                        return;
                    }
                    // One that answered something is no sign of a deeper trouble.
                    if std::mem::take(&mut self.answered) {
                        pause = FIRST_PAUSE;
                    }
                }
                Err(error) => tracing::error!("a worker cannot be started: {error}"),
            }
            self.holds.clear();
            self.set(0, WorkerState::Starting);
            self.shared.metrics.restarts.inc();
            self.shared.state().workers[self.number].restarts += 1;
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn set(&self, process: u32, to: WorkerState) {
        let mut state = self.shared.state();
        let worker = &mut state.workers[self.number];
        (worker.process, worker.state, worker.holds) = (process, to, self.holds.len());
        let ready = state.workers.iter().filter(|worker| worker.state != WorkerState::Starting).count();
        self.shared.metrics.workers.set(ready as i64);
    }

    /// Does jobs until the pool ends (`true`) or the worker dies.
    async fn work(&mut self, process: &mut Process) -> bool {
        let stop = self.shared.stop.clone();
        loop {
            let mut given = self.next();
            let pending = tokio::select! {
                // A job that was given comes before everything else.
                biased;
                pending = &mut given => pending,
                _ = process.receive() => {
                    // Without a job there is nothing to say: it is gone.
                    let death = process.died().await;
                    tracing::warn!("an idle worker died ({death})");
                    self.withdraw(given);
                    return false;
                }
                () = stop.cancelled() => return true,
            };
            let Ok(pending) = pending else { return true };
            self.set(process.id(), WorkerState::Busy);
            let alive = self.run(process, pending).await;
            self.shared.state().busy -= 1;
            self.shared.ended.notify_waiters();
            if !alive {
                return false;
            }
            self.set(process.id(), WorkerState::Idle);
        }
    }

    /// The next job, now or later.
    fn next(&self) -> oneshot::Receiver<Pending> {
        let (give, given) = oneshot::channel();
        let mut state = self.shared.state();
        let waiting = state.queue.pop();
        self.shared.metrics.queue.set(state.queue.len() as i64);
        let idle = Idle { worker: self.number, holds: self.holds.clone(), give };
        state.idle.push(idle);
        drop(state);
        if let Some(pending) = waiting {
            // To this worker, or to another one that became idle just now and has more of what it needs.
            self.again(pending);
        }
        given
    }

    /// A worker that waited is gone; a job that it was just given goes to another one: it did not begin.
    fn withdraw(&self, mut given: oneshot::Receiver<Pending>) {
        let mut state = self.shared.state();
        state.idle.retain(|idle| idle.worker != self.number);
        if let Ok(pending) = given.try_recv() {
            state.busy -= 1;
            drop(state);
            self.again(pending);
        }
    }

    /// A job that no worker began is the next one.
    fn again(&self, pending: Pending) {
        let mut state = self.shared.state();
        if let Some(pending) = state.give(pending) {
            let client = pending.client.clone();
            state.queue.push_front(&client, pending);
        }
    }

    /// Does one job; says whether the worker is still there.
    async fn run(&mut self, process: &mut Process, pending: Pending) -> bool {
        let Pending { client, mut job, key, log, mut answer, since } = pending;
        let limit = Duration::from_millis(job.limit_ms);
        let left = limit.saturating_sub(since.elapsed());
        if answer.is_closed() {
            return true;
        }
        if left.is_zero() {
            let _ = answer.send(Err(PoolError::Deadline(limit)));
            return true;
        }
        let grace = self.shared.settings.grace;
        let mut until = tokio::time::Instant::now() + left + grace;
        let mut cancelled = false;
        job.limit_ms = left.as_millis() as u64;
        let message = ToWorker::Job(job);
        if process.send(&message).await.is_err() {
            let death = process.died().await;
            tracing::warn!("a worker died before a request ({death})");
            if let ToWorker::Job(mut job) = message {
                job.limit_ms = limit.as_millis() as u64;
                self.again(Pending { client, job, key, log, answer, since });
            }
            return false;
        }
        drop(message);
        let mut ended = None;
        let done = loop {
            if let Some(death) = ended {
                break Err(death);
            }
            tokio::select! {
                message = process.receive() => match message {
                    Ok(Some(FromWorker::Log(line))) => drop(log.send(line)),
                    Ok(Some(FromWorker::Recall(key))) => {
                        let known = self.shared.memory.recall(&key).map(ByteBuf::from);
                        self.shared.metrics.recalled.inc_by(u64::from(known.is_some()));
                        let sent = process.send(&ToWorker::Recalled(known)).await;
                        ended = match sent {
                            Ok(()) => None,
                            Err(_) => Some(process.died().await),
                        };
                    }
                    Ok(Some(FromWorker::Done(done))) => break Ok(done),
                    Ok(Some(FromWorker::Ready)) => {}
                    Ok(None) | Err(_) => ended = Some(process.died().await),
                },
                () = answer.closed(), if !cancelled => {
                    cancelled = true;
                    until = tokio::time::Instant::now() + grace;
                    // If it cannot be told, it is gone, which the next turn notices.
                    let _ = process.send(&ToWorker::Cancel).await;
                }
                () = tokio::time::sleep_until(until) => {
                    let _ = process.kill().await;
                    if !cancelled {
                        self.remember_death(key, format!("it did not stop at its limit of {} s", limit.as_secs_f64()));
                    }
                    tracing::warn!(worker = process.id(), "killed: it did not end in time");
                    let _ = answer.send(Err(PoolError::Deadline(limit)));
                    return false;
                }
            }
        };
        match done {
            Ok(done) => {
                let Done { answer: made, remember, holds, cost } = *done;
                self.holds = holds;
                self.answered = true;
                if let Some((key, bytes)) = remember {
                    self.shared.memory.remember(key, bytes.into_vec());
                }
                let made = made.map(|answer| Answer { answer: answer.into_vec(), cost });
                let _ = answer.send(made.map_err(|failure| match failure {
                    Failure::Cancelled => PoolError::Cancelled,
                    Failure::Deadline => PoolError::Deadline(limit),
                    Failure::Question(text) => PoolError::Question(text),
                    Failure::Repository(text) => PoolError::Repository(text),
                }));
                true
            }
            Err(death) => {
                tracing::warn!("a worker died at a request ({death})");
                if death.own_fault {
                    self.remember_death(key, death.to_string());
                }
                let _ = answer.send(Err(PoolError::Died(death.to_string())));
                false
            }
        }
    }

    fn remember_death(&self, key: Key, how: String) {
        self.shared.state().poisonous.insert(key, (how, Instant::now()));
    }
}
