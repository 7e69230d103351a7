//! The way from a worker to its service.

use super::frames::{self, FromWorker};
use caravan::key::Key;
use serde_bytes::ByteBuf;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::Receiver;

/// The worker's end of the socket, for what it says.
pub(super) struct Connection {
    socket: UnixStream,
    recalled: Receiver<Option<ByteBuf>>,
}

impl Connection {
    /// What it is told comes from elsewhere: `recalled` has the replies to what it asks.
    pub(super) fn new(socket: UnixStream, recalled: Receiver<Option<ByteBuf>>) -> Self {
        Self { socket, recalled }
    }

    pub(super) fn send(&mut self, message: &FromWorker) -> io::Result<()> {
        frames::write(&mut self.socket, message)
    }

    /// Asks what is kept for a key.
    pub(super) fn recall(&mut self, key: Key) -> io::Result<Option<ByteBuf>> {
        self.send(&FromWorker::Recall(key))?;
        self.recalled.recv().map_err(io::Error::other)
    }
}
