//! Why there is no answer.

use crate::stop::Stopped;
use opam_parser::index::FileId;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SolveError {
    /// No package has this name, and none mentions it.
    #[error("there is no package `{name}`")]
    UnknownName {
        /// What was asked for.
        name: String,
        /// Names that may have been meant, nearest first.
        near: Vec<String>,
    },
    /// The package has no such version.
    #[error("there is no version `{version}` of `{name}`")]
    UnknownVersion {
        /// The package.
        name: String,
        /// What was asked for.
        version: String,
        /// Its newest versions, newest first.
        known: Vec<String>,
    },
    /// The version's opam file could not be read.
    #[error("`{package}` is set aside because its opam file is broken")]
    Broken {
        /// `NAME.VERSION`
        package: String,
        /// Its file.
        file: FileId,
    },
    /// Its time is over, or it was cancelled.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The constraints contradict each other; `Solver::explain` says which.
    #[error("there is no solution")]
    NoSolution,
    /// There is an answer, where an explanation was wanted why there is none.
    #[error("there is a solution")]
    Solvable,
    /// The answer broke these rules. This is a bug of caravan.
    #[error("the answer is wrong, which is a bug of caravan: {}", .0.join("; "))]
    Wrong(Vec<String>),
    /// Platforms of one question whose packages are not from one index.
    #[error("the platforms do not have the same packages")]
    DifferentIndexes,
    /// More platforms in one question than can be counted.
    #[error("more than {limit} platforms at once")]
    TooManyPlatforms {
        /// The limit.
        limit: usize,
    },
    /// More members of one conflict class than the solver can count. Versions and alternatives are never too many: an
    /// index has no more of them.
    #[error("a conflict class has more than {limit} members")]
    TooWide {
        /// The limit.
        limit: usize,
    },
}

/// Why there is no answer for several platforms at once.
#[derive(Debug, thiserror::Error)]
#[error("there is no answer for the platform at position {platform}")]
pub struct PlatformError {
    /// The position of the platform among those that were asked for: the first that has no answer by itself.
    pub platform: usize,
    /// Why it has none.
    #[source]
    pub error: SolveError,
}
