//! When to give up: after so many steps of search, at a deadline, or because somebody says so.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How many steps of search one solve may take, unless [`Stop::with_steps`] says otherwise. A step is an implication or an
/// incompatibility that is looked at, some nanoseconds; so the limit does not depend on the machine nor on the number of
/// threads. No question about opam-repository comes near it (`tests/tests/step_limit.rs`): what reaches it is a puzzle,
/// such as more pigeons than holes, whose search grows exponentially.
pub const STEP_LIMIT: u64 = 200_000_000;

/// Asks solves to end. Clones ask, and are asked, together.
#[derive(Clone, Debug)]
pub struct Stop {
    cancelled: Arc<AtomicBool>,
    deadline: Option<Instant>,
    steps: u64,
}

impl Default for Stop {
    fn default() -> Self {
        Self { cancelled: Arc::default(), deadline: None, steps: STEP_LIMIT }
    }
}

/// Who ended a solve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// It took longer than it may.
    #[error("the time limit was reached before there was an answer")]
    Deadline,
    /// It took more steps of search than one solve may: [`STEP_LIMIT`].
    #[error("the search took more steps than it may before there was an answer")]
    Steps,
    /// Somebody called [`Stop::cancel`].
    #[error("it was cancelled")]
    Cancelled,
}

impl Stop {
    /// Stops by itself only a solve that takes more than [`STEP_LIMIT`] steps of search.
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
        Self { deadline: earlier, ..self.clone() }
    }

    /// The same, but each solve may take so many steps of search.
    #[must_use]
    pub fn with_steps(&self, steps: u64) -> Self {
        Self { steps, ..self.clone() }
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

/// What is left of a solve's steps.
pub(crate) struct StepLimit<'s> {
    stop: &'s Stop,
    left: Cell<u64>,
}

impl<'s> StepLimit<'s> {
    pub(crate) fn new(stop: &'s Stop) -> Self {
        Self { stop, left: Cell::new(stop.steps) }
    }

    /// Begins to count again, for another solve.
    pub(crate) fn restart(&self) {
        self.left.set(self.stop.steps);
    }

    /// Takes steps away that were done.
    ///
    /// # Errors
    /// When none are left, or it is to end.
    pub(crate) fn spend(&self, steps: u64) -> Result<(), Stopped> {
        self.stop.check()?;
        self.left.set(self.left.get().saturating_sub(steps));
        if self.left.get() == 0 { Err(Stopped::Steps) } else { Ok(()) }
    }
}
