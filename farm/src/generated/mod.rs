//! Made by `cargo xtask capnp` from `farm/schema/`; not to be edited.

#![expect(missing_docs, clippy::unwrap_used, clippy::unimplemented, reason = "capnpc writes it so")]

pub mod named_roots_capnp;
pub mod ocluster_capnp;
pub mod solver_capnp;
