//! Black-box tests of the command line, in one binary.
// A panic is how a test fails, in its helpers too.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

mod bad_input;
mod caravan;
mod commands;
mod hostile;
mod impact;
mod limits;
mod page;
mod planning;
mod repositories;
mod solving;
