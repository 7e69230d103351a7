//! Waiting jobs: bounded, and fair. Clients take turns, so that one that sends thousands does not make the
//! others wait for all of them.

use std::collections::{HashMap, VecDeque};

/// Why a job is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// There is no room for anybody.
    Queue,
    /// This client has its share already.
    Client,
}

/// Jobs by client.
pub struct Queue<T> {
    limit: usize,
    count: usize,
    /// The clients with jobs, in the order of their turns.
    turns: VecDeque<String>,
    jobs: HashMap<String, VecDeque<T>>,
}

impl<T> Queue<T> {
    /// An empty queue for so many jobs.
    pub fn new(limit: usize) -> Self {
        Self { limit, count: 0, turns: VecDeque::new(), jobs: HashMap::new() }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds a job at the end of its client's. A client may have three quarters of the room: there is always
    /// some for another.
    ///
    /// # Errors
    /// When there is no room; the job comes back.
    pub fn push(&mut self, client: &str, job: T) -> Result<(), (Full, T)> {
        if self.count >= self.limit {
            return Err((Full::Queue, job));
        }
        let own = self.jobs.get(client).map_or(0, VecDeque::len);
        if own >= (self.limit * 3).div_ceil(4) {
            return Err((Full::Client, job));
        }
        self.put(client, job, false);
        Ok(())
    }

    /// Adds a job that had its turn already: it is next.
    pub fn push_front(&mut self, client: &str, job: T) {
        self.put(client, job, true);
    }

    fn put(&mut self, client: &str, job: T, first: bool) {
        if !self.jobs.contains_key(client) {
            self.turns.push_back(client.to_owned());
        }
        let jobs = self.jobs.entry(client.to_owned()).or_default();
        if first {
            jobs.push_front(job);
            if let Some(place) = self.turns.iter().position(|turn| turn == client) {
                self.turns.remove(place);
            }
            self.turns.push_front(client.to_owned());
        } else {
            jobs.push_back(job);
        }
        self.count += 1;
    }

    /// The next job: the oldest of the client whose turn it is.
    pub fn pop(&mut self) -> Option<T> {
        let client = self.turns.pop_front()?;
        let jobs = self.jobs.get_mut(&client)?;
        let job = jobs.pop_front();
        self.count -= usize::from(job.is_some());
        if jobs.is_empty() {
            self.jobs.remove(&client);
        } else {
            self.turns.push_back(client);
        }
        job
    }

    /// Forgets jobs that nobody waits for any more.
    pub fn retain(&mut self, wanted: impl Fn(&T) -> bool) {
        self.jobs.values_mut().for_each(|jobs| jobs.retain(&wanted));
        self.jobs.retain(|_, jobs| !jobs.is_empty());
        self.turns.retain(|client| self.jobs.contains_key(client));
        self.count = self.jobs.values().map(VecDeque::len).sum();
    }
}
