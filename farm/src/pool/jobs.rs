//! Jobs that wait, and the workers that wait for jobs.

use super::error::PoolError;
use super::queue::{Full, Queue};
use crate::answer_cache::AnswerCache;
use crate::metrics::Metrics;
use crate::worker::frames::{CommitInClone, Cost, Job};
use caravan::key::{Digest, Key};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// After a job killed its worker, it is refused for that long.
const REFUSED_FOR: Duration = Duration::from_secs(600);

/// What comes of a job.
#[derive(Debug)]
pub struct Answer {
    /// The answer, in JSON; empty for jobs that only make indexes.
    pub json: Vec<u8>,
    /// Whether it may be kept and given again.
    pub can_be_kept: bool,
    /// What it cost.
    pub cost: Cost,
}

/// What a worker does, for those who watch.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WorkerStatus {
    /// Its process; 0 while there is none.
    pub process: u32,
    /// What it does.
    pub state: WorkerState,
    /// How many repositories at a commit it has open.
    pub holds: usize,
    /// How many times it was started again.
    pub restarts: u64,
}

/// What a worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum WorkerState {
    /// It is being started.
    Starting,
    /// It waits.
    Idle,
    /// It is at a job.
    Busy,
}

/// A job with whoever waits for it.
pub(super) struct QueuedJob {
    pub(super) client: String,
    pub(super) job: Job,
    pub(super) key: Key,
    pub(super) log: mpsc::UnboundedSender<String>,
    pub(super) answer: oneshot::Sender<Result<Answer, PoolError>>,
    pub(super) since: Instant,
}

/// Tells jobs apart: by their repositories and what is to be done.
pub(super) fn key(job: &Job) -> Key {
    let mut digest = Digest::default();
    digest.add(&job.repositories);
    digest.add(&job.work);
    digest.key()
}

/// A worker that waits for a job.
pub(super) struct IdleWorker {
    pub(super) number: usize,
    /// What it has open.
    pub(super) open: Vec<CommitInClone>,
    pub(super) give: oneshot::Sender<QueuedJob>,
}

/// What a pool's parts share.
pub(super) struct Shared {
    state: Mutex<State>,
    /// A job ended: for whoever waits until nothing is left.
    pub(super) ended: Notify,
    /// The workers are to end.
    pub(super) stop: CancellationToken,
    pub(super) answers: Arc<AnswerCache>,
    pub(super) metrics: Arc<Metrics>,
}

pub(super) struct State {
    pub(super) queue: Queue<QueuedJob>,
    pub(super) idle: Vec<IdleWorker>,
    pub(super) workers: Vec<WorkerStatus>,
    /// How many workers are at a job.
    pub(super) busy: usize,
    pub(super) draining: bool,
    /// Jobs that killed a worker, with how and when.
    killers: HashMap<Key, (String, Instant)>,
}

impl State {
    /// Gives a job to an idle worker, one that has its repositories open if there is one; else gives it back.
    pub(super) fn give(&mut self, mut queued: QueuedJob) -> Option<QueuedJob> {
        while !self.idle.is_empty() {
            let needed = &queued.job.repositories;
            let open = |idle: &IdleWorker| needed.iter().filter(|needed| idle.open.contains(&needed.at)).count();
            // Of equally good ones the one that was idle last: what it has open is still in the machine's caches.
            let best = (0..self.idle.len()).max_by_key(|place| (open(&self.idle[*place]), *place))?;
            match self.idle.remove(best).give.send(queued) {
                Ok(()) => {
                    self.busy += 1;
                    return None;
                }
                // That worker ends.
                Err(back) => queued = back,
            }
        }
        Some(queued)
    }
}

impl Shared {
    pub(super) fn new(queue: usize, workers: usize, answers: Arc<AnswerCache>, metrics: Arc<Metrics>) -> Self {
        let starting = WorkerStatus { process: 0, state: WorkerState::Starting, holds: 0, restarts: 0 };
        let state = State {
            queue: Queue::new(queue),
            idle: vec![],
            workers: vec![starting; workers],
            busy: 0,
            draining: false,
            killers: HashMap::new(),
        };
        Self { state: Mutex::new(state), ended: Notify::new(), stop: CancellationToken::new(), answers, metrics }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a new job: gives it to a worker, or puts it into the queue.
    pub(super) fn take(&self, queued: QueuedJob) -> Result<(), PoolError> {
        let mut state = self.state();
        if state.draining {
            return Err(PoolError::ShuttingDown);
        }
        state.killers.retain(|_, (_, when)| when.elapsed() < REFUSED_FOR);
        if let Some((how, _)) = state.killers.get(&queued.key) {
            return Err(PoolError::KilledWorker(how.clone()));
        }
        let queued = match state.give(queued) {
            None => return Ok(()),
            Some(queued) => queued,
        };
        let client = queued.client.clone();
        let mut pushed = state.queue.push(&client, queued);
        if let Err((_, queued)) = pushed {
            // Those that nobody waits for any more have made way by now.
            state.queue.retain(|queued| !queued.answer.is_closed());
            pushed = state.queue.push(&client, queued);
        }
        let length = state.queue.len();
        self.metrics.queue.set(length as i64);
        pushed.map_err(|(full, _)| {
            self.metrics.refused.inc();
            match full {
                Full::Queue => PoolError::Busy(length),
                Full::Client => PoolError::BusyClient,
            }
        })
    }

    /// Takes a job back that no worker began: it is the next one.
    pub(super) fn take_back(&self, queued: QueuedJob) {
        let mut state = self.state();
        if let Some(queued) = state.give(queued) {
            let client = queued.client.clone();
            state.queue.push_front(&client, queued);
        }
    }

    /// Says that a worker waits for its next job.
    pub(super) fn next_job(&self, number: usize, open: Vec<CommitInClone>) -> oneshot::Receiver<QueuedJob> {
        let (give, given) = oneshot::channel();
        let mut state = self.state();
        let waiting = state.queue.pop();
        self.metrics.queue.set(state.queue.len() as i64);
        state.idle.push(IdleWorker { number, open, give });
        drop(state);
        if let Some(queued) = waiting {
            // To this worker, or to another one that became idle just now and has more of what it needs.
            self.take_back(queued);
        }
        given
    }

    /// Says that a worker waits no more. A job that it was just given did not begin.
    pub(super) fn no_next_job(&self, number: usize, mut given: oneshot::Receiver<QueuedJob>) {
        let mut state = self.state();
        state.idle.retain(|idle| idle.number != number);
        if let Ok(queued) = given.try_recv() {
            state.busy -= 1;
            drop(state);
            self.take_back(queued);
        }
    }

    /// Refuses a job from now on, because it killed its worker.
    pub(super) fn refuse(&self, key: Key, how: String) {
        self.state().killers.insert(key, (how, Instant::now()));
    }
}
