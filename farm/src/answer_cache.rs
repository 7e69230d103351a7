//! Answers that are kept: as long as nothing changed that a question looked at, neither does its answer. Workers keep
//! steps on the way to an answer here, too.

use caravan::key::Key;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

/// Answers by key; the least recently used are dropped when there is no room.
pub struct AnswerCache {
    budget: usize,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    /// Each with the time of its last use.
    answers: HashMap<Key, (Vec<u8>, u64)>,
    by_use: BTreeMap<u64, Key>,
    clock: u64,
    size: usize,
    hits: u64,
    misses: u64,
}

/// What an answer takes beside its bytes, about.
const OVERHEAD: usize = 160;

/// How the cache is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AnswerCacheStatus {
    /// How many answers it has.
    pub answers: usize,
    /// How many bytes they take.
    pub bytes: usize,
    /// How often there was an answer for a key.
    pub hits: u64,
    /// How often there was none.
    pub misses: u64,
}

impl AnswerCache {
    /// An empty cache for so many bytes; 0: nothing is kept.
    pub fn new(budget: usize) -> Self {
        Self { budget, entries: Mutex::default() }
    }

    /// What is kept for a key.
    pub fn get(&self, key: &Key) -> Option<Vec<u8>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = &mut *entries;
        entries.clock += 1;
        let Some((bytes, used)) = entries.answers.get_mut(key) else {
            entries.misses += 1;
            return None;
        };
        entries.hits += 1;
        entries.by_use.remove(used);
        *used = entries.clock;
        entries.by_use.insert(entries.clock, *key);
        Some(bytes.clone())
    }

    /// Keeps an answer. One that would take more than a tenth of all is not worth it.
    pub fn insert(&self, key: Key, bytes: Vec<u8>) {
        let size = bytes.len() + OVERHEAD;
        if size > self.budget / 10 {
            return;
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = &mut *entries;
        entries.clock += 1;
        if let Some((old, used)) = entries.answers.insert(key, (bytes, entries.clock)) {
            entries.by_use.remove(&used);
            entries.size -= old.len() + OVERHEAD;
        }
        entries.by_use.insert(entries.clock, key);
        entries.size += size;
        while entries.size > self.budget {
            let Some((_, oldest)) = entries.by_use.pop_first() else { break };
            if let Some((bytes, _)) = entries.answers.remove(&oldest) {
                entries.size -= bytes.len() + OVERHEAD;
            }
        }
    }

    /// How it is used.
    pub fn status(&self) -> AnswerCacheStatus {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        AnswerCacheStatus {
            answers: entries.answers.len(),
            bytes: entries.size,
            hits: entries.hits,
            misses: entries.misses,
        }
    }
}
