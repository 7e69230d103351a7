//! Why there is no lock file.

use caravan_solver::SolveError;
use caravan_solver::problem::SettingError;

/// Why there is no lock file.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// There is no solution, or it was stopped.
    #[error(transparent)]
    Solve(#[from] SolveError),
    /// There is a solution, but not with packages that build with dune alone.
    #[error("there is a solution, but these of its packages do not build with dune: {}", .0.join(", "))]
    WithoutDune(Vec<String>),
    /// There is a solution, but only with packages of one repository from different archives of it.
    #[error("there is a solution, but with packages of one source repository in different versions")]
    SplitSources,
    /// A package's opam file cannot be read.
    #[error("the opam file of `{0}` cannot be read")]
    Unreadable(String),
    /// The project's own files make no index.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The lock file does not say what it should. This is a bug of caravan.
    #[error("the lock file is wrong, which is a bug of caravan: {0}")]
    Wrong(String),
}
