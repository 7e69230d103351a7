//! Clones of the repositories that requests name, and fetching what is new in them.
//!
//! A clone lies below the cache directory, at the host and path of its URL. Requests that need the same fetch
//! wait for the same one; nothing else waits. What is fetched is decided by a person who started the service:
//! only URLs of allowed schemes, never an option of git, never a local path unless that is allowed.

use crate::metrics::{JobLabels, Metrics, Outcome};
use crate::worker::frames::{ClonedRepository, CommitInClone, RepositoryLabel};
use caravan::repository::{RepositoryName, has_commit};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::process::Command;
use tokio::sync::watch;

/// How repositories are cloned and fetched.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where clones are kept.
    pub directory: PathBuf,
    /// The schemes of URLs that may be fetched: `https`, `ssh`, `git`, `http`, `file`.
    pub schemes: Vec<String>,
    /// How long a fetch may take.
    pub limit: Duration,
}

/// Why a repository at a commit cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloneError {
    /// It is no URL of a repository.
    #[error("`{0}` is not the URL of a git repository")]
    Malformed(String),
    /// It has a password in it, which would be shared with all who name the repository, and logged.
    #[error("URLs with passwords are not fetched; whoever runs this service can give git credentials")]
    Password,
    /// Its scheme is not allowed.
    #[error("`{url}` is not fetched: this service allows {allowed}")]
    NotAllowed {
        /// The URL.
        url: String,
        /// The schemes that are allowed.
        allowed: String,
    },
    /// It is no commit id.
    #[error("`{0}` is not the id of a commit")]
    MalformedCommit(String),
    /// The commit is not there, not even after a fetch.
    #[error("Still missing commit after update! {url} has no {commit}")]
    NoCommit {
        /// The repository.
        url: String,
        /// The commit.
        commit: String,
    },
    /// git failed.
    #[error("{doing} {url} failed: {reason}")]
    Git {
        /// `cloning` or `fetching`
        doing: &'static str,
        /// The repository.
        url: String,
        /// git's words.
        reason: String,
    },
    /// The machine failed.
    #[error("{0}")]
    System(String),
}

/// The clones.
pub struct Clones {
    settings: Settings,
    by_url: Mutex<HashMap<String, Arc<LocalClone>>>,
    fetching: watch::Sender<usize>,
    metrics: Arc<Metrics>,
}

/// One fetch, as long as it lasts.
struct Fetching<'f>(&'f watch::Sender<usize>);

impl<'f> Fetching<'f> {
    fn new(count: &'f watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Fetching<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// The clone of a repository.
struct LocalClone {
    url: String,
    path: PathBuf,
    /// Held by whoever fetches.
    fetching: tokio::sync::Mutex<()>,
    /// How many fetches began.
    begun: AtomicU64,
    /// Commits that it has.
    commits: Mutex<HashSet<String>>,
}

/// Clones that are being made have names that begin so.
const UNFINISHED: &str = ".unfinished-";
/// What was begun so long ago was left behind by a process that was killed.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

fn remove_abandoned(parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let modified = entry.metadata().and_then(|data| data.modified());
        let old = modified.is_ok_and(|then| then.elapsed().is_ok_and(|age| age > ABANDONED));
        if old && entry.file_name().as_encoded_bytes().starts_with(UNFINISHED.as_bytes()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// The scheme of a URL: `file` for a path.
fn scheme(url: &str) -> Option<&str> {
    if let Some((scheme, _)) = url.split_once("://") {
        return Some(scheme);
    }
    if url.starts_with('/') {
        return Some("file");
    }
    // `ext::sh -c …` and its like.
    if url.contains("::") {
        return None;
    }
    // `git@github.com:ocaml/opam-repository.git`
    let (host, path) = url.split_once(':')?;
    (!host.is_empty() && !host.contains('/') && !path.is_empty()).then_some("ssh")
}

/// Where a clone lies below the cache directory, as solver-service has it: `github_com/ocaml/opam-repository_git`.
fn place(url: &str) -> Option<PathBuf> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let clean = |part: &str| -> String {
        part.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
    };
    let parts: Vec<String> = rest.split(['/', ':']).filter(|part| !part.is_empty()).map(clean).collect();
    (!parts.is_empty()).then(|| parts.iter().collect())
}

/// Whether there is a clone of something else: `http://x/y` and `https://x/y` have the same place.
fn is_of_another(path: &Path, url: &str) -> bool {
    let config = std::fs::read_to_string(path.join("config")).unwrap_or_default();
    let mut urls = config.lines().filter_map(|line| line.trim().strip_prefix("url = "));
    urls.next().is_some_and(|known| known != url)
}

/// Another place, for this URL alone.
fn beside(path: &Path, url: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    let hash = Sha256::digest(url.as_bytes());
    name.push("_");
    hash.iter().take(8).for_each(|byte| name.push(format!("{byte:02x}")));
    path.with_file_name(name)
}

impl Clones {
    /// The clones below a directory.
    pub fn new(settings: Settings, metrics: Arc<Metrics>) -> Self {
        Self { settings, by_url: Mutex::default(), fetching: watch::Sender::new(0), metrics }
    }

    /// Whether folders of this machine may be named.
    pub fn allow_folders(&self) -> bool {
        self.settings.schemes.iter().any(|scheme| scheme == "file")
    }

    /// A folder of this machine that may not be named.
    pub fn folder_not_allowed(&self, folder: &str) -> CloneError {
        CloneError::NotAllowed { url: folder.to_owned(), allowed: self.settings.schemes.join(", ") }
    }

    /// How many fetches there are, now and from now on.
    pub fn fetching(&self) -> watch::Receiver<usize> {
        self.fetching.subscribe()
    }

    fn clone_of(&self, url: &str) -> Result<Arc<LocalClone>, CloneError> {
        let malformed = || CloneError::Malformed(url.to_owned());
        if url.starts_with('-') || url.chars().any(char::is_control) || url.len() > 2000 {
            return Err(malformed());
        }
        let scheme = scheme(url).ok_or_else(malformed)?;
        if !self.settings.schemes.iter().any(|allowed| allowed == scheme) {
            let allowed = self.settings.schemes.join(", ");
            return Err(CloneError::NotAllowed { url: url.to_owned(), allowed });
        }
        let authority = url.split_once("://").and_then(|(_, rest)| rest.split('/').next()).unwrap_or_default();
        if authority.split_once('@').is_some_and(|(user, _)| user.contains(':')) {
            return Err(CloneError::Password);
        }
        let path = self.settings.directory.join(place(url).ok_or_else(malformed)?);
        let mut clones = self.by_url.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = clones.values().any(|clone| clone.path == path && clone.url != url);
        let path = if taken || is_of_another(&path, url) { beside(&path, url) } else { path };
        let made = || LocalClone {
            url: url.to_owned(),
            path,
            fetching: tokio::sync::Mutex::new(()),
            begun: AtomicU64::new(0),
            commits: Mutex::default(),
        };
        Ok(Arc::clone(clones.entry(url.to_owned()).or_insert_with(|| Arc::new(made()))))
    }

    /// A commit of a repository, fetched if it is not there. `before_fetch` is called before a fetch begins.
    ///
    /// # Errors
    /// See [`CloneError`].
    pub async fn get(
        &self,
        RepositoryName { url, commit }: &RepositoryName,
        before_fetch: &(dyn Fn() + Send + Sync),
    ) -> Result<ClonedRepository, CloneError> {
        if ![40, 64].contains(&commit.len()) || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(CloneError::MalformedCommit(commit.to_owned()));
        }
        let clone = self.clone_of(url)?;
        let at = CommitInClone { folder: clone.path.clone(), commit: commit.to_ascii_lowercase() };
        let found = ClonedRepository { label: RepositoryLabel::Url(url.to_owned()), at };
        let seen = clone.begun.load(Ordering::SeqCst);
        if clone.has(&found.at.commit).await? {
            return Ok(found);
        }
        before_fetch();
        let _fetching = clone.fetching.lock().await;
        // A fetch that began after this request came has brought what there is.
        let fetched_meanwhile = clone.begun.load(Ordering::SeqCst) > seen;
        if clone.has(&found.at.commit).await? {
            return Ok(found);
        }
        let _counted = Fetching::new(&self.fetching);
        if !fetched_meanwhile {
            clone.begun.fetch_add(1, Ordering::SeqCst);
            let fetched = self.fetch(&clone).await;
            let result = if fetched.is_ok() { Outcome::Ok } else { Outcome::Error };
            self.metrics.fetches.get_or_create(&JobLabels { result }).inc();
            fetched?;
        }
        if !clone.has(&found.at.commit).await? {
            self.fetch_commit(&clone, &found.at.commit).await;
        }
        match clone.has(&found.at.commit).await? {
            true => Ok(found),
            false => Err(CloneError::NoCommit { url: url.to_owned(), commit: commit.to_owned() }),
        }
    }

    async fn fetch(&self, clone: &LocalClone) -> Result<(), CloneError> {
        if !clone.path.is_dir() {
            return self.clone_new(clone).await;
        }
        tracing::info!(url = clone.url, "fetching");
        let everything = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
        self.run(self.git_fetch(clone, &everything), "fetching", &clone.url).await
    }

    /// A pull request's commit is on no branch; many hosts give it to whoever knows its id.
    async fn fetch_commit(&self, clone: &LocalClone, commit: &str) {
        if let Err(error) = self.run(self.git_fetch(clone, &[commit]), "fetching", &clone.url).await {
            tracing::info!(url = clone.url, commit, "{error}");
        }
    }

    fn git_fetch(&self, clone: &LocalClone, refs: &[&str]) -> Command {
        let mut command = self.git();
        command.arg("--git-dir").arg(&clone.path).args(["fetch", "--quiet", "--no-auto-maintenance"]);
        command.arg("origin").args(refs);
        command
    }

    /// Into a directory of its own, renamed when it is complete: nobody sees half a clone.
    async fn clone_new(&self, clone: &LocalClone) -> Result<(), CloneError> {
        tracing::info!(url = clone.url, "cloning");
        let system = |error: std::io::Error| CloneError::System(error.to_string());
        let parent = clone.path.parent().unwrap_or(&self.settings.directory);
        fs_err::create_dir_all(parent).map_err(system)?;
        remove_abandoned(parent);
        let unfinished = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(parent).map_err(system)?;
        let target = unfinished.path().join("clone.git");
        let mut command = self.git();
        command.args(["clone", "--quiet", "--bare", "--", &clone.url]).arg(&target);
        self.run(command, "cloning", &clone.url).await?;
        fs_err::rename(&target, &clone.path).map_err(system)
    }

    fn git(&self) -> Command {
        let mut command = Command::new("git");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_ALLOW_PROTOCOL", self.settings.schemes.join(":"));
        command.args(["-c", "gc.auto=0"]);
        command
    }

    async fn run(&self, mut command: Command, doing: &'static str, url: &str) -> Result<(), CloneError> {
        let failed = |reason: String| CloneError::Git { doing, url: url.to_owned(), reason };
        let output = tokio::time::timeout(self.settings.limit, command.output()).await;
        let output = output
            .map_err(|_| failed(format!("it took longer than {} s", self.settings.limit.as_secs())))?
            .map_err(|error| CloneError::System(format!("cannot run `git`: {error}")))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let reason = said.lines().rev().find(|line| line.starts_with("fatal:")).or(said.lines().last());
        Err(failed(format!(
            "{} ({})",
            reason.unwrap_or("git said nothing").trim_start_matches("fatal: "),
            output.status
        )))
    }
}

impl LocalClone {
    async fn has(&self, commit: &str) -> Result<bool, CloneError> {
        if self.commits.lock().unwrap_or_else(PoisonError::into_inner).contains(commit) {
            return Ok(true);
        }
        let (path, wanted) = (self.path.clone(), commit.to_owned());
        let found = tokio::task::spawn_blocking(move || has_commit(&path, &wanted)).await;
        let system = |error: &dyn std::fmt::Display| CloneError::System(error.to_string());
        let found = found.map_err(|error| system(&error))?.map_err(|error| system(&error))?;
        if found {
            let mut commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
            if commits.len() > 10_000 {
                commits.clear();
            }
            commits.insert(commit.to_owned());
        }
        Ok(found)
    }
}
