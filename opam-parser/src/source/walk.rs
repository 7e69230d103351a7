//! A walk through the directories below an entry of `packages/`, which never takes more than the limits allow.

use super::limits::Limit;
use super::{Entry, Sink, SourceError, Stamp, Unread};
use crate::name::split_package;
use std::cell::Cell;
use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};

/// So many paths below one entry are reported; that there are more helps nobody.
const MOST_REPORTED: usize = 16;

/// What all walks through a source took so far.
#[derive(Default)]
pub(super) struct Totals {
    directories: AtomicU64,
    bytes: AtomicU64,
}

impl Totals {
    /// Begins anew.
    pub(super) fn reset(&self) {
        self.directories.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
    }
}

/// What a walk below one entry has seen.
pub(super) struct Walk<'w> {
    top: &'w str,
    directories: u64,
    bytes: Cell<u64>,
    unread: Vec<Unread>,
    /// The limits that were reached; each is reported once.
    reached: Vec<Limit>,
}

impl<'w> Walk<'w> {
    pub(super) fn new(top: &'w str) -> Self {
        Self { top, directories: 0, bytes: Cell::new(0), unread: Vec::new(), reached: Vec::new() }
    }

    /// Whether a directory below the entry may be looked at; if not, that is reported.
    pub(super) fn enter(&mut self, directory: &str, depth: u64) -> bool {
        let (limit, path) = if depth > Limit::Depth.most() {
            (Limit::Depth, directory)
        } else if self.directories >= Limit::EntryDirectories.most() {
            (Limit::EntryDirectories, "")
        } else if self.bytes.get() > Limit::EntryBytes.most() {
            (Limit::EntryBytes, "")
        } else {
            self.directories += 1;
            return true;
        };
        if !self.reached.contains(&limit) {
            self.reached.push(limit);
            self.report(path, limit.to_string());
        }
        false
    }

    /// Counts the bytes of what is read.
    pub(super) fn bytes(&self) -> &Cell<u64> {
        &self.bytes
    }

    /// Reports that a path below the entry cannot be read.
    pub(super) fn skip(&mut self, path: &str, reason: impl Display) {
        if self.unread.len() < MOST_REPORTED {
            self.report(path, reason.to_string());
        }
    }

    fn report(&mut self, path: &str, reason: String) {
        let slash = if path.is_empty() { "" } else { "/" };
        self.unread.push(Unread { path: format!("packages/{}{slash}{path}", self.top), reason });
    }

    /// Goes on after a directory whose opam file cannot be read: if its name is a package's, that package is there
    /// and broken, otherwise it is reported.
    pub(super) fn unreadable(
        &mut self,
        directory: &str,
        reason: String,
        sink: &mut Sink<'_>,
    ) -> Result<(), SourceError> {
        let base = if directory.is_empty() { self.top } else { directory.rsplit('/').next().unwrap_or_default() };
        if split_package(base).is_some() {
            return sink(&mut UnreadableEntry { directory, reason });
        }
        self.skip(directory, reason);
        Ok(())
    }

    /// The end of the walk: what could not be read. `label` is what to call the source.
    pub(super) fn finish(self, totals: &Totals, label: impl FnOnce() -> String) -> Result<Vec<Unread>, SourceError> {
        let add = |total: &AtomicU64, more: u64| total.fetch_add(more, Ordering::Relaxed) + more;
        let directories = add(&totals.directories, self.directories);
        let bytes = add(&totals.bytes, self.bytes.get());
        let limit = match (directories > Limit::Directories.most(), bytes > Limit::Bytes.most()) {
            (true, _) => Limit::Directories,
            (_, true) => Limit::Bytes,
            _ => return Ok(self.unread),
        };
        Err(SourceError::Limit { path: label(), limit })
    }
}

/// Adds to what was counted.
pub(super) fn count(bytes: &Cell<u64>, more: usize) {
    bytes.set(bytes.get().saturating_add(more as u64));
}

/// An opam file that is there and cannot be read.
struct UnreadableEntry<'e> {
    directory: &'e str,
    reason: String,
}

impl Entry for UnreadableEntry<'_> {
    fn directory(&self) -> &str {
        self.directory
    }

    fn stamp(&self) -> Stamp {
        Stamp::default()
    }

    fn opam(&mut self) -> Result<Option<&[u8]>, SourceError> {
        Err(SourceError::File { reason: self.reason.clone() })
    }

    fn companion(&mut self, _: &str) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(None)
    }
}
