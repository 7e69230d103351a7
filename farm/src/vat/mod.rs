//! Cap'n Proto vats as OCaml's capnp-rpc has them: sturdy references, capability files, TLS in which keys are
//! known by their fingerprints, derived service ids.
//!
//! Everything of capnp-rpc belongs to one thread: what is here runs in a [`tokio::task::LocalSet`].

mod address;
mod bootstrap;
mod error;
mod identity;
mod metered;
mod stream;
mod tls;

pub use address::{Authentication, Listen, Location, SturdyRef};
pub use error::{MalformedAddress, VatError};
pub use identity::{Fingerprint, Identity, IdentityError};
pub use stream::{Caller, Connected, Connections, Listener, Served, attach, connect, serve, serve_one};

/// A capability of any interface.
pub type Capability = capnp::capability::Client;
