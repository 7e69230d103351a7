//! What can be wrong with addresses and connections.

use super::identity::IdentityError;
use std::io;

/// A text that is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedAddress {
    /// Of `--capnp-listen-address` and its like.
    #[error("`{0}` is no address; write tcp:HOST:PORT or unix:/PATH")]
    Listen(String),
    /// Of a sturdy reference.
    #[error("`{0}` is no capability; it looks like capnp://sha-256:FINGERPRINT@HOST:PORT/ID")]
    Capability(String),
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum VatError {
    /// The address.
    #[error(transparent)]
    Address(#[from] MalformedAddress),
    /// The socket.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The key.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// TLS.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The peer says nothing.
    #[error("`{0}` does not answer")]
    Silent(String),
}
