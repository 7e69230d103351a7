//! Black-box tests of the services: real processes, real sockets, peers of other makes.
// A panic is how a test fails, in its helpers too.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

mod browser;
mod clones;
mod cluster;
mod faults;
mod fetching;
mod http;
mod independent;
mod limits;
mod malformed;
mod metrics;
mod named_roots;
mod running;
mod same_answers;
mod scenarios;
mod scheduler;
mod stdio;
mod transport;
mod web;
