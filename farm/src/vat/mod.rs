//! Cap'n Proto vats as OCaml's capnp-rpc has them: sturdy references, capability files, TLS in which keys are
//! known by their fingerprints, derived service ids (`solver-service-protocol.md`, section 2).
//!
//! Everything of capnp-rpc belongs to one thread: what is here runs in a [`tokio::task::LocalSet`].

mod address;
mod bootstrap;
mod identity;
mod stream;
mod tls;

pub use address::{Authentication, Listen, Location, MalformedAddress, SturdyRef};
pub use identity::{Fingerprint, Identity, IdentityError};
pub use stream::{Connected, Connections, Listener, VatError, attach, connect, serve, serve_one};

/// A capability of any interface.
pub type Capability = capnp::capability::Client;
