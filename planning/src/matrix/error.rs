//! Why nothing can be planned.

use caravan_solver::SolveError;

/// Why nothing can be planned on a platform: its own request has no answer, or it was stopped.
#[derive(Debug, thiserror::Error)]
#[error("{platform}: {error}")]
pub struct PlatformError {
    /// The target's label.
    pub platform: String,
    /// What is wrong there.
    pub error: SolveError,
}
