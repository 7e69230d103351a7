//! Fetching: each in its turn, within its limits, into a place where it disturbs nobody.

use super::directory::{self, Found};
use super::error::{CloneError, FetchFailure};
use super::git::{self, Ended, Limits};
use super::local_clone::{LocalClone, SharedFetch, Wanted};
use super::network::{Pinned, look_up};
use super::queue::{FetchQueue, Full, Permit};
use super::settings::Settings;
use super::url::RepositoryUrl;
use crate::metrics::{JobLabels, Metrics, Outcome};
use futures::FutureExt;
use std::path::Path;
use std::sync::Arc;
use tokio::process::Command;
use tokio::sync::{OnceCell, oneshot, watch};
use tokio_util::sync::CancellationToken;

/// How many redirections are followed.
const REDIRECTIONS: usize = 5;

/// Fetches what is asked for.
pub(super) struct Fetcher {
    pub(super) settings: Settings,
    queue: Arc<FetchQueue>,
    /// How many fetches there are, those that wait for their turn included.
    pub(super) count: watch::Sender<usize>,
    metrics: Arc<Metrics>,
    /// Whether git connects where it is told to.
    can_pin: OnceCell<bool>,
}

/// One fetch, as long as it lasts.
struct Counted<'f>(&'f watch::Sender<usize>);

impl<'f> Counted<'f> {
    fn new(count: &'f watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// What is fetched, from where, into which clone.
struct Fetch<'f> {
    clone: &'f LocalClone,
    url: &'f RepositoryUrl,
    wanted: &'f Wanted,
    stop: &'f CancellationToken,
}

fn system(error: impl std::fmt::Display) -> CloneError {
    CloneError::System(error.to_string())
}

impl Fetcher {
    pub(super) fn new(settings: Settings, metrics: Arc<Metrics>) -> Arc<Self> {
        let queue = FetchQueue::new(settings.at_once, settings.queue);
        Arc::new(Self { settings, queue, count: watch::Sender::new(0), metrics, can_pin: OnceCell::new() })
    }

    /// Fetches into a clone, or waits for whoever does so already. Of the same fetch there is one, whatever number of
    /// requests wait for it; when none does any more, it ends.
    ///
    /// # Errors
    /// See [`CloneError`].
    pub(super) async fn fetch(
        self: &Arc<Self>,
        client: &str,
        clone: &Arc<LocalClone>,
        url: &RepositoryUrl,
        wanted: &Wanted,
    ) -> Result<(), CloneError> {
        loop {
            let mut refused = None;
            let begin = || match self.queue.enter(client) {
                Ok(turn) => Some(self.begin(turn, Arc::clone(clone), url.clone(), wanted.clone())),
                Err(full) => {
                    refused = Some(full);
                    None
                }
            };
            match clone.begin_or_join(url, wanted, begin) {
                Some((fetch, true)) => return fetch.await,
                // Something else is fetched into the clone.
                Some((other, false)) => {
                    let _ = other.await;
                }
                None => {
                    self.metrics.refused.inc();
                    return Err(match refused {
                        Some(Full::Queue(waiting)) => CloneError::Busy(waiting),
                        _ => CloneError::BusyClient,
                    });
                }
            }
        }
    }

    fn begin(
        self: &Arc<Self>,
        turn: oneshot::Receiver<Permit>,
        clone: Arc<LocalClone>,
        url: RepositoryUrl,
        wanted: Wanted,
    ) -> SharedFetch {
        let stop = CancellationToken::new();
        let wanted_by_somebody = stop.clone().drop_guard();
        let fetcher = Arc::clone(self);
        // A task of its own: it tidies up also if nobody waits for it any more.
        let task = tokio::spawn(async move {
            let _counted = Counted::new(&fetcher.count);
            let exclusive = async {
                let turn = turn.await;
                (turn, clone.exclusive.lock().await)
            };
            let _turn = tokio::select! {
                () = stop.cancelled() => return Err(system("the fetch was cancelled")),
                turn = exclusive => turn,
            };
            let fetch = Fetch { clone: &clone, url: &url, wanted: &wanted, stop: &stop };
            let fetched = fetcher.run(&fetch).await;
            if wanted == Wanted::Everything {
                let result = match &fetched {
                    Ok(()) => Outcome::Ok,
                    Err(_) if stop.is_cancelled() => Outcome::Cancelled,
                    Err(_) => Outcome::Error,
                };
                fetcher.metrics.fetches.get_or_create(&JobLabels { result }).inc();
            }
            fetched
        });
        async move {
            let _wanted = wanted_by_somebody;
            task.await.unwrap_or_else(|error| Err(system(error)))
        }
        .boxed()
        .shared()
    }

    async fn run(&self, fetch: &Fetch<'_>) -> Result<(), CloneError> {
        match directory::look(&fetch.clone.path, self.settings.allow_files()) {
            Found::Nothing if *fetch.wanted == Wanted::Everything => self.clone_new(fetch).await,
            // What has no clone has no commits.
            Found::Nothing => Ok(()),
            Found::Clone => self.fetch_into(fetch).await,
            Found::Unusable(_) => Err(CloneError::Unusable(fetch.url.text.clone())),
        }
    }

    async fn fetch_into(&self, fetch: &Fetch<'_>) -> Result<(), CloneError> {
        let path = &fetch.clone.path;
        let locked = tokio::select! {
            () = fetch.stop.cancelled() => return Err(system("the fetch was cancelled")),
            () = tokio::time::sleep(self.settings.limit) => {
                return Err(self.failed("fetching", fetch, FetchFailure::TooLong(self.settings.limit)));
            }
            locked = directory::lock(path) => locked.map_err(system)?,
        };
        directory::remove_leftovers(path);
        tracing::info!(url = fetch.url.text, "fetching");
        let refs = match fetch.wanted {
            Wanted::Everything => vec!["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"],
            Wanted::Commit(commit) => vec![commit.as_str()],
        };
        let command = |command: &mut Command, url: &str| {
            command.arg("--git-dir").arg(path).args(["fetch", "--quiet", "--no-auto-maintenance"]);
            // A branch `a` may have given way to a branch `a/b`. What was fetched before stays.
            if *fetch.wanted == Wanted::Everything {
                command.arg("--prune");
            }
            command.arg("--").arg(url).args(&refs);
        };
        let fetched = self.git("fetching", fetch, path, command).await;
        if fetched.is_err() {
            directory::remove_leftovers(path);
        }
        drop(locked);
        fetched
    }

    /// Into a directory of its own, renamed when it is complete: nobody sees half a clone.
    async fn clone_new(&self, fetch: &Fetch<'_>) -> Result<(), CloneError> {
        tracing::info!(url = fetch.url.text, "cloning");
        let unfinished = directory::unfinished(&self.settings.directory).map_err(system)?;
        let target = unfinished.path().join("clone.git");
        let command = |command: &mut Command, url: &str| {
            command.args(["clone", "--quiet", "--bare", "--template=", "--", url]).arg(&target);
        };
        self.git("cloning", fetch, unfinished.path(), command).await?;
        // It was cloned from where its host was found, or sent us to.
        directory::set_origin(&target, &fetch.url.text).await.map_err(system)?;
        let place = &fetch.clone.path;
        if let Some(parent) = place.parent() {
            fs_err::create_dir_all(parent).map_err(system)?;
        }
        match fs_err::rename(&target, place) {
            // Another process was faster.
            Err(_) if directory::look(place, self.settings.allow_files()) == Found::Clone => Ok(()),
            renamed => renamed.map_err(system),
        }
    }

    /// Runs git with the URL, and with those that the host redirects to. `growing`: the directory that is written to.
    async fn git(
        &self,
        doing: &'static str,
        fetch: &Fetch<'_>,
        growing: &Path,
        arguments: impl Fn(&mut Command, &str),
    ) -> Result<(), CloneError> {
        let mut url = fetch.url.clone();
        for _ in 0..=REDIRECTIONS {
            let pinned = self.pin(fetch, &url).await?;
            let mut command = git::command(&self.settings.scheme_names(":"), self.settings.limit);
            for setting in &pinned.settings {
                command.args(["-c", setting]);
            }
            command.envs(pinned.variables);
            arguments(&mut command, &pinned.url);
            let limits = Limits { time: self.settings.limit, growing, size: self.settings.size_limit };
            let ended = git::run(command, limits, fetch.stop).await;
            let failure = match ended.map_err(|error| system(format_args!("cannot run `git`: {error}")))? {
                Ended::Done => return Ok(()),
                Ended::Stopped => return Err(system("the fetch was cancelled")),
                Ended::TooLong => FetchFailure::TooLong(self.settings.limit),
                Ended::TooLarge => FetchFailure::TooLarge(self.settings.size_limit),
                Ended::Failed(words) => {
                    tracing::warn!(url = fetch.url.text, "{doing} failed: {words:?}");
                    FetchFailure::Git
                }
                Ended::Redirected(location) => {
                    tracing::info!(url = fetch.url.text, "redirected to {location:?}");
                    match url.redirected(&location, &self.settings.schemes) {
                        Some(next) => {
                            url = next;
                            continue;
                        }
                        None => FetchFailure::Git,
                    }
                }
            };
            return Err(self.failed(doing, fetch, failure));
        }
        Err(self.failed(doing, fetch, FetchFailure::Git))
    }

    fn failed(&self, doing: &'static str, fetch: &Fetch<'_>, reason: FetchFailure) -> CloneError {
        CloneError::Fetch { doing, url: fetch.url.text.clone(), reason }
    }

    /// `url`: that of the fetch, or where its host says that it is.
    async fn pin(&self, fetch: &Fetch<'_>, url: &RepositoryUrl) -> Result<Pinned, CloneError> {
        let addresses = look_up(url, &self.settings.private).await.map_err(|error| {
            tracing::warn!(url = fetch.url.text, "not fetched from {:?}: {error}", url.text);
            CloneError::NotPublic(fetch.url.text.clone())
        })?;
        let pinned = Pinned::new(url, &addresses);
        if !pinned.settings.is_empty() && !*self.can_pin.get_or_init(git::can_pin).await {
            return Err(system(
                "git 2.37 or later is needed where not all hosts may be fetched from (`--allow-private`)",
            ));
        }
        Ok(pinned)
    }
}
