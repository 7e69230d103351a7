//! Bytes that are in memory because of a peer.

use super::limits::Limits;
use crate::metrics::Metrics;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// The bytes of all, and of each.
#[derive(Default)]
struct Bytes {
    all: usize,
    of: HashMap<Arc<str>, usize>,
}

impl Bytes {
    fn add(&mut self, peer: &Arc<str>, bytes: usize) {
        self.all += bytes;
        *self.of.entry(Arc::clone(peer)).or_default() += bytes;
    }

    fn remove(&mut self, peer: &str, bytes: usize) {
        self.all = self.all.saturating_sub(bytes);
        if let Some(own) = self.of.get_mut(peer) {
            *own = own.saturating_sub(bytes);
            if *own == 0 {
                self.of.remove(peer);
            }
        }
    }
}

/// The bytes that peers may have in memory.
pub(super) struct Budget {
    limits: Limits,
    bytes: Mutex<Bytes>,
    /// Bytes were given back.
    room: Notify,
    metrics: Arc<Metrics>,
}

impl Budget {
    pub(super) fn new(limits: Limits, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { limits, bytes: Mutex::default(), room: Notify::new(), metrics })
    }

    pub(super) fn account(self: &Arc<Self>, peer: &str) -> Account {
        Account { budget: Arc::clone(self), peer: peer.into() }
    }

    fn bytes(&self) -> MutexGuard<'_, Bytes> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one peer's bytes are charged to.
#[derive(Clone)]
pub struct Account {
    budget: Arc<Budget>,
    peer: Arc<str>,
}

impl Account {
    /// A charge of no bytes yet.
    pub fn nothing(&self) -> Charge {
        Charge { account: self.clone(), bytes: 0 }
    }

    /// A charge for some bytes; `None` if there is no room.
    pub fn charge(&self, bytes: usize) -> Option<Charge> {
        let mut charge = self.nothing();
        charge.try_grow(bytes).then_some(charge)
    }

    /// A charge for some bytes, as soon as there is room; `None` if there is none in time.
    pub async fn wait_for(&self, bytes: usize, limit: Duration) -> Option<Charge> {
        let waiting = async {
            loop {
                let room = self.budget.room.notified();
                tokio::pin!(room);
                // What is given back from here on counts.
                room.as_mut().enable();
                if let Some(charge) = self.charge(bytes) {
                    return charge;
                }
                room.await;
            }
        };
        tokio::time::timeout(limit, waiting).await.ok()
    }

    /// How long the peer may take.
    pub fn time(&self) -> Duration {
        self.budget.limits.time
    }

    /// How many bytes the peer may have at most.
    pub fn limit(&self) -> usize {
        self.budget.limits.bytes_of_one()
    }
}

/// Bytes that are charged to a peer, until this goes.
pub struct Charge {
    account: Account,
    bytes: usize,
}

impl Charge {
    /// Charges some more, if there is room.
    #[must_use]
    pub fn try_grow(&mut self, bytes: usize) -> bool {
        let Account { budget, peer } = &self.account;
        let mut taken = budget.bytes();
        let own = taken.of.get(peer).copied().unwrap_or_default();
        let limits = &budget.limits;
        if taken.all.saturating_add(bytes) > limits.bytes || own.saturating_add(bytes) > limits.bytes_of_one() {
            return false;
        }
        taken.add(peer, bytes);
        self.bytes += bytes;
        budget.metrics.bytes_in_flight.set(taken.all as i64);
        true
    }

    /// Charges for so many bytes from now on, whether or not there is room: they are there already.
    pub fn set(&mut self, bytes: usize) {
        let Account { budget, peer } = &self.account;
        let mut taken = budget.bytes();
        taken.remove(peer, self.bytes);
        taken.add(peer, bytes);
        self.bytes = bytes;
        budget.metrics.bytes_in_flight.set(taken.all as i64);
        drop(taken);
        budget.room.notify_waiters();
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.set(0);
        }
    }
}
