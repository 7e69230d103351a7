//! Clones of the repositories that requests name, and fetching what is new in them.
//!
//! ```text
//! get ── url (read strictly) ── the clone's place (directory) ── has it the commit? ────────────────> clone
//!          └─ fetch: queue ── network (public addresses only) ── git (time, size, process group) ──────┘
//! ```
//!
//! A clone lies below the cache directory where solver-service has it: in a directory of its host, with a flat name made
//! from the path of its URL. None can lie within another. Requests that need the same fetch wait for the same one;
//! nothing else waits. What is fetched is decided by a person who started the service: only URLs of allowed schemes
//! and hosts, never an option of git, never a local path unless that is allowed.

mod directory;
mod error;
mod fetch;
mod git;
mod local_clone;
mod network;
mod queue;
mod settings;
mod url;

pub use error::{CloneError, FetchFailure};
pub use settings::{PrivateHosts, Scheme, Settings};

use crate::metrics::Metrics;
use crate::worker::frames::{ClonedRepository, CommitInClone, RepositoryLabel};
use caravan::repository::RepositoryName;
use directory::Found;
use fetch::Fetcher;
use local_clone::{Known, LocalClone, Wanted};
use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, watch};
use url::RepositoryUrl;

/// How many clones are looked into at once.
const LOOKS: usize = 16;

/// The clones.
pub struct Clones {
    fetcher: Arc<Fetcher>,
    known: Mutex<Known>,
    looks: Semaphore,
}

/// A clone that a request needs. When none does, and nothing was cloned, it is forgotten: what requests name is no
/// reason to keep it.
struct Needed<'c> {
    clones: &'c Clones,
    clone: Arc<LocalClone>,
}

impl Drop for Needed<'_> {
    fn drop(&mut self) {
        let mut known = self.clones.known();
        // One is known, one is here.
        if Arc::strong_count(&self.clone) <= 2 && !self.clone.path.exists() {
            known.remove(&self.clone.canonical);
        }
    }
}

impl Clones {
    /// The clones below a directory.
    pub fn new(settings: Settings, metrics: Arc<Metrics>) -> Self {
        let fetcher = Fetcher::new(settings, metrics);
        Self { fetcher, known: Mutex::default(), looks: Semaphore::new(LOOKS) }
    }

    fn settings(&self) -> &Settings {
        &self.fetcher.settings
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether folders of this machine may be named.
    pub fn allow_folders(&self) -> bool {
        self.settings().allow_files()
    }

    /// A folder of this machine that may not be named.
    pub fn folder_not_allowed(&self, folder: &str) -> CloneError {
        CloneError::NotAllowed { url: folder.to_owned(), allowed: self.settings().scheme_names(", ") }
    }

    /// How many fetches there are, now and from now on; those that wait for their turn included.
    pub fn fetching(&self) -> watch::Receiver<usize> {
        self.fetcher.count.subscribe()
    }

    /// Whether a request may name all that it names.
    ///
    /// # Errors
    /// When these are too many different repositories.
    pub fn check_count(&self, names: &[RepositoryName]) -> Result<(), CloneError> {
        let named = names.iter().map(|name| name.url.as_str()).collect::<HashSet<_>>().len();
        let limit = self.settings().repositories;
        if named > limit { Err(CloneError::TooMany { named, limit }) } else { Ok(()) }
    }

    /// Whether a place has the clone of a URL, however that is spelt there.
    async fn is_of(&self, place: &Path, url: &RepositoryUrl) -> bool {
        let origin = directory::origin(place).await;
        // Local paths are origins too, of clones that are used where these may be named.
        let origin = origin.and_then(|origin| RepositoryUrl::parse(&origin, &Scheme::ALL).ok());
        origin.is_some_and(|origin| origin.canonical() == url.canonical())
    }

    /// Where solver-service would have it, unless there is something else.
    async fn clone_of(&self, url: &RepositoryUrl) -> Result<Needed<'_>, CloneError> {
        let canonical = url.canonical();
        let needed = |clone: &Arc<LocalClone>| Needed { clones: self, clone: Arc::clone(clone) };
        if let Some(clone) = self.known().get(&canonical) {
            return Ok(needed(clone));
        }
        let _look = self.looks.acquire().await.map_err(|error| CloneError::System(error.to_string()))?;
        let host = self.settings().directory.join(url.host_directory());
        let (usual, own) = (url.directory().map(|name| host.join(name)), host.join(url.own_directory()));
        let usual = match usual {
            Some(place) if directory::look(&place, true) == Found::Nothing => (!own.exists()).then_some(place),
            Some(place) => self.is_of(&place, url).await.then_some(place),
            None => None,
        };
        let mut known = self.known();
        let taken = |place: &Path| known.values().any(|other| other.path == place && other.canonical != canonical);
        let path = usual.filter(|place| !taken(place)).unwrap_or(own);
        let made = || Arc::new(LocalClone::new(canonical.clone(), path, self.settings().allow_files()));
        Ok(needed(known.entry(canonical.clone()).or_insert_with(made)))
    }

    /// A commit of a repository, fetched if it is not there. `before_fetch` is called before a fetch begins.
    ///
    /// # Errors
    /// See [`CloneError`].
    pub async fn get(
        &self,
        client: &str,
        RepositoryName { url: text, commit }: &RepositoryName,
        before_fetch: &(dyn Fn() + Send + Sync),
    ) -> Result<ClonedRepository, CloneError> {
        if ![40, 64].contains(&commit.len()) || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(CloneError::MalformedCommit(commit.to_owned()));
        }
        let url = RepositoryUrl::parse(text, &self.settings().schemes)?;
        let needed = self.clone_of(&url).await?;
        let clone = &needed.clone;
        let at = CommitInClone { folder: clone.path.clone(), commit: commit.to_ascii_lowercase() };
        let found = ClonedRepository { label: RepositoryLabel::Url(text.to_owned()), at };
        if self.has(clone, &url, &found.at.commit).await? {
            return Ok(found);
        }
        before_fetch();
        // One that began before this request came may have been too early for the commit.
        if let Some(under_way) = clone.joined(&url, &Wanted::Everything) {
            under_way.await?;
            if self.has(clone, &url, &found.at.commit).await? {
                return Ok(found);
            }
        }
        self.fetcher.fetch(client, clone, &url, &Wanted::Everything).await?;
        if self.has(clone, &url, &found.at.commit).await? {
            return Ok(found);
        }
        match self.fetcher.fetch(client, clone, &url, &Wanted::Commit(found.at.commit.clone())).await {
            // The host does not know it, or does not give it.
            Ok(()) | Err(CloneError::Fetch { reason: FetchFailure::Git, .. }) => {}
            Err(error) => return Err(error),
        }
        match self.has(clone, &url, &found.at.commit).await? {
            true => Ok(found),
            false => Err(CloneError::NoCommit { url: text.to_owned(), commit: commit.to_owned() }),
        }
    }

    async fn has(&self, clone: &LocalClone, url: &RepositoryUrl, commit: &str) -> Result<bool, CloneError> {
        let _look = self.looks.acquire().await.map_err(|error| CloneError::System(error.to_string()))?;
        clone.has(url, commit).await
    }
}
