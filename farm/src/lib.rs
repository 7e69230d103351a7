//! Answers the requests of the OCaml community's CI services.
//!
//! ```text
//! a request's JSON ── SolveRequest ──┐
//! states of repositories ── State ───┴─ answer ── one platform after the other ──> SolveResponse ──> JSON
//!     └─ history ── Ancestry ──> the oldest commit at which the answer would be the same
//! ```
//!
//! Nothing here clones, listens or knows of processes: states are handed in, opened.

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
