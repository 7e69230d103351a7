//! Why a job has no answer.

use std::time::Duration;

/// Why a job has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// There is no room in the queue.
    #[error("busy: {0} requests are waiting already; try again later")]
    Busy(usize),
    /// The client has too many waiting.
    #[error("busy: you have your share of requests waiting already; try again when some are answered")]
    BusyClient,
    /// The service ends.
    #[error("the service is shutting down; try again on another one, or later")]
    ShuttingDown,
    /// The worker that did it died.
    #[error("the worker process died while it was at this request ({0}); other requests are not affected")]
    Died(String),
    /// An earlier worker died of the same job.
    #[error("a worker process died of this very request a short time ago ({0}), so it is not tried again yet")]
    KilledWorker(String),
    /// It took too long.
    #[error("the request took longer than its limit of {} s", .0.as_secs_f64())]
    Deadline(Duration),
    /// It was cancelled.
    #[error("the request was cancelled")]
    Cancelled,
    /// The question has no answer.
    #[error(transparent)]
    Question(caravan::Error),
}
