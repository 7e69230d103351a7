//! Who is at the other end.

use crate::peers::AdmittedConnection;
use std::net::SocketAddr;

/// The most that the head of a request may have, in bytes; also how much of an answer is handed over at once.
pub(super) const BUFFER: usize = 64 << 10;

/// Who is at the other end of a connection.
#[derive(Clone)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    pub(super) connection: AdmittedConnection,
}

impl Peer {
    /// What clients are told apart by. Those who share a token are told apart by their addresses, too.
    pub(super) fn client(&self) -> String {
        self.address.ip().to_string()
    }
}
