//! When to give up: a deadline, or because somebody says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Asks solves to end. Clones ask, and are asked, together.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    cancelled: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

/// Who ended a solve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// It took longer than it may.
    #[error("the time limit was reached before there was an answer")]
    Deadline,
    /// Somebody called [`Stop::cancel`].
    #[error("it was cancelled")]
    Cancelled,
}

impl Stop {
    /// Never stops by itself.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, but with a deadline that much from now if that is earlier.
    #[must_use]
    pub fn within(&self, limit: Duration) -> Self {
        let deadline = Instant::now().checked_add(limit);
        let earlier = match (self.deadline, deadline) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self { cancelled: Arc::clone(&self.cancelled), deadline: earlier }
    }

    /// Ends what was given this or a clone of it.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// For work between solves.
    ///
    /// # Errors
    /// When it is to end.
    pub fn check(&self) -> Result<(), Stopped> {
        if self.asked() { Err(self.why()) } else { Ok(()) }
    }

    pub(crate) fn asked(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    pub(crate) fn why(&self) -> Stopped {
        if self.cancelled.load(Ordering::Relaxed) { Stopped::Cancelled } else { Stopped::Deadline }
    }
}
