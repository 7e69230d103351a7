//! Black-box tests of the services: real processes, real sockets, peers of other makes.
// A panic is how a test fails, in its helpers too.
#![allow(clippy::unwrap_used)]

mod cluster;
mod faults;
mod http;
mod independent;
mod malformed;
mod pipe;
mod running;
mod scenarios;
mod scheduler;
mod siblings;
mod transport;
