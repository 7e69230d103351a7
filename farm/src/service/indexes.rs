//! Which repositories have an index already, so that each is made by one worker only.

use crate::metrics::Metrics;
use crate::worker::frames::ClonedRepository;
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OnceCell;

/// How many repositories at a commit are known to have an index.
const KNOWN: usize = 4096;

/// The repositories at a commit that have an index.
pub(super) struct Indexes {
    known: Mutex<Known>,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct Known {
    made: HashMap<ClonedRepository, Arc<OnceCell<()>>>,
    /// The oldest first.
    order: VecDeque<ClonedRepository>,
}

impl Indexes {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { known: Mutex::default(), metrics }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those that have one, the newest first.
    pub(super) fn list(&self) -> Vec<ClonedRepository> {
        self.known().order.iter().rev().cloned().collect()
    }

    /// Has an index made if there is none yet; whoever needs the same one waits for the same.
    ///
    /// # Errors
    /// When it cannot be made; then the next one who needs it tries again.
    pub(super) async fn ensure<E, F: Future<Output = Result<(), E>>>(
        &self,
        repository: &ClonedRepository,
        make: impl FnOnce() -> F,
    ) -> Result<(), E> {
        let made = self.cell(repository).get_or_try_init(make).await.copied();
        if made.is_err() {
            let mut known = self.known();
            known.made.remove(repository);
            known.order.retain(|other| other != repository);
        }
        made
    }

    fn cell(&self, repository: &ClonedRepository) -> Arc<OnceCell<()>> {
        let mut known = self.known();
        if let Some(cell) = known.made.get(repository) {
            return Arc::clone(cell);
        }
        let cell = Arc::new(OnceCell::new());
        known.made.insert(repository.clone(), Arc::clone(&cell));
        known.order.push_back(repository.clone());
        if known.order.len() > KNOWN
            && let Some(oldest) = known.order.pop_front()
        {
            known.made.remove(&oldest);
        }
        self.metrics.indexes.set(known.order.len() as i64);
        cell
    }
}
