//! Looks after one worker: starts it, gives it jobs, and starts it again when it died.

use super::error::PoolError;
use super::jobs::{Answer, QueuedJob, Shared, WorkerState};
use super::process::{Death, Process, Start};
use crate::worker::frames::{CommitInClone, Done, FromWorker, JobResult, ToWorker};
use caravan::ErrorKind;
use caravan::key::Key;
use serde_bytes::ByteBuf;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// Before a worker that died at once is replaced; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// Looks after one worker.
pub(super) struct Supervisor {
    shared: Arc<Shared>,
    start: Start,
    /// How much longer than its limit a job may take before the worker is killed.
    grace: Duration,
    number: usize,
    /// What the worker has open.
    open: Vec<CommitInClone>,
    /// This process answered something.
    answered: bool,
}

/// A job that the worker is at.
struct RunningJob {
    key: Key,
    log: mpsc::UnboundedSender<String>,
    answer: oneshot::Sender<Result<Answer, PoolError>>,
    limit: Duration,
    /// When the worker is killed.
    until: Instant,
    cancelled: bool,
}

/// How a job went.
enum End {
    /// The worker is through with it.
    Done(Box<Done>),
    /// The worker died.
    Died(Death),
    /// The worker did not end in time.
    Late,
}

impl Supervisor {
    pub(super) fn new(shared: Arc<Shared>, start: Start, grace: Duration, number: usize) -> Self {
        Self { shared, start, grace, number, open: vec![], answered: false }
    }

    /// Keeps the worker running until the pool ends.
    pub(super) async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        let stop = self.shared.stop.clone();
        loop {
            self.show(0, WorkerState::Starting);
            match Process::start(&self.start).await {
                Ok(mut process) => {
                    tracing::debug!(worker = process.id(), "started");
                    self.show(process.id(), WorkerState::Idle);
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
            self.open.clear();
            self.show(0, WorkerState::Starting);
            self.shared.metrics.restarts.inc();
            self.shared.state().workers[self.number].restarts += 1;
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Shows those who watch what the worker does.
    fn show(&self, process: u32, to: WorkerState) {
        let mut state = self.shared.state();
        let worker = &mut state.workers[self.number];
        (worker.process, worker.state, worker.holds) = (process, to, self.open.len());
        let ready = state.workers.iter().filter(|worker| worker.state != WorkerState::Starting).count();
        self.shared.metrics.workers.set(ready as i64);
    }

    /// Does jobs until the pool ends (`true`) or the worker dies.
    async fn work(&mut self, process: &mut Process) -> bool {
        let stop = self.shared.stop.clone();
        loop {
            let mut given = self.shared.next_job(self.number, self.open.clone());
            let queued = tokio::select! {
                // A job that was given comes before everything else.
                biased;
                queued = &mut given => queued,
                _ = process.receive() => {
                    // Without a job there is nothing to say: it is gone.
                    let death = process.died().await;
                    tracing::warn!("an idle worker died ({death})");
                    self.shared.no_next_job(self.number, given);
                    return false;
                }
                () = stop.cancelled() => return true,
            };
            let Ok(queued) = queued else { return true };
            self.show(process.id(), WorkerState::Busy);
            let is_alive = self.job(process, queued).await;
            self.shared.state().busy -= 1;
            self.shared.ended.notify_waiters();
            if !is_alive {
                return false;
            }
            self.show(process.id(), WorkerState::Idle);
        }
    }

    /// Does one job; says whether the worker is still there.
    async fn job(&mut self, process: &mut Process, queued: QueuedJob) -> bool {
        if queued.answer.is_closed() {
            return true;
        }
        let limit = Duration::from_millis(queued.job.limit_ms);
        let left = limit.saturating_sub(queued.since.elapsed());
        if left.is_zero() {
            let _ = queued.answer.send(Err(PoolError::Deadline(limit)));
            return true;
        }
        let Some(mut job) = self.begin(process, queued, left).await else { return false };
        match self.follow(process, &mut job).await {
            End::Done(done) => {
                self.finish(job, *done);
                true
            }
            End::Died(death) => {
                tracing::warn!("a worker died at a request ({death})");
                if death.own_fault {
                    self.shared.refuse(job.key, death.to_string());
                }
                let _ = job.answer.send(Err(PoolError::Died(death.to_string())));
                false
            }
            End::Late => {
                process.kill().await;
                if !job.cancelled {
                    let how = format!("it did not stop at its limit of {} s", job.limit.as_secs_f64());
                    self.shared.refuse(job.key, how);
                }
                tracing::warn!(worker = process.id(), "killed: it did not end in time");
                let _ = job.answer.send(Err(PoolError::Deadline(job.limit)));
                false
            }
        }
    }

    /// Hands the worker its job. If it is gone, another one gets the job: it did not begin.
    async fn begin(&self, process: &mut Process, queued: QueuedJob, left: Duration) -> Option<RunningJob> {
        let QueuedJob { client, mut job, key, log, answer, since } = queued;
        let limit_ms = std::mem::replace(&mut job.limit_ms, left.as_millis() as u64);
        let message = ToWorker::Job(job);
        if process.send(&message).await.is_ok() {
            let (limit, until) = (Duration::from_millis(limit_ms), Instant::now() + left + self.grace);
            return Some(RunningJob { key, log, answer, limit, until, cancelled: false });
        }
        let death = process.died().await;
        tracing::warn!("a worker died before a request ({death})");
        if let ToWorker::Job(mut job) = message {
            job.limit_ms = limit_ms;
            self.shared.take_back(QueuedJob { client, job, key, log, answer, since });
        }
        None
    }

    /// Listens to the worker until the job ends, one way or the other.
    async fn follow(&self, process: &mut Process, job: &mut RunningJob) -> End {
        loop {
            tokio::select! {
                message = process.receive() => match message {
                    Ok(Some(FromWorker::Log(line))) => drop(job.log.send(line)),
                    Ok(Some(FromWorker::Recall(key))) => {
                        if self.recall(process, &key).await.is_err() {
                            return End::Died(process.died().await);
                        }
                    }
                    Ok(Some(FromWorker::Done(done))) => return End::Done(done),
                    Ok(Some(FromWorker::Ready)) => {}
                    Ok(None) | Err(_) => return End::Died(process.died().await),
                },
                () = job.answer.closed(), if !job.cancelled => {
                    job.cancelled = true;
                    job.until = Instant::now() + self.grace;
                    // If it cannot be told, it is gone, which the next turn notices.
                    let _ = process.send(&ToWorker::Cancel).await;
                }
                () = tokio::time::sleep_until(job.until) => return End::Late,
            }
        }
    }

    /// Tells the worker what is kept for a key.
    async fn recall(&self, process: &mut Process, key: &Key) -> io::Result<()> {
        let known = self.shared.answers.get(key).map(ByteBuf::from);
        self.shared.metrics.steps_reused.inc_by(u64::from(known.is_some()));
        process.send(&ToWorker::Recalled(known)).await
    }

    /// Passes the answer on, and keeps what is to be kept.
    fn finish(&mut self, job: RunningJob, done: Done) {
        let Done { result, remember, open, cost } = done;
        self.open = open;
        self.answered = true;
        for (key, bytes) in remember {
            self.shared.answers.insert(key, bytes.into_vec());
        }
        let answer = match result {
            JobResult::IndexesMade => Ok(Answer { json: vec![], can_be_kept: false, cost }),
            JobResult::Answer { json, can_be_kept } => Ok(Answer { json: json.into_vec(), can_be_kept, cost }),
            JobResult::Error(error) => Err(match error.kind {
                ErrorKind::Cancelled => PoolError::Cancelled,
                // The limit of the service, and not an earlier one that the question has.
                ErrorKind::Deadline if Instant::now() + self.grace >= job.until => PoolError::Deadline(job.limit),
                _ => PoolError::Question(error),
            }),
        };
        let _ = job.answer.send(answer);
    }
}
