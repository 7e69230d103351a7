//! Answers the questions of the OCaml community's CI services, in their own protocols, from a pool of worker
//! processes.
//!
//! ```text
//! client ── doors ── service::Service ── pool::Pool ── socket ── worker ──> answer
//!                      │                   └─ a bounded queue in which clients take turns
//!                      ├─ repositories::Repositories: clones, fetched once for all who need the same
//!                      └─ memory::Memory: answers, as long as nothing changed that they looked at
//! worker: states ── reach (which names can matter) ── solver_service, siblings, tasks ──> answer
//! vat: Cap'n Proto as OCaml's capnp-rpc has it
//! ```
//!
//! The service never looks into an opam file: whatever a request does to the process that answers it, it does to a
//! worker.

pub mod digest;
pub mod doors;
pub mod generated;
pub mod memory;
pub mod metrics;
pub mod pool;
pub mod reach;
pub mod repositories;
pub mod service;
pub mod siblings;
pub mod solver_service;
pub mod tasks;
pub mod vat;
pub mod worker;
