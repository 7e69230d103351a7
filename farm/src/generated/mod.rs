//! Made by `cargo run -p caravan-farm --example schemas` from `farm/schema/`; not to be edited.

#![allow(missing_docs, unreachable_pub, clippy::all, clippy::unwrap_used, clippy::unimplemented)]

pub mod ocluster_capnp;
pub mod sibling_capnp;
pub mod solver_capnp;
