//! Connections that are open, and which of them make way for others.

use super::bytes::{Account, Budget};
use super::limits::Limits;
use crate::metrics::Metrics;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A connection that was told to end has ended after that long.
const ENDS: Duration = Duration::from_secs(1);

/// The connections that are open.
#[derive(Default)]
struct ConnectionTable {
    next: u64,
    open: BTreeMap<u64, Open>,
}

struct Open {
    peer: String,
    /// How many requests of it are being answered.
    busy: usize,
    /// Since when none is.
    idle_since: Instant,
    /// It showed that it may ask.
    known: bool,
    /// Set when it makes way for another one.
    end: CancellationToken,
}

/// What a new connection finds.
enum Place {
    Free,
    /// One that was told to end is about to.
    Soon,
    None,
}

impl ConnectionTable {
    /// Whether there is a place for another connection of a peer. If there is none, one that is idle is told to end.
    fn place(&self, peer: &str, limits: &Limits) -> Place {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for open in self.open.values() {
            *counts.entry(open.peer.as_str()).or_default() += 1;
        }
        let own_share_taken = counts.get(peer).is_some_and(|own| *own >= limits.connections_of_one());
        if !own_share_taken && self.open.len() < limits.connections {
            return Place::Free;
        }
        let candidates = || self.open.values().filter(|open| !own_share_taken || open.peer == peer);
        if candidates().any(|open| open.end.is_cancelled()) {
            return Place::Soon;
        }
        // Of the peer that has most of them; of those the one that nobody knows, and that was idle for longest.
        let count = |open: &Open| counts.get(open.peer.as_str()).copied().unwrap_or_default();
        let idle = candidates().filter(|open| open.busy == 0);
        match idle.min_by_key(|open| (Reverse(count(open)), open.known, open.idle_since)) {
            Some(open) => {
                open.end.cancel();
                Place::Soon
            }
            None => Place::None,
        }
    }
}

/// The connections of all peers.
pub(super) struct Connections {
    limits: Limits,
    table: Mutex<ConnectionTable>,
    /// A connection ended.
    ended: Notify,
    budget: Arc<Budget>,
    metrics: Arc<Metrics>,
}

impl Connections {
    pub(super) fn new(limits: Limits, budget: Arc<Budget>, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { limits, table: Mutex::default(), ended: Notify::new(), budget, metrics })
    }

    fn table(&self) -> MutexGuard<'_, ConnectionTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn admit(self: &Arc<Self>, peer: &str) -> Option<AdmittedConnection> {
        let waiting = async {
            loop {
                let ended = self.ended.notified();
                tokio::pin!(ended);
                ended.as_mut().enable();
                {
                    let mut table = self.table();
                    match table.place(peer, &self.limits) {
                        Place::Free => return Some(self.add(&mut table, peer)),
                        Place::Soon => {}
                        Place::None => return None,
                    }
                }
                ended.await;
            }
        };
        let admitted = tokio::time::timeout(ENDS, waiting).await.ok().flatten();
        if admitted.is_none() {
            self.metrics.connections_refused.inc();
        }
        admitted
    }

    fn add(self: &Arc<Self>, table: &mut ConnectionTable, peer: &str) -> AdmittedConnection {
        let number = table.next;
        table.next += 1;
        let end = CancellationToken::new();
        let open = Open { peer: peer.to_owned(), busy: 0, idle_since: Instant::now(), known: false, end: end.clone() };
        table.open.insert(number, open);
        self.metrics.connections.set(table.open.len() as i64);
        AdmittedConnection(Arc::new(Admitted { all: Arc::clone(self), peer: peer.to_owned(), number, end }))
    }
}

/// A connection that has a place, until the last clone of this goes.
#[derive(Clone)]
pub struct AdmittedConnection(Arc<Admitted>);

struct Admitted {
    all: Arc<Connections>,
    peer: String,
    number: u64,
    end: CancellationToken,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut table = self.all.table();
        table.open.remove(&self.number);
        self.all.metrics.connections.set(table.open.len() as i64);
        drop(table);
        self.all.ended.notify_waiters();
    }
}

impl AdmittedConnection {
    /// Returns when the connection is to end, to make way for another one.
    pub async fn told_to_end(&self) {
        self.0.end.cancelled().await;
    }

    /// The peer showed that it may ask: those that did not make way first.
    pub fn is_known(&self) {
        if let Some(open) = self.0.all.table().open.get_mut(&self.0.number) {
            open.known = true;
        }
    }

    /// What the peer's bytes are charged to.
    pub fn account(&self) -> Account {
        self.0.all.budget.account(&self.0.peer)
    }

    /// A request of it is being answered, as long as what this returns; `None`: it is to end.
    pub fn begin(&self) -> Option<Busy> {
        let mut table = self.0.all.table();
        let open = table.open.get_mut(&self.0.number).filter(|open| !open.end.is_cancelled())?;
        open.busy += 1;
        Some(Busy(self.clone()))
    }
}

/// Something is being answered.
pub struct Busy(AdmittedConnection);

impl Drop for Busy {
    fn drop(&mut self) {
        let mut table = self.0.0.all.table();
        if let Some(open) = table.open.get_mut(&self.0.0.number) {
            open.busy = open.busy.saturating_sub(1);
            open.idle_since = Instant::now();
        }
        drop(table);
    }
}
