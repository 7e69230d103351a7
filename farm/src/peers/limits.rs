//! How much peers may take.

use std::time::Duration;

/// What peers may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many connections there may be at once.
    pub connections: usize,
    /// How many bytes of requests and answers there may be in memory at once.
    pub bytes: usize,
    /// How long a peer may take to send a request that it began, to read on in what is written to it, or to ask for
    /// anything at all.
    pub time: Duration,
}

impl Limits {
    /// How many bytes one peer may have.
    pub fn bytes_of_one(&self) -> usize {
        share(self.bytes)
    }

    /// How many connections one peer may have.
    pub(super) fn connections_of_one(&self) -> usize {
        share(self.connections)
    }
}

/// The part of all that one peer may have.
fn share(all: usize) -> usize {
    all - all / 4
}
