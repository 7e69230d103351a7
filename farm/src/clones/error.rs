//! Why a repository at a commit cannot be had.

use std::time::Duration;

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
    /// Its host cannot be found, or only at addresses of this machine or of private networks. Which of them is not said:
    /// nobody is to learn from it which names a private network has.
    #[error("`{0}` is not fetched: its host has no public address, and this service fetches from no others")]
    NotPublic(String),
    /// The request names too many.
    #[error("the request names {named} repositories, and this service takes {limit} in one request")]
    TooMany {
        /// How many different ones it names.
        named: usize,
        /// How many it may name.
        limit: usize,
    },
    /// Too many fetches wait.
    #[error("busy: {0} fetches are waiting already; try again later")]
    Busy(usize),
    /// Too many fetches of the client wait.
    #[error("busy: you have your share of fetches waiting already; try again when some have ended")]
    BusyClient,
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
    /// It could not be fetched.
    #[error("{doing} {url} failed: {reason}")]
    Fetch {
        /// `cloning` or `fetching`
        doing: &'static str,
        /// The repository.
        url: String,
        /// Why.
        reason: FetchFailure,
    },
    /// The clone that is there is not used.
    #[error("the clone of `{0}` that this service has cannot be used; its log says why")]
    Unusable(String),
    /// The machine failed.
    #[error("{0}")]
    System(String),
}

/// Why a fetch failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchFailure {
    /// git could not do it. Its words are logged and not passed on: they tell what there is in the service's network.
    #[error("git could not do it; the log of this service says why")]
    Git,
    /// It took too long.
    #[error("it took longer than {} s", .0.as_secs_f64())]
    TooLong(Duration),
    /// It became too large.
    #[error("the clone would be larger than {} MiB", .0 >> 20)]
    TooLarge(u64),
}
