//! A clone on this machine, and the fetch into it that is under way.

use super::directory::{self, Found};
use super::error::CloneError;
use super::url::RepositoryUrl;
use caravan::repository::has_commit;
use futures::future::{BoxFuture, Shared, WeakShared};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// How many commits of a clone are known to be there without a look.
const KNOWN: usize = 10_000;

/// What is to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All branches and tags.
    Everything,
    /// A commit that is on no branch, such as a pull request's: many hosts give it to whoever knows its id.
    Commit(String),
}

/// A fetch that goes on as long as somebody waits for it.
pub(super) type SharedFetch = Shared<BoxFuture<'static, Result<(), CloneError>>>;

type WeakFetch = WeakShared<BoxFuture<'static, Result<(), CloneError>>>;

/// The clone of a repository.
pub(super) struct LocalClone {
    /// The URL without what is spelling only.
    pub(super) canonical: String,
    pub(super) path: PathBuf,
    allow_files: bool,
    /// Held as long as something is fetched into it.
    pub(super) exclusive: tokio::sync::Mutex<()>,
    /// What is being fetched, from where.
    under_way: Mutex<Option<(String, Wanted, WeakFetch)>>,
    /// Commits that it has.
    commits: Mutex<HashSet<String>>,
}

impl LocalClone {
    pub(super) fn new(canonical: String, path: PathBuf, allow_files: bool) -> Self {
        let (exclusive, under_way, commits) = Default::default();
        Self { canonical, path, allow_files, exclusive, under_way, commits }
    }

    /// Whether it has a commit. There may be no clone yet.
    ///
    /// # Errors
    /// When the clone cannot be read, or is not to be used.
    pub(super) async fn has(&self, url: &RepositoryUrl, commit: &str) -> Result<bool, CloneError> {
        if self.commits.lock().unwrap_or_else(PoisonError::into_inner).contains(commit) {
            return Ok(true);
        }
        let (path, wanted, allow_files) = (self.path.clone(), commit.to_owned(), self.allow_files);
        let look = move || match directory::look(&path, allow_files) {
            Found::Nothing => Ok(false),
            Found::Clone => has_commit(&path, &wanted).map_err(|error| error.to_string()),
            Found::Unusable(why) => Err(why.to_owned()),
        };
        let found = tokio::task::spawn_blocking(look).await.unwrap_or_else(|error| Err(error.to_string()));
        let found = found.map_err(|why| {
            tracing::warn!(url = url.text, clone = %self.path.display(), "a clone cannot be used: {why}");
            CloneError::Unusable(url.text.clone())
        })?;
        if found {
            let mut commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
            if commits.len() > KNOWN {
                commits.clear();
            }
            commits.insert(commit.to_owned());
        }
        Ok(found)
    }

    /// The fetch of the same that is under way.
    pub(super) fn joined(&self, url: &RepositoryUrl, wanted: &Wanted) -> Option<SharedFetch> {
        match self.begin_or_join(url, wanted, || None) {
            Some((fetch, true)) => Some(fetch),
            _ => None,
        }
    }

    /// The fetch that is under way, and whether it is one of the same; else one that is begun.
    pub(super) fn begin_or_join(
        &self,
        url: &RepositoryUrl,
        wanted: &Wanted,
        begin: impl FnOnce() -> Option<SharedFetch>,
    ) -> Option<(SharedFetch, bool)> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((from, known, fetch)) = under_way.as_ref()
            && let Some(fetch) = fetch.upgrade()
            && fetch.peek().is_none()
        {
            return Some((fetch, *from == url.text && known == wanted));
        }
        let begun = begin()?;
        *under_way = begun.downgrade().map(|weak| (url.text.clone(), wanted.clone(), weak));
        Some((begun, true))
    }
}

/// Clones by their URLs.
pub(super) type Known = std::collections::HashMap<String, Arc<LocalClone>>;
