//! Answers questions over the network, and in the protocols of the OCaml community's CI services, from a pool of worker
//! processes.
//!
//! ```text
//! client ── servers ── service::Service ── pool::Pool ── socket ── worker ── caravan::ask ──> answer
//!                        │                   └─ a bounded queue in which clients take turns
//!                        ├─ clones::Clones: fetched once for all who need the same
//!                        └─ answer_cache::AnswerCache: answers, as long as nothing changed that they looked at
//! vat: Cap'n Proto as OCaml's capnp-rpc has it; peers: what they may take before anything of theirs is accepted
//! ```
//!
//! The service reads a question only to learn which repositories it names; it never looks into an opam file. Whatever a
//! request does to the process that answers it, it does to a worker.
//!
//! # Example
//!
//! A service that answers over HTTP until it is told to stop; `caravan worker`, or any program that calls
//! [`worker::run`], is what it starts.
//!
//! ```no_run
//! use caravan_farm::servers::http;
//! use caravan_farm::service::{Service, Settings};
//! use tokio_util::sync::CancellationToken;
//!
//! # async fn run(settings: Settings) -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! let service = Service::new(settings);
//! let http_settings = http::Settings { tokens: vec![], max_request: 16 << 20, hosts: vec![] };
//! http::serve(listener, service, http_settings, CancellationToken::new()).await;
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! * `schema`: the OpenAPI document of the HTTP server, made from the types.

pub mod answer_cache;
pub mod clones;
pub mod generated;
pub mod metrics;
pub mod peers;
pub mod pool;
pub mod servers;
pub mod service;
pub mod vat;
pub mod worker;
