//! A pool of worker processes.
//!
//! ```text
//! Pool::run ── Queue (bounded, clients take turns) ── an idle worker ──> Process ── Done
//!     │            a worker that has the repositories open comes first    │
//!     └─ dropped: the job is cancelled            dead, late, too large: killed, replaced after a while,
//!                                                  and the job gets an error, never a second worker
//! ```

mod error;
mod jobs;
mod process;
mod queue;
mod supervisor;

pub use error::PoolError;
pub use jobs::{Answer, WorkerState, WorkerStatus};
pub use process::Start;
pub use queue::{Full, Queue};

use crate::answer_cache::AnswerCache;
use crate::metrics::Metrics;
use crate::worker::frames::Job;
use jobs::{QueuedJob, Shared, key};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use supervisor::Supervisor;
use tokio::sync::{mpsc, oneshot};

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

/// A pool of worker processes.
pub struct Pool {
    shared: Arc<Shared>,
    grace: Duration,
    supervisors: Mutex<Vec<tokio::task::JoinHandle<()>>>,
}

impl Pool {
    /// Starts the workers.
    pub fn new(settings: Settings, answers: Arc<AnswerCache>, metrics: Arc<Metrics>) -> Self {
        let Settings { start, workers, queue, grace } = settings;
        let workers = workers.max(1);
        let shared = Arc::new(Shared::new(queue, workers, answers, metrics));
        let supervise = |number| tokio::spawn(Supervisor::new(Arc::clone(&shared), start.clone(), grace, number).run());
        let supervisors = Mutex::new((0..workers).map(supervise).collect());
        Self { shared, grace, supervisors }
    }

    /// Has a worker do a job. Dropping the future cancels it.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn run(&self, client: &str, job: Job, log: mpsc::UnboundedSender<String>) -> Result<Answer, PoolError> {
        let (answer, answered) = oneshot::channel();
        let limit = Duration::from_millis(job.limit_ms);
        let queued = QueuedJob { client: client.to_owned(), key: key(&job), job, log, answer, since: Instant::now() };
        self.shared.take(queued)?;
        // A worker keeps the limit; this is for when there is none.
        match tokio::time::timeout(limit + 2 * self.grace, answered).await {
            Ok(answer) => answer.unwrap_or(Err(PoolError::ShuttingDown)),
            Err(_) => Err(PoolError::Deadline(limit)),
        }
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
                state.queue.retain(|queued| !queued.answer.is_closed());
                if state.queue.is_empty() && state.busy == 0 {
                    break;
                }
            }
            // Jobs that nobody waits for any more end without a word.
            let _ = tokio::time::timeout(Duration::from_millis(100), ended).await;
        }
        self.shared.stop.cancel();
        let supervisors = std::mem::take(&mut *self.supervisors.lock().unwrap_or_else(PoisonError::into_inner));
        for supervisor in supervisors {
            if supervisor.await.is_err() {
                tracing::error!("looking after a worker failed");
            }
        }
    }
}
