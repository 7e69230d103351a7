//! Why a request has no answer.

use crate::clones::CloneError;
use crate::pool::PoolError;
use caravan::ErrorKind;
use caravan::protocols::solver_service::BadRequest;

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// It is not written as questions are.
    #[error("{0}")]
    Malformed(String),
    /// It is none that the OCaml service would take.
    #[error("{}", .0.reason())]
    BadRequest(BadRequest),
    /// Its client, or all clients together, have too many bytes under way.
    #[error("busy: too many bytes of requests and answers are under way; try again later")]
    NoRoom,
    /// A repository cannot be had.
    #[error(transparent)]
    Clone(#[from] CloneError),
    /// The workers have no answer.
    #[error(transparent)]
    Pool(#[from] PoolError),
}

impl RequestError {
    /// What went wrong, in a word that programs can rely on.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::BadRequest(_) => "malformed",
            Self::NoRoom => "busy",
            Self::Clone(CloneError::System(_) | CloneError::Unusable(_)) => ErrorKind::System.name(),
            Self::Clone(CloneError::Busy(_) | CloneError::BusyClient) => "busy",
            Self::Clone(_) => ErrorKind::Repository.name(),
            Self::Pool(error) => match error {
                PoolError::Busy(_) | PoolError::BusyClient => "busy",
                PoolError::ShuttingDown => "shutting-down",
                PoolError::Died(_) | PoolError::KilledWorker(_) => "died",
                PoolError::Deadline(_) => ErrorKind::Deadline.name(),
                PoolError::Cancelled => ErrorKind::Cancelled.name(),
                PoolError::Question(error) => error.kind.name(),
            },
        }
    }

    /// The status of a response over HTTP.
    pub fn http_status(&self) -> u16 {
        match self {
            Self::Malformed(_) | Self::BadRequest(_) => 400,
            Self::NoRoom => 503,
            Self::Clone(CloneError::System(_) | CloneError::Unusable(_)) => ErrorKind::System.http_status(),
            Self::Clone(CloneError::Busy(_) | CloneError::BusyClient) => 503,
            Self::Clone(_) => ErrorKind::Repository.http_status(),
            Self::Pool(error) => match error {
                PoolError::Busy(_) | PoolError::BusyClient | PoolError::ShuttingDown => 503,
                PoolError::Died(_) | PoolError::KilledWorker(_) => 500,
                PoolError::Deadline(_) => ErrorKind::Deadline.http_status(),
                PoolError::Cancelled => ErrorKind::Cancelled.http_status(),
                PoolError::Question(error) => error.kind.http_status(),
            },
        }
    }

    /// The error of the question itself, if that is what is wrong.
    pub fn question_error(&self) -> Option<&caravan::Error> {
        match self {
            Self::Pool(PoolError::Question(error)) => Some(error),
            _ => None,
        }
    }

    /// Whether the same request may have an answer a little later.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Pool(error) => matches!(error, PoolError::Busy(_) | PoolError::BusyClient | PoolError::ShuttingDown),
            Self::Clone(error) => matches!(error, CloneError::Busy(_) | CloneError::BusyClient),
            Self::NoRoom => true,
            Self::Malformed(_) | Self::BadRequest(_) => false,
        }
    }
}
