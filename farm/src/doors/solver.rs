//! The interfaces `Solver` of solver-service (A), and of ocaml-docs-ci and mirage-ci (B), over Cap'n Proto.

use super::{log_line, refusal};
use crate::generated::{sibling_capnp, solver_capnp};
use crate::service::{AskError, Asked, Service};
use capnp::Error;
use capnp::capability::{Client, Promise, Rc};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long an answer waits for a client that does not read its log.
const LOG: Duration = Duration::from_secs(5);

/// solver-service's interface, for one client.
pub fn solver(service: Arc<Service>, client: &str) -> Client {
    let door = Door { service, client: client.to_owned() };
    let made: solver_capnp::solver::Client = capnp_rpc::new_client(door);
    made.client
}

struct Door {
    service: Arc<Service>,
    client: String,
}

impl solver_capnp::solver::Server for Door {
    async fn solve(
        self: Rc<Self>,
        params: solver_capnp::solver::SolveParams,
        mut results: solver_capnp::solver::SolveResults,
    ) -> Result<(), Error> {
        let (service, client) = (Arc::clone(&self.service), self.client.clone());
        // Whoever holds this would not see that the client is gone.
        drop(self);
        let (request, log) = {
            let params = params.get()?;
            if !params.has_log() {
                return Err(Error::failed("Missing log argument!".to_owned()));
            }
            (params.get_request()?.as_bytes().to_vec(), params.get_log()?)
        };
        drop(params);
        let write = move |text: &str| {
            let mut call = log.write_request();
            call.get().set_msg(text);
            call.send().promise
        };
        let response = match ask(&service, &client, Asked::SolverService(request), write).await {
            Err(AskError::Malformed(error)) => return Err(Error::failed(format!("Bad JSON in request: {error}"))),
            Err(error) => refusal(&error),
            Ok(response) => response,
        };
        results.get().set_response(capnp::text::Reader(&response));
        Ok(())
    }
}

/// Whose requests come in through interface B.
#[derive(Clone, Debug)]
pub enum Sibling {
    /// ocaml-docs-ci's, of the repository at a URL.
    DocsCi(String),
    /// mirage-ci's.
    MirageCi,
}

/// The interface of ocaml-docs-ci's and mirage-ci's solvers, for one client.
pub fn sibling(service: Arc<Service>, client: &str, whose: Sibling) -> Client {
    let door = SiblingDoor { service, client: client.to_owned(), whose };
    let made: sibling_capnp::solver::Client = capnp_rpc::new_client(door);
    made.client
}

struct SiblingDoor {
    service: Arc<Service>,
    client: String,
    whose: Sibling,
}

impl sibling_capnp::solver::Server for SiblingDoor {
    async fn solve(
        self: Rc<Self>,
        params: sibling_capnp::solver::SolveParams,
        mut results: sibling_capnp::solver::SolveResults,
    ) -> Result<(), Error> {
        let (service, client, whose) = (Arc::clone(&self.service), self.client.clone(), self.whose.clone());
        drop(self);
        let (request, log) = {
            let params = params.get()?;
            if !params.has_log() {
                return Err(Error::failed("Missing log argument!".to_owned()));
            }
            (params.get_request()?.as_bytes().to_vec(), params.get_log()?)
        };
        drop(params);
        let write = move |text: &str| {
            let mut call = log.write_request();
            call.get().set_msg(text);
            call.send().promise
        };
        let asked = match whose {
            Sibling::DocsCi(repository) => Asked::DocsCi(request, repository),
            Sibling::MirageCi => Asked::MirageCi(request),
        };
        let response = match ask(&service, &client, asked, write).await {
            Err(AskError::Malformed(error)) => return Err(Error::failed(format!("Bad JSON in request: {error}"))),
            // They know one kind of error.
            Err(error) => crate::solver_service::SolveResponse::message(error).to_json(),
            Ok(response) => response,
        };
        results.get().set_response(capnp::text::Reader(&response));
        Ok(())
    }
}

/// Asks, and writes the log meanwhile; lines that come together are written together.
async fn ask<R: 'static>(
    service: &Service,
    client: &str,
    asked: Asked,
    write: impl Fn(&str) -> Promise<R, Error>,
) -> Result<Vec<u8>, AskError> {
    let (lines, mut written) = mpsc::unbounded_channel::<String>();
    let logging = async {
        while let Some(line) = written.recv().await {
            let mut text = log_line(&line);
            while let Ok(line) = written.try_recv() {
                text.push_str(&log_line(&line));
            }
            // A client that does not want its log gets its answer all the same.
            if write(&text).await.is_err() {
                break;
            }
        }
    };
    let asking = service.ask(client, asked, lines);
    tokio::pin!(logging, asking);
    let mut logged = false;
    let answer = loop {
        tokio::select! {
            answer = &mut asking => break answer,
            () = &mut logging, if !logged => logged = true,
        }
    };
    if !logged {
        let _ = tokio::time::timeout(LOG, logging).await;
    }
    answer
}
