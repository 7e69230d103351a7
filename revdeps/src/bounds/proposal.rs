//! What is proposed, and why nothing is.

use caravan_solver::SolveError;
use opam_parser::index::{BuildError, TooLarge};

/// Bounds, and the patch that makes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proposal {
    /// The bounds, in opam's order.
    pub bounds: Vec<ProposedBound>,
    /// Broken packages that need no bound of their own, because those of others keep them away from the change.
    pub covered: Vec<String>,
    /// Broken packages that use nothing of the change: no bound would help them.
    pub unrelated: Vec<String>,
    /// Broken packages that cannot be installed with any older version.
    pub lost: Vec<String>,
    /// Broken packages that no bound keeps away from the change.
    pub unbounded: Vec<String>,
    /// A unified diff, as `git apply` takes it.
    pub patch: String,
}

/// A bound of one package on another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposedBound {
    /// `NAME.VERSION` of the broken package.
    pub package: String,
    /// The changed package's name.
    pub on: String,
    /// The changed version.
    pub version: String,
    /// Only that version is refused, since newer ones are there that nobody complained of.
    pub only: bool,
    /// It stands in `conflicts`, since the package does not depend on it directly.
    pub conflict: bool,
}

/// Why there is no proposal.
#[derive(Debug, thiserror::Error)]
pub enum BoundsError {
    /// A package's opam file cannot be read.
    #[error("the opam file of `{0}` cannot be read")]
    Unreadable(String),
    /// The edited files make no index.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The edited files make no index.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// Something cannot be solved.
    #[error(transparent)]
    Solve(#[from] SolveError),
}
