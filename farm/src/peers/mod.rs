//! What peers may take of a service before anything of theirs is accepted: connections, and bytes that are being received
//! or answered. Of both there is a limit for all, and a peer may have three quarters of it, so that there is always some
//! for another.
//!
//! ```text
//! accept ── Peers::admit ── AdmittedConnection ── Busy (as long as something of it is being answered)
//!              │ no room: the connection that has been idle for longest makes way
//! bytes  ── Account::charge ── Charge (as long as they are in memory)
//! ```

mod bytes;
mod connections;
mod limits;
mod stream;

pub use bytes::{Account, Charge};
pub use connections::{AdmittedConnection, Busy};
pub use limits::Limits;
pub use stream::LimitedWrites;

use crate::metrics::Metrics;
use bytes::Budget;
use connections::Connections;
use std::net::IpAddr;
use std::sync::Arc;

/// What peers take.
pub struct Peers {
    limits: Limits,
    budget: Arc<Budget>,
    connections: Arc<Connections>,
}

impl Peers {
    /// Nothing is taken yet.
    pub fn new(limits: Limits, metrics: Arc<Metrics>) -> Arc<Self> {
        let budget = Budget::new(limits, Arc::clone(&metrics));
        let connections = Connections::new(limits, Arc::clone(&budget), metrics);
        Arc::new(Self { limits, budget, connections })
    }

    /// What they may take.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// A peer's account. Peers of the same name share it.
    pub fn account(&self, peer: &str) -> Account {
        self.budget.account(peer)
    }

    /// Admits a connection, if need be as soon as another one made way for it; `None`: there is no room, as all the
    /// others are being answered.
    pub async fn admit(&self, peer: &str) -> Option<AdmittedConnection> {
        self.connections.admit(peer).await
    }
}

/// What peers at an address are called together: an IPv6 host has a whole network of 64 bits.
pub fn peer_name(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        address => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn peers(connections: usize, bytes: usize) -> Arc<Peers> {
        Peers::new(Limits { connections, bytes, time: Duration::from_secs(1) }, Arc::new(Metrics::new()))
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    /// Ends as its connection is told to.
    fn end_when_told(connection: AdmittedConnection) {
        tokio::spawn(async move { connection.told_to_end().await });
    }

    #[test]
    fn the_connection_that_was_idle_for_longest_makes_way() {
        run(async {
            let peers = peers(4, 0);
            let first = peers.admit("a").await.unwrap();
            let second = peers.admit("a").await.unwrap();
            let third = peers.admit("a").await.unwrap();
            let _busy = first.begin().unwrap();
            let ended = tokio::spawn(async move { second.told_to_end().await });
            // Three quarters are taken by this peer: one of its own goes, the one that has nothing to do.
            let fourth = peers.admit("a").await.unwrap();
            ended.await.unwrap();
            assert!(third.begin().is_some() && fourth.begin().is_some());
            assert!(peers.admit("b").await.is_some(), "there is room for another peer");
        });
    }

    #[test]
    fn nobody_who_is_being_answered_makes_way() {
        run(async {
            let peers = peers(4, 0);
            let connections = [peers.admit("a").await.unwrap(), peers.admit("b").await.unwrap()];
            let more = [peers.admit("c").await.unwrap(), peers.admit("d").await.unwrap()];
            let busy: Vec<Busy> = connections.iter().chain(&more).map(|one| one.begin().unwrap()).collect();
            assert!(peers.admit("e").await.is_none());
            drop(busy);
            let [first, ..] = connections;
            end_when_told(first);
            assert!(peers.admit("e").await.is_some());
        });
    }

    #[test]
    fn the_peer_with_most_connections_makes_way_first() {
        run(async {
            let peers = peers(4, 0);
            let modest = peers.admit("modest").await.unwrap();
            for _ in 0..3 {
                end_when_told(peers.admit("greedy").await.unwrap());
            }
            for _ in 0..20 {
                end_when_told(peers.admit("greedy").await.unwrap());
                end_when_told(peers.admit("other").await.unwrap());
            }
            let told = tokio::time::timeout(Duration::from_millis(10), modest.told_to_end()).await;
            assert!(told.is_err(), "the modest peer's only connection stays");
        });
    }

    #[test]
    fn bytes_are_shared_and_given_back() {
        run(async {
            let peers = peers(0, 100);
            let (greedy, modest) = (peers.account("greedy"), peers.account("modest"));
            let mut first = greedy.nothing();
            assert!(first.try_grow(75));
            assert!(!first.try_grow(1), "three quarters are one peer's share");
            let mut second = modest.nothing();
            assert!(second.try_grow(25) && !second.try_grow(1));
            // What cannot be refused any more counts, too.
            second.set(60);
            assert!(!first.try_grow(0) && !modest.nothing().try_grow(1));
            let limit = Duration::from_secs(5);
            let (waited, ()) = futures::join!(modest.wait_for(40, limit), async { drop((first, second)) });
            assert!(waited.is_some());
            assert!(modest.wait_for(40, Duration::from_millis(10)).await.is_none());
            drop(waited);
            assert!(greedy.nothing().try_grow(75));
        });
    }

    #[test]
    fn hosts_have_networks() {
        let name = |text: &str| peer_name(text.parse().unwrap());
        assert_eq!(name("192.0.2.1"), "192.0.2.1");
        assert_eq!(name("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(name("::1"), "::1");
        assert_eq!(name("2001:db8:1:2:3::4"), name("2001:db8:1:2:ffff::1"));
    }
}
