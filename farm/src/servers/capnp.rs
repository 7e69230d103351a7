//! The interfaces `Solver` of solver-service, and of ocaml-docs-ci and mirage-ci, over Cap'n Proto.

use super::error::{message, refusal};
use super::log::log_line;
use crate::generated::{named_roots_capnp, solver_capnp};
use crate::peers::Charge;
use crate::service::{Request, RequestError, Service};
use crate::vat::Caller;
use capnp::Error;
use capnp::capability::{Client, Promise, Rc};
use caravan::Question;
use caravan::question::DocsCi;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long an answer waits for a client that does not read its log.
const LOG: Duration = Duration::from_secs(5);

/// solver-service's interface, for one client.
pub fn solver_service(service: Arc<Service>, caller: Caller) -> Client {
    let server = SolverServiceServer { service, caller: caller.into() };
    let made: solver_capnp::solver::Client = capnp_rpc::new_client(server);
    made.client
}

struct SolverServiceServer {
    service: Arc<Service>,
    caller: Rc<Caller>,
}

impl solver_capnp::solver::Server for SolverServiceServer {
    async fn solve(
        self: Rc<Self>,
        params: solver_capnp::solver::SolveParams,
        mut results: solver_capnp::solver::SolveResults,
    ) -> Result<(), Error> {
        let (service, caller) = (Arc::clone(&self.service), Rc::clone(&self.caller));
        // Whoever holds this would not see that the client is gone.
        drop(self);
        let (request, log) = {
            let params = params.get()?;
            if !params.has_log() {
                return Err(no_log());
            }
            (Request::from_ocaml(params.get_request()?.as_bytes()), params.get_log()?)
        };
        let length = params.get()?.get_request()?.len();
        // Its message is charged until here.
        drop(params);
        let request = charged(&caller, length, request);
        let write = move |text: &str| {
            let mut call = log.write_request();
            call.get().set_msg(text);
            call.send().promise
        };
        let response = response(ask(&service, &caller.name, request, write).await, refusal)?;
        results.get().set_response(capnp::text::Reader(&response));
        Ok(())
    }
}

/// Whose requests come in through the interface of ocaml-docs-ci and mirage-ci, in which requests name their roots.
#[derive(Clone, Debug)]
pub enum NamedRoots {
    /// ocaml-docs-ci's, of the repository at a URL or in a folder.
    DocsCi(String),
    /// mirage-ci's.
    MirageCi,
}

impl NamedRoots {
    fn request(&self, body: &[u8]) -> Result<Request, RequestError> {
        match self {
            Self::DocsCi(repository) => {
                let request =
                    serde_json::from_slice(body).map_err(|error| RequestError::Malformed(error.to_string()))?;
                let members = DocsCi { repository: repository.clone(), request };
                Request::new(&Question::DocsCi(Box::new(members))).map(Request::naming_folders)
            }
            // mirage-ci starts its solver itself, and names clones of its own.
            Self::MirageCi => Request::from_members("mirage-ci", body).map(Request::naming_folders),
        }
    }
}

/// The interface of ocaml-docs-ci's and mirage-ci's solvers, for one client.
pub fn named_roots(service: Arc<Service>, caller: Caller, whose: NamedRoots) -> Client {
    let server = NamedRootsServer { service, caller: caller.into(), whose };
    let made: named_roots_capnp::solver::Client = capnp_rpc::new_client(server);
    made.client
}

struct NamedRootsServer {
    service: Arc<Service>,
    caller: Rc<Caller>,
    whose: NamedRoots,
}

impl named_roots_capnp::solver::Server for NamedRootsServer {
    async fn solve(
        self: Rc<Self>,
        params: named_roots_capnp::solver::SolveParams,
        mut results: named_roots_capnp::solver::SolveResults,
    ) -> Result<(), Error> {
        let (service, caller, whose) = (Arc::clone(&self.service), Rc::clone(&self.caller), self.whose.clone());
        drop(self);
        let (request, log) = {
            let params = params.get()?;
            if !params.has_log() {
                return Err(no_log());
            }
            (whose.request(params.get_request()?.as_bytes()), params.get_log()?)
        };
        let length = params.get()?.get_request()?.len();
        drop(params);
        let request = charged(&caller, length, request);
        let write = move |text: &str| {
            let mut call = log.write_request();
            call.get().set_msg(text);
            call.send().promise
        };
        let response = response(ask(&service, &caller.name, request, write).await, message)?;
        results.get().set_response(capnp::text::Reader(&response));
        Ok(())
    }
}

fn no_log() -> Error {
    Error::failed("Missing log argument!".to_owned())
}

/// What is sent: the answer, or the error in the form that the client knows. A request that cannot be read is an
/// exception.
fn response(
    answer: Result<Vec<u8>, RequestError>,
    refusal: impl Fn(&RequestError) -> Vec<u8>,
) -> Result<Vec<u8>, Error> {
    match answer {
        Ok(answer) => Ok(answer),
        Err(RequestError::BadRequest(error)) => Err(Error::failed(error.to_string())),
        Err(RequestError::Malformed(error)) => Err(Error::failed(format!("Bad JSON in request: {error}"))),
        Err(error) => Ok(refusal(&error)),
    }
}

/// A request whose bytes are charged to whoever sent it, until it is answered.
fn charged(
    caller: &Caller,
    bytes: usize,
    request: Result<Request, RequestError>,
) -> Result<(Request, Charge), RequestError> {
    Ok((request?, caller.account.charge(bytes).ok_or(RequestError::NoRoom)?))
}

/// Asks, and writes the log meanwhile; lines that come together are written together.
async fn ask<R: 'static>(
    service: &Service,
    client: &str,
    request: Result<(Request, Charge), RequestError>,
    write: impl Fn(&str) -> Promise<R, Error>,
) -> Result<Vec<u8>, RequestError> {
    let (request, _charge) = match request {
        Ok((request, charge)) => (Ok(request), Some(charge)),
        Err(error) => (Err(error), None),
    };
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
    let asking = service.ask(client, request, lines);
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
