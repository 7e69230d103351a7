//! Answers that are kept: as long as nothing changed that a question looked at, neither does its answer.

use crate::digest::Key;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

/// Answers by key; the least recently used go when there is no room.
pub struct Memory {
    budget: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
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

/// How a memory is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct MemoryStatus {
    /// How many answers it has.
    pub answers: usize,
    /// How many bytes they take.
    pub bytes: usize,
    /// How often an answer was known.
    pub hits: u64,
    /// How often it was not.
    pub misses: u64,
}

impl Memory {
    /// An empty memory for so many bytes; 0: nothing is kept.
    pub fn new(budget: usize) -> Self {
        Self { budget, kept: Mutex::default() }
    }

    /// What is known for a key.
    pub fn recall(&self, key: &Key) -> Option<Vec<u8>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = &mut *kept;
        kept.clock += 1;
        let Some((bytes, used)) = kept.answers.get_mut(key) else {
            kept.misses += 1;
            return None;
        };
        kept.hits += 1;
        kept.by_use.remove(used);
        *used = kept.clock;
        kept.by_use.insert(kept.clock, *key);
        Some(bytes.clone())
    }

    /// Keeps an answer. One that would take more than a tenth of all is not worth it.
    pub fn remember(&self, key: Key, bytes: Vec<u8>) {
        let size = bytes.len() + OVERHEAD;
        if size > self.budget / 10 {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = &mut *kept;
        kept.clock += 1;
        if let Some((old, used)) = kept.answers.insert(key, (bytes, kept.clock)) {
            kept.by_use.remove(&used);
            kept.size -= old.len() + OVERHEAD;
        }
        kept.by_use.insert(kept.clock, key);
        kept.size += size;
        while kept.size > self.budget {
            let Some((_, oldest)) = kept.by_use.pop_first() else { break };
            if let Some((bytes, _)) = kept.answers.remove(&oldest) {
                kept.size -= bytes.len() + OVERHEAD;
            }
        }
    }

    /// How it is used.
    pub fn status(&self) -> MemoryStatus {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        MemoryStatus { answers: kept.answers.len(), bytes: kept.size, hits: kept.hits, misses: kept.misses }
    }
}
