//! Connections that are open, and which of them make way for others.

use super::{Peers, share};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// A connection that was told to end has ended after that long.
const ENDS: Duration = Duration::from_secs(1);

/// The connections that are open.
#[derive(Default)]
pub(super) struct ConnectionTable {
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
    fn place(&self, peer: &str, limit: usize) -> Place {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for open in self.open.values() {
            *counts.entry(open.peer.as_str()).or_default() += 1;
        }
        let own_share_taken = counts.get(peer).is_some_and(|own| *own >= share(limit));
        if !own_share_taken && self.open.len() < limit {
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

impl Peers {
    /// Admits a connection, if need be as soon as another one made way for it; `None`: there is no room, as all the
    /// others are being answered.
    pub async fn admit(self: &Arc<Self>, peer: &str) -> Option<AdmittedConnection> {
        let waiting = async {
            loop {
                let ended = self.ended.notified();
                tokio::pin!(ended);
                ended.as_mut().enable();
                {
                    let mut table = self.connections();
                    match table.place(peer, self.limits.connections) {
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
        AdmittedConnection(Arc::new(Admitted { peers: Arc::clone(self), peer: peer.to_owned(), number, end }))
    }
}

/// A connection that has a place, until the last clone of this goes.
#[derive(Clone)]
pub struct AdmittedConnection(Arc<Admitted>);

struct Admitted {
    peers: Arc<Peers>,
    peer: String,
    number: u64,
    end: CancellationToken,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut table = self.peers.connections();
        table.open.remove(&self.number);
        self.peers.metrics.connections.set(table.open.len() as i64);
        drop(table);
        self.peers.ended.notify_waiters();
    }
}

impl AdmittedConnection {
    /// Returns when the connection is to end, to make way for another one.
    pub async fn told_to_end(&self) {
        self.0.end.cancelled().await;
    }

    /// The peer showed that it may ask: those that did not make way first.
    pub fn is_known(&self) {
        if let Some(open) = self.0.peers.connections().open.get_mut(&self.0.number) {
            open.known = true;
        }
    }

    /// What the peer's bytes are charged to.
    pub fn account(&self) -> super::Account {
        self.0.peers.account(&self.0.peer)
    }

    /// A request of it is being answered, as long as what this returns; `None`: it is to end.
    pub fn begin(&self) -> Option<Busy> {
        let mut table = self.0.peers.connections();
        let open = table.open.get_mut(&self.0.number).filter(|open| !open.end.is_cancelled())?;
        open.busy += 1;
        Some(Busy(self.clone()))
    }
}

/// Something is being answered.
pub struct Busy(AdmittedConnection);

impl Drop for Busy {
    fn drop(&mut self) {
        let mut table = self.0.0.peers.connections();
        if let Some(open) = table.open.get_mut(&self.0.0.number) {
            open.busy = open.busy.saturating_sub(1);
            open.idle_since = Instant::now();
        }
        drop(table);
    }
}
