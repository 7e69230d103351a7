//! What stands behind every door: a question comes in, an answer goes out.
//!
//! ```text
//! door ── ask() ── known as a whole? ──────────────────────────────> answer
//!           └─ its states: fetched (Repositories), indexed once (Prepare) ─ Pool ─> answer, remembered
//! ```

use crate::digest::{Digest, Key};
use crate::memory::{Memory, MemoryStatus};
use crate::metrics::{Metrics, Outcome, RequestLabels};
use crate::pool::{self, Pool, PoolError, WorkerStatus};
use crate::repositories::{self, FetchError, Repositories};
use crate::siblings::{docs_ci, mirage_ci};
use crate::solver_service::SolveRequest;
use crate::tasks::Task;
use crate::worker::frames::{Cost, Job, Question, StateName};
use futures::future::try_join_all;
use serde_bytes::ByteBuf;
use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OnceCell, mpsc, watch};

/// How a service is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The workers.
    pub pool: pool::Settings,
    /// The repositories.
    pub repositories: repositories::Settings,
    /// How many bytes of answers to keep.
    pub memory: usize,
    /// How long a request may wait for a worker and be worked at, once its states are there; making the index of a
    /// new state may take as long again.
    pub limit: Duration,
}

/// A question, as a door has it.
#[derive(Clone, Debug)]
pub enum Asked {
    /// solver-service's.
    SolverService(Vec<u8>),
    /// ocaml-docs-ci's, of a repository.
    DocsCi(Vec<u8>, String),
    /// mirage-ci's.
    MirageCi(Vec<u8>),
    /// caravan's own.
    Caravan(Vec<u8>),
}

impl Asked {
    fn body(&self) -> &[u8] {
        match self {
            Self::SolverService(body) | Self::DocsCi(body, _) | Self::MirageCi(body) | Self::Caravan(body) => body,
        }
    }

    fn key(&self) -> Key {
        let mut digest = Digest::default();
        digest.add(&std::mem::discriminant(self));
        digest.add(self.body());
        digest.key()
    }
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// It is not written as questions are.
    #[error("{0}")]
    Malformed(String),
    /// A repository cannot be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The workers have no answer.
    #[error(transparent)]
    Pool(#[from] PoolError),
}

impl AskError {
    /// What went wrong, in a word that programs can rely on.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Fetch(FetchError::System(_)) => "system",
            Self::Fetch(_) => "repository",
            Self::Pool(error) => match error {
                PoolError::Busy(_) | PoolError::BusyClient => "busy",
                PoolError::ShuttingDown => "shutting-down",
                PoolError::Died(_) | PoolError::Poisonous(_) => "died",
                PoolError::Deadline(_) => "deadline",
                PoolError::Cancelled => "cancelled",
                PoolError::Question(_) => "question",
                PoolError::Repository(_) => "repository",
            },
        }
    }
}

/// A request that was answered a short time ago, or is being answered.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Recent {
    /// Its number, which log lines have, too.
    pub id: u64,
    /// Who asked.
    pub client: String,
    /// What it is, in a word.
    pub kind: &'static str,
    /// When it came.
    #[serde(serialize_with = "since_1970")]
    pub began: std::time::SystemTime,
    /// How long it took, in seconds; `None` while it is being answered.
    pub seconds: Option<f64>,
    /// How it ended.
    pub result: Option<String>,
}

fn since_1970<S: serde::Serializer>(time: &std::time::SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    let seconds = time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    serializer.serialize_f64(seconds.as_secs_f64())
}

/// What a service does, for those who watch.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Status {
    /// How long it has been running, in seconds.
    pub up_seconds: f64,
    /// The workers.
    pub workers: Vec<WorkerStatus>,
    /// How many jobs wait.
    pub waiting: usize,
    /// The answers that are kept.
    pub memory: MemoryStatus,
    /// Repository states that have an index.
    pub states: Vec<StateStatus>,
    /// The last requests, the newest first.
    pub recent: Vec<Recent>,
}

/// A repository state that has an index.
#[derive(Clone, Debug, serde::Serialize)]
pub struct StateStatus {
    /// The repository.
    pub url: String,
    /// The commit.
    pub commit: String,
}

/// How many of the last requests are shown.
const RECENT: usize = 100;
/// How many states are known to have an index.
const STATES: usize = 4096;

#[derive(Default)]
struct Prepared {
    states: HashMap<StateName, Arc<OnceCell<()>>>,
    order: VecDeque<StateName>,
}

/// Everything behind the doors.
pub struct Service {
    settings: Settings,
    pool: Pool,
    repositories: Repositories,
    memory: Arc<Memory>,
    metrics: Arc<Metrics>,
    prepared: Mutex<Prepared>,
    recent: Mutex<VecDeque<Recent>>,
    next: AtomicU64,
    /// How many requests are being answered.
    active: watch::Sender<usize>,
    draining: AtomicBool,
    began: Instant,
}

/// Writes a request's end down, also if nobody waits for it any more.
struct Watch<'w> {
    service: &'w Service,
    id: u64,
    kind: &'static str,
    began: Instant,
    ended: Option<(Outcome, String)>,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let (result, words) = self.ended.take().unwrap_or((Outcome::cancelled, "cancelled".to_owned()));
        let seconds = self.began.elapsed().as_secs_f64();
        let metrics = &self.service.metrics;
        metrics.requests.get_or_create(&RequestLabels { kind: self.kind, result }).inc();
        metrics.request_seconds.observe(seconds);
        tracing::info!(request = self.id, kind = self.kind, seconds, "{words}");
        let mut recent = self.service.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = recent.iter_mut().find(|known| known.id == self.id) {
            known.seconds = Some(seconds);
            known.result = Some(words);
        }
        drop(recent);
        self.service.active.send_modify(|count| *count -= 1);
    }
}

impl Service {
    /// Starts the workers.
    pub fn new(settings: Settings) -> Arc<Self> {
        let metrics = Arc::new(Metrics::new());
        let memory = Arc::new(Memory::new(settings.memory));
        Arc::new(Self {
            pool: Pool::new(settings.pool.clone(), Arc::clone(&memory), Arc::clone(&metrics)),
            repositories: Repositories::new(settings.repositories.clone(), Arc::clone(&metrics)),
            settings,
            memory,
            metrics,
            prepared: Mutex::default(),
            recent: Mutex::default(),
            next: AtomicU64::new(1),
            active: watch::Sender::new(0),
            draining: AtomicBool::new(false),
            began: Instant::now(),
        })
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        let status = self.memory.status();
        self.metrics.memory_bytes.set(status.bytes as i64);
        self.metrics.up.set(self.began.elapsed().as_secs_f64());
        &self.metrics
    }

    /// The repositories.
    pub fn repositories(&self) -> &Repositories {
        &self.repositories
    }

    /// Whether a worker can take requests.
    pub fn is_ready(&self) -> bool {
        !self.draining.load(Ordering::SeqCst) && self.pool.is_ready()
    }

    /// Takes no more requests, answers those that were taken, and ends.
    pub async fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
        // A request that waits for a fetch was taken, too.
        let _ = self.active.subscribe().wait_for(|count| *count == 0).await;
        self.pool.drain().await;
    }

    /// What it does.
    pub fn status(&self) -> Status {
        let prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let state = |name: &StateName| StateStatus { url: name.url.clone(), commit: name.commit.clone() };
        Status {
            up_seconds: self.began.elapsed().as_secs_f64(),
            workers: self.pool.workers(),
            waiting: self.pool.waiting(),
            memory: self.memory.status(),
            states: prepared.order.iter().rev().map(state).collect(),
            recent: recent.iter().rev().cloned().collect(),
        }
    }

    /// Answers a question, in JSON. Lines of its log come as they are written. Dropping the future cancels it.
    ///
    /// # Errors
    /// See [`AskError`].
    pub async fn ask(
        &self,
        client: &str,
        asked: Asked,
        log: mpsc::UnboundedSender<String>,
    ) -> Result<Vec<u8>, AskError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.active.send_modify(|count| *count += 1);
        let mut watch = Watch { service: self, id, kind: "malformed", began: Instant::now(), ended: None };
        let read = Read::new(asked);
        watch.kind = read.as_ref().map_or("malformed", |read| read.kind);
        {
            let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
            let (client, kind) = (client.to_owned(), watch.kind);
            let began = std::time::SystemTime::now();
            recent.push_back(Recent { id, client, kind, began, seconds: None, result: None });
            if recent.len() > RECENT {
                recent.pop_front();
            }
        }
        let answer = match read {
            Ok(_) if self.draining.load(Ordering::SeqCst) => Err(PoolError::ShuttingDown.into()),
            Ok(read) => self.answer(client, read, log).await,
            Err(error) => Err(error),
        };
        watch.ended = Some(match &answer {
            Ok((_, words)) => (Outcome::ok, (*words).to_owned()),
            Err(AskError::Pool(error @ (PoolError::Busy(_) | PoolError::BusyClient | PoolError::ShuttingDown))) => {
                (Outcome::refused, error.to_string())
            }
            Err(AskError::Pool(error @ PoolError::Cancelled)) => (Outcome::cancelled, error.to_string()),
            Err(error) => (Outcome::error, error.to_string()),
        });
        answer.map(|(answer, _)| answer)
    }

    async fn answer(
        &self,
        client: &str,
        read: Read,
        log: mpsc::UnboundedSender<String>,
    ) -> Result<(Vec<u8>, &'static str), AskError> {
        let known = self.memory.recall(&read.key);
        if let Some((lines, answer)) =
            known.and_then(|bytes| postcard::from_bytes::<(Vec<String>, ByteBuf)>(&bytes).ok())
        {
            self.metrics.remembered.inc();
            lines.into_iter().for_each(|line| drop(log.send(line)));
            return Ok((answer.into_vec(), "answered from memory"));
        }
        let states = read.states.iter().map(|wanted| self.state(client, wanted, &log));
        let states = try_join_all(states).await?;
        let (lines, mut written) = mpsc::unbounded_channel::<String>();
        let limit_ms = self.settings.limit.as_millis() as u64;
        let running = self.pool.run(client, Job { states, question: read.question, limit_ms }, lines);
        let mut kept = Vec::new();
        let mut keep = |line: String| {
            kept.push(line.clone());
            // Nobody may be reading the log.
            let _ = log.send(line);
        };
        tokio::pin!(running);
        let answered = loop {
            tokio::select! {
                biased;
                Some(line) = written.recv() => keep(line),
                answered = &mut running => break answered,
            }
        }?;
        while let Ok(line) = written.try_recv() {
            keep(line);
        }
        let pool::Answer { answer, cost: Cost { solves, explored } } = answered;
        solves.iter().for_each(|seconds| self.metrics.solve_seconds.observe(*seconds));
        self.metrics.explored.inc_by(explored);
        // What failed may go well another time.
        if !answer.starts_with(b"[\"Error\"") {
            let answer = ByteBuf::from(answer.as_slice());
            if let Ok(bytes) = postcard::to_allocvec(&(&kept, &answer)) {
                self.memory.remember(read.key, bytes);
            }
        }
        Ok((answer, "answered"))
    }

    /// A state that has an index, made now if need be; whoever needs the same one waits for the same.
    async fn state(
        &self,
        client: &str,
        wanted: &Wanted,
        log: &mpsc::UnboundedSender<String>,
    ) -> Result<StateName, AskError> {
        let name = match wanted {
            Wanted::Clone(name) => name.clone(),
            Wanted::Fetched { url, commit } => {
                let fetching = || drop(log.send(format!("Fetching {url}")));
                self.repositories.get(url, commit, &fetching).await?
            }
        };
        let cell = {
            let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
            match prepared.states.get(&name) {
                Some(cell) => Arc::clone(cell),
                None => {
                    let cell = Arc::new(OnceCell::new());
                    prepared.states.insert(name.clone(), Arc::clone(&cell));
                    prepared.order.push_back(name.clone());
                    if prepared.order.len() > STATES
                        && let Some(oldest) = prepared.order.pop_front()
                    {
                        prepared.states.remove(&oldest);
                    }
                    self.metrics.states.set(prepared.order.len() as i64);
                    cell
                }
            }
        };
        let prepare = || async {
            let (warnings, mut said) = mpsc::unbounded_channel();
            let limit_ms = self.settings.limit.as_millis() as u64;
            let job = Job { states: vec![name.clone()], question: Question::Prepare, limit_ms };
            let prepared = self.pool.run(client, job, warnings).await;
            while let Ok(warning) = said.try_recv() {
                tracing::warn!("{warning}");
            }
            prepared.map(drop)
        };
        match cell.get_or_try_init(prepare).await {
            Ok(()) => Ok(name),
            Err(error) => {
                let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
                prepared.states.remove(&name);
                prepared.order.retain(|other| *other != name);
                Err(error.into())
            }
        }
    }
}

/// A state that a question needs.
enum Wanted {
    Fetched {
        url: String,
        commit: String,
    },
    /// In a clone that is there, which whoever started the service vouches for.
    Clone(StateName),
}

/// A question that was read.
struct Read {
    kind: &'static str,
    key: Key,
    states: Vec<Wanted>,
    question: Question,
}

impl Read {
    fn new(asked: Asked) -> Result<Self, AskError> {
        let key = asked.key();
        let malformed = |error: serde_json::Error| AskError::Malformed(error.to_string());
        let fetched = |url: &str, commit: &str| Wanted::Fetched { url: url.to_owned(), commit: commit.to_owned() };
        Ok(match asked {
            Asked::SolverService(body) => {
                let request: SolveRequest = serde_json::from_slice(&body).map_err(malformed)?;
                let states = request.opam_repository_commits.iter();
                let states = states.map(|(url, commit)| fetched(url, commit)).collect();
                Self { kind: "solver-service", key, states, question: Question::SolverService(body.into()) }
            }
            Asked::DocsCi(body, url) => {
                let request: docs_ci::SolveRequest = serde_json::from_slice(&body).map_err(malformed)?;
                let states = vec![fetched(&url, &request.opam_repository_commit)];
                Self { kind: "docs-ci", key, states, question: Question::DocsCi(body.into()) }
            }
            Asked::MirageCi(body) => {
                let request: mirage_ci::SolveRequest = serde_json::from_slice(&body).map_err(malformed)?;
                let clone = |(name, folder, commit): &(String, String, String)| {
                    let clone = std::path::absolute(folder).unwrap_or_else(|_| PathBuf::from(folder));
                    Wanted::Clone(StateName { url: name.clone(), clone, commit: commit.clone() })
                };
                let states = request.opam_repos_folders.iter().map(clone).collect();
                Self { kind: "mirage-ci", key, states, question: Question::MirageCi(body.into()) }
            }
            Asked::Caravan(body) => {
                let task: Task = serde_json::from_slice(&body).map_err(malformed)?;
                let states = task.states().iter().map(|at| fetched(&at.url, &at.commit)).collect();
                Self { kind: task.kind(), key, states, question: Question::Caravan(body.into()) }
            }
        })
    }
}
