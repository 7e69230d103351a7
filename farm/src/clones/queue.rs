//! How many fetches there may be at once, and who is next.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Why a fetch may not even wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// So many wait already.
    Queue(usize),
    /// This client has its share already.
    Client,
}

/// Fetches that wait for their turn, and those that are under way.
pub(super) struct FetchQueue {
    at_once: usize,
    limit: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: HashMap<String, usize>,
    /// The oldest first.
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    client: String,
    turn: oneshot::Sender<Permit>,
}

/// A fetch may go on as long as this lasts.
pub(super) struct Permit {
    queue: Arc<FetchQueue>,
    client: String,
}

impl Drop for Permit {
    fn drop(&mut self) {
        {
            let mut state = self.queue.state();
            if let Some(count) = state.running.get_mut(&self.client) {
                *count -= 1;
                if *count == 0 {
                    state.running.remove(&self.client);
                }
            }
        }
        self.queue.admit();
    }
}

/// Three quarters, so that there is always some room for another; at least one.
fn share(limit: usize) -> usize {
    (limit * 3).div_ceil(4).max(1)
}

impl FetchQueue {
    /// So many fetches at once; so many may wait.
    pub(super) fn new(at_once: usize, limit: usize) -> Arc<Self> {
        Arc::new(Self { at_once: at_once.max(1), limit, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a client's turn. Whoever drops the receiver gives its place up.
    ///
    /// # Errors
    /// When there is no room to wait.
    pub(super) fn enter(self: &Arc<Self>, client: &str) -> Result<oneshot::Receiver<Permit>, Full> {
        let (turn, receiver) = oneshot::channel();
        {
            let mut state = self.state();
            state.waiting.retain(|waiting| !waiting.turn.is_closed());
            let must_wait = state.next(self.at_once, Some(client)).is_none();
            if must_wait && state.waiting.len() >= self.limit {
                return Err(Full::Queue(state.waiting.len()));
            }
            let own = state.waiting.iter().filter(|waiting| waiting.client == client).count();
            if must_wait && own >= share(self.limit) {
                return Err(Full::Client);
            }
            state.waiting.push_back(Waiting { client: client.to_owned(), turn });
        }
        self.admit();
        Ok(receiver)
    }

    /// Begins whatever may begin.
    fn admit(self: &Arc<Self>) {
        loop {
            let next = {
                let mut state = self.state();
                let Some(next) = state.next(self.at_once, None).and_then(|at| state.waiting.remove(at)) else { return };
                *state.running.entry(next.client.clone()).or_default() += 1;
                next
            };
            // What nobody waits for any more comes back and is dropped, which makes room for the next.
            drop(next.turn.send(Permit { queue: Arc::clone(self), client: next.client }));
        }
    }
}

impl State {
    /// Which is next: the oldest of the client that has fewest under way. `new`: the client of one more at the end.
    fn next(&self, at_once: usize, new: Option<&str>) -> Option<usize> {
        let running = |client: &str| self.running.get(client).copied().unwrap_or_default();
        if self.running.values().sum::<usize>() >= at_once {
            return None;
        }
        let clients = self.waiting.iter().map(|waiting| waiting.client.as_str()).chain(new).enumerate();
        let may = clients.filter(|(_, client)| running(client) < share(at_once));
        may.min_by_key(|(_, client)| running(client)).map(|(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_have_their_share_and_the_one_with_fewest_is_next() {
        let queue = FetchQueue::new(4, 4);
        let mut greedy: Vec<_> = (0..6).map(|_| queue.enter("greedy").unwrap()).collect();
        let begun = |turns: &mut Vec<oneshot::Receiver<Permit>>| -> Vec<Permit> {
            turns.iter_mut().filter_map(|turn| turn.try_recv().ok()).collect()
        };
        let mut under_way = begun(&mut greedy);
        assert_eq!(under_way.len(), 3, "one place is for others");
        assert_eq!(queue.enter("greedy").err(), Some(Full::Client));
        let modest = queue.enter("modest").unwrap().try_recv().unwrap();
        let mut second = queue.enter("modest").unwrap();
        assert_eq!(queue.enter("third").err(), Some(Full::Queue(4)));
        under_way.pop();
        assert!(second.try_recv().is_ok(), "who has fewer is next, though it came later");
        drop((under_way, modest, second));
        assert_eq!(begun(&mut greedy).len(), 3);
    }

    #[test]
    fn who_leaves_makes_room() {
        let queue = FetchQueue::new(1, 1);
        let first = queue.enter("a").unwrap();
        let waiting = queue.enter("b").unwrap();
        assert_eq!(queue.enter("c").err(), Some(Full::Queue(1)));
        drop(waiting);
        let mut waiting = queue.enter("c").unwrap();
        assert!(waiting.try_recv().is_err());
        // Nobody took the first one's permit.
        drop(first);
        assert!(waiting.try_recv().is_ok());
    }
}
