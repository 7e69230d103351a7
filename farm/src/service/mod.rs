//! What stands behind every protocol: a question comes in, an answer goes out.
//!
//! ```text
//! server ── ask() ── kept as a whole? ─────────────────────────────────────────────> answer
//!             └─ its repositories: fetched (Clones), indexed once (MakeIndexes) ─ Pool ─> answer, kept
//! ```

mod error;
mod indexes;
mod request;
mod status;

pub use error::RequestError;
pub use request::Request;
pub use status::{IndexStatus, RequestStatus, Status};

use crate::answer_cache::AnswerCache;
use crate::clones::{self, Clones};
use crate::metrics::{Metrics, Outcome, RequestLabels};
use crate::peers::{self, Peers};
use crate::pool::{self, Pool, PoolError};
use crate::worker::frames::{ClonedRepository, CommitInClone, Cost, Job, RepositoryLabel, Work};
use caravan::repository::{CloneName, RepositoryName};
use futures::future::{try_join, try_join_all};
use indexes::Indexes;
use serde_bytes::ByteBuf;
use status::LastRequests;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// How a service is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The workers.
    pub pool: pool::Settings,
    /// The clones.
    pub clones: clones::Settings,
    /// What peers may take.
    pub peers: peers::Limits,
    /// How many bytes of answers to keep.
    pub answer_cache: usize,
    /// How long a request may wait for a worker and be worked at, once its repositories are there; making the index of
    /// a new commit may take as long again.
    pub limit: Duration,
}

/// Everything behind the servers.
pub struct Service {
    limit: Duration,
    pool: Pool,
    clones: Clones,
    indexes: Indexes,
    answers: Arc<AnswerCache>,
    metrics: Arc<Metrics>,
    peers: Arc<Peers>,
    requests: LastRequests,
    next: AtomicU64,
    /// How many requests are being answered.
    active: watch::Sender<usize>,
    /// It will end soon: others should be asked.
    ending: AtomicBool,
    draining: AtomicBool,
    began: Instant,
}

/// Where the lines of a request's log go.
pub type Log = mpsc::UnboundedSender<String>;

/// An answer with what to say about it in the service's own log.
struct Answered {
    json: Vec<u8>,
    words: &'static str,
}

/// A request while it is being answered. Its end is written down also if nobody waits for it any more.
struct ActiveRequest<'s> {
    service: &'s Service,
    id: u64,
    kind: &'static str,
    began: Instant,
    ended: Option<(Outcome, String)>,
}

impl Drop for ActiveRequest<'_> {
    fn drop(&mut self) {
        let (result, words) = self.ended.take().unwrap_or((Outcome::Cancelled, "cancelled".to_owned()));
        let seconds = self.began.elapsed().as_secs_f64();
        let metrics = &self.service.metrics;
        metrics.requests.get_or_create(&RequestLabels { kind: self.kind, result }).inc();
        metrics.request_seconds.observe(seconds);
        // Microseconds are the last that tells anything; a whole number of them is never written with an exponent.
        let milliseconds = (seconds * 1e6).round() / 1e3;
        match result {
            Outcome::Ok | Outcome::Cancelled => {
                tracing::info!(request = self.id, kind = self.kind, milliseconds, "{words}");
            }
            Outcome::Error | Outcome::Refused => {
                tracing::warn!(request = self.id, kind = self.kind, milliseconds, "{words}");
            }
        }
        self.service.requests.end(self.id, seconds, words);
        self.service.active.send_modify(|count| *count -= 1);
    }
}

impl Service {
    /// Starts the workers.
    pub fn new(settings: Settings) -> Arc<Self> {
        let metrics = Arc::new(Metrics::new());
        let answers = Arc::new(AnswerCache::new(settings.answer_cache));
        Arc::new(Self {
            limit: settings.limit,
            pool: Pool::new(settings.pool, Arc::clone(&answers), Arc::clone(&metrics)),
            clones: Clones::new(settings.clones, Arc::clone(&metrics)),
            indexes: Indexes::new(Arc::clone(&metrics)),
            answers,
            peers: Peers::new(settings.peers, Arc::clone(&metrics)),
            metrics,
            requests: LastRequests::default(),
            next: AtomicU64::new(1),
            active: watch::Sender::new(0),
            ending: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            began: Instant::now(),
        })
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        self.metrics.answer_cache_bytes.set(self.answers.status().bytes as i64);
        self.metrics.up.set(self.began.elapsed().as_secs_f64());
        &self.metrics
    }

    /// How many fetches there are, now and from now on.
    pub fn fetching(&self) -> watch::Receiver<usize> {
        self.clones.fetching()
    }

    /// What peers may take, and take.
    pub fn peers(&self) -> &Arc<Peers> {
        &self.peers
    }

    /// Whether it should be asked: it is not about to end, and a worker can take requests.
    pub fn is_ready(&self) -> bool {
        !self.is_ending() && self.pool.is_ready()
    }

    /// Says from now on that it is not ready, and takes requests as before.
    pub fn announce_end(&self) {
        self.ending.store(true, Ordering::SeqCst);
    }

    /// Whether its end was announced.
    pub fn is_ending(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }

    /// Takes no more requests, answers those that were taken, and ends.
    pub async fn drain(&self) {
        self.announce_end();
        self.draining.store(true, Ordering::SeqCst);
        // A request that waits for a fetch was taken, too.
        let _ = self.active.subscribe().wait_for(|count| *count == 0).await;
        self.pool.drain().await;
    }

    /// What it does.
    pub fn status(&self) -> Status {
        let index = |repository: ClonedRepository| {
            let (RepositoryLabel::Url(url) | RepositoryLabel::Folder(url)) = repository.label;
            IndexStatus { url, commit: repository.at.commit }
        };
        Status {
            up_seconds: self.began.elapsed().as_secs_f64(),
            workers: self.pool.workers(),
            waiting: self.pool.waiting(),
            answers: self.answers.status(),
            indexes: self.indexes.list().into_iter().map(index).collect(),
            requests: self.requests.list(),
        }
    }

    /// Answers a question, in JSON. Lines of its log come as they are written. Dropping the future cancels it. A
    /// request that could not be read is counted like all others.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn ask(
        &self,
        client: &str,
        request: Result<Request, RequestError>,
        log: Log,
    ) -> Result<Vec<u8>, RequestError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let kind = request.as_ref().map_or("malformed", |request| request.kind);
        self.active.send_modify(|count| *count += 1);
        let mut active = ActiveRequest { service: self, id, kind, began: Instant::now(), ended: None };
        self.requests.begin(id, client, kind);
        let answer = match request {
            Ok(_) if self.draining.load(Ordering::SeqCst) => Err(PoolError::ShuttingDown.into()),
            Ok(request) => self.answer(client, request, log).await,
            Err(error) => Err(error),
        };
        active.ended = Some(match &answer {
            Ok(Answered { words, .. }) => (Outcome::Ok, (*words).to_owned()),
            Err(error) if error.is_temporary() => (Outcome::Refused, error.to_string()),
            Err(error @ RequestError::Pool(PoolError::Cancelled)) => (Outcome::Cancelled, error.to_string()),
            Err(error) => (Outcome::Error, error.to_string()),
        });
        answer.map(|answered| answered.json)
    }

    async fn answer(&self, client: &str, request: Request, log: Log) -> Result<Answered, RequestError> {
        self.check_folders(&request)?;
        self.clones.check_count(&request.repositories)?;
        if let Some(json) = self.kept(&request, &log) {
            self.metrics.answers_reused.inc();
            return Ok(Answered { json, words: "answered from memory" });
        }
        let fetched = try_join_all(request.repositories.iter().map(|name| self.fetch(client, name, &log)));
        let clones = try_join_all(request.clones.iter().map(|name| self.open_clone(client, name)));
        let (mut repositories, clones) = try_join(fetched, clones).await?;
        repositories.extend(clones);
        let work = Work::Answer(ByteBuf::from(request.json));
        let job = Job { repositories, work, limit_ms: self.limit_ms() };
        let (answer, lines) = self.run(client, job, log).await?;
        let pool::Answer { json, can_be_kept, cost: Cost { solves, explored } } = answer;
        solves.iter().for_each(|seconds| self.metrics.solve_seconds.observe(*seconds));
        self.metrics.explored.inc_by(explored);
        if can_be_kept {
            let answer = ByteBuf::from(json.as_slice());
            if let Ok(bytes) = postcard::to_allocvec(&(&lines, &answer)) {
                self.answers.insert(request.key, bytes);
            }
        }
        Ok(Answered { json, words: "answered" })
    }

    fn limit_ms(&self) -> u64 {
        u64::try_from(self.limit.as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether the request may name the folders that it names.
    fn check_folders(&self, request: &Request) -> Result<(), RequestError> {
        match request.clones.first() {
            Some(clone) if !request.may_name_folders && !self.clones.allow_folders() => {
                Err(self.clones.folder_not_allowed(&clone.folder).into())
            }
            _ => Ok(()),
        }
    }

    /// The answer to a request, if it is kept; the log gets the lines that it got then.
    fn kept(&self, request: &Request, log: &Log) -> Option<Vec<u8>> {
        let bytes = self.answers.get(&request.key)?;
        let (lines, answer) = postcard::from_bytes::<(Vec<String>, ByteBuf)>(&bytes).ok()?;
        lines.into_iter().for_each(|line| drop(log.send(line)));
        Some(answer.into_vec())
    }

    /// Has a worker do a job; also hands back the lines that the log got.
    async fn run(&self, client: &str, job: Job, log: Log) -> Result<(pool::Answer, Vec<String>), PoolError> {
        let (lines, mut written) = mpsc::unbounded_channel::<String>();
        let running = self.pool.run(client, job, lines);
        let mut kept = Vec::new();
        let mut keep = |line: String| {
            kept.push(line.clone());
            // Nobody may be reading the log.
            let _ = log.send(line);
        };
        tokio::pin!(running);
        let answer = loop {
            tokio::select! {
                biased;
                Some(line) = written.recv() => keep(line),
                answer = &mut running => break answer,
            }
        }?;
        while let Ok(line) = written.try_recv() {
            keep(line);
        }
        Ok((answer, kept))
    }

    /// A repository at a commit with its index, fetched and indexed now if need be.
    async fn fetch(&self, client: &str, name: &RepositoryName, log: &Log) -> Result<ClonedRepository, RequestError> {
        let before_fetch = || drop(log.send(format!("Fetching {}", name.url)));
        let repository = self.clones.get(client, name, &before_fetch).await?;
        self.ensure_index(client, &repository).await?;
        Ok(repository)
    }

    /// A commit in a clone of this machine with its index.
    async fn open_clone(&self, client: &str, name: &CloneName) -> Result<ClonedRepository, RequestError> {
        // Workers stand elsewhere.
        let folder = std::path::absolute(&name.folder).unwrap_or_else(|_| PathBuf::from(&name.folder));
        let at = CommitInClone { folder, commit: name.commit.clone() };
        let repository = ClonedRepository { label: RepositoryLabel::Folder(name.folder.clone()), at };
        self.ensure_index(client, &repository).await?;
        Ok(repository)
    }

    async fn ensure_index(&self, client: &str, repository: &ClonedRepository) -> Result<(), PoolError> {
        let make = || async {
            let (warnings, mut written) = mpsc::unbounded_channel();
            let repositories = vec![repository.clone()];
            let job = Job { repositories, work: Work::MakeIndexes, limit_ms: self.limit_ms() };
            let made = self.pool.run(client, job, warnings).await;
            while let Ok(warning) = written.try_recv() {
                tracing::warn!("{warning}");
            }
            made.map(drop)
        };
        self.indexes.ensure(repository, make).await
    }
}
