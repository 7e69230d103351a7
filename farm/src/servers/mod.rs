//! The protocols in which the service is asked: each translates between one of them and
//! [`Service::ask`](crate::service::Service::ask).

pub mod capnp;
pub mod cluster;
pub mod error;
pub mod http;
mod log;
pub mod stdio;
