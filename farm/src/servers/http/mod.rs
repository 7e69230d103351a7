//! HTTP (`docs/operations.md`; the OpenAPI document is served at `/openapi.json`).

mod accept;
mod body;
mod guard;
#[cfg(feature = "schema")]
pub mod openapi;
mod peer;
mod response;
mod stream;

use crate::metrics::Exposition;
use crate::service::{Request, RequestError, Service};
use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue,
    WWW_AUTHENTICATE,
};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use body::{Held, Received};
use caravan::Question;
use guard::Hosts;
use peer::Peer;
use response::{error, failure, last_error};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use stream::Form;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How the server is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Those who know one of these may ask; none: everybody may.
    pub tokens: Vec<String>,
    /// How many bytes a request may have.
    pub max_request: usize,
    /// Which hosts requests may be for beside addresses and `localhost`; `*`: any.
    pub hosts: Vec<String>,
}

/// The document that describes it all.
pub const OPENAPI: &str = include_str!("openapi.json");
const PAGE: &str = include_str!("status.html");

struct Server {
    service: Arc<Service>,
    /// Hashes, which take equally long to compare whatever is in them.
    tokens: Vec<[u8; 32]>,
    max_request: usize,
}

/// Answers requests until `stop`; those that came are answered before it returns.
pub async fn serve(listener: TcpListener, service: Arc<Service>, settings: Settings, stop: CancellationToken) {
    let peers = Arc::clone(service.peers());
    accept::accept(listener, router(service, &settings), peers, stop).await;
}

fn router(service: Arc<Service>, settings: &Settings) -> Router {
    let tokens = settings.tokens.iter().map(|token| Sha256::digest(token.as_bytes()).into()).collect();
    let server = Arc::new(Server { service, tokens, max_request: settings.max_request });
    let mut protected = Router::new().route("/v1/ask", questions(|body| Request::from_json(body.to_vec())));
    for kind in Question::KINDS {
        protected = protected.route(&format!("/v1/{kind}"), questions(|body| Request::from_members(kind, body)));
    }
    let protected = protected
        .route("/v1/status", get(status))
        .route("/metrics", get(metrics))
        .layer(from_fn_with_state(Arc::clone(&server), authorised));
    let policy = HeaderValue::from_str(&guard::page_policy(PAGE)).unwrap_or(HeaderValue::from_static("sandbox"));
    Router::new()
        .route("/", get(move || async move { ([(CONTENT_SECURITY_POLICY, policy)], Html(PAGE)) }))
        .route("/openapi.json", get(|| async { ([(CONTENT_TYPE, "application/json")], OPENAPI) }))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .merge(protected)
        .fallback(|uri: Uri| async move {
            error(StatusCode::NOT_FOUND, "unknown", &format!("there is nothing at `{}`; see /openapi.json", uri.path()))
        })
        .method_not_allowed_fallback(|method: Method, uri: Uri| async move {
            let text = format!("`{}` does not take {method}; see /openapi.json", uri.path());
            error(StatusCode::METHOD_NOT_ALLOWED, "unknown", &text)
        })
        .with_state(server)
        .layer(from_fn_with_state(Arc::new(Hosts::new(&settings.hosts)), guard::guard))
}

/// A route for questions, whose bodies are read by a function.
fn questions(
    read: impl Fn(&[u8]) -> Result<Request, RequestError> + Clone + Send + Sync + 'static,
) -> MethodRouter<Arc<Server>> {
    post(
        move |State(server): State<Arc<Server>>, Extension(peer): Extension<Peer>, headers: HeaderMap, body: Body| async move {
            match receive(&headers, body, server.max_request, &peer).await {
                Ok(Received { bytes, held }) => {
                    let request = read(&bytes);
                    drop(bytes);
                    ask(server, peer, &headers, request, held).await
                }
                Err(refused) => *refused,
            }
        },
    )
}

/// Lets those pass who know a token.
async fn authorised(State(server): State<Arc<Server>>, request: axum::extract::Request, next: Next) -> Response {
    if !server.tokens.is_empty() {
        let header = request.headers().get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let token = header.and_then(|header| header.strip_prefix(b"Bearer "));
        let hash: Option<[u8; 32]> = token.map(|token| Sha256::digest(token).into());
        if !hash.is_some_and(|hash| server.tokens.contains(&hash)) {
            let mut response = error(StatusCode::UNAUTHORIZED, "unauthorised", "this needs a bearer token");
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            return response;
        }
    }
    next.run(request).await
}

async fn ready(State(server): State<Arc<Server>>) -> Response {
    match server.service.is_ready() {
        true => "ready\n".into_response(),
        false if server.service.is_ending() => (StatusCode::SERVICE_UNAVAILABLE, "it is ending\n").into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "no worker is ready\n").into_response(),
    }
}

async fn metrics(State(server): State<Arc<Server>>, headers: HeaderMap) -> impl IntoResponse {
    let accept = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let format = Exposition::wanted(&accept.collect::<Vec<_>>().join(","));
    ([(CONTENT_TYPE, format.content_type())], server.service.metrics().write(format))
}

async fn status(State(server): State<Arc<Server>>) -> Response {
    match serde_json::to_string(&server.service.status()) {
        Ok(text) => ([(CONTENT_TYPE, "application/json")], text).into_response(),
        Err(failed) => error(StatusCode::INTERNAL_SERVER_ERROR, "system", &failed.to_string()),
    }
}

/// The body of a question, if it says that it is JSON: a browser asks before it sends that for another one's page.
async fn receive(headers: &HeaderMap, body: Body, max: usize, peer: &Peer) -> Result<Received, Box<Response>> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let text = "the body has to be JSON: Content-Type: application/json";
        return Err(last_error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "malformed", text).into());
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    body::read(body, length, max, peer).await
}

/// Answers a question.
async fn ask(
    server: Arc<Server>,
    peer: Peer,
    headers: &HeaderMap,
    request: Result<Request, RequestError>,
    held: Held,
) -> Response {
    let accept = headers.get(ACCEPT).map(HeaderValue::as_bytes).unwrap_or_default();
    let client = peer.client();
    let request = match (request, Form::wanted(accept)) {
        (Ok(request), Some(form)) => {
            let body = Body::from_stream(stream::answer(Arc::clone(&server.service), client, request, form, held));
            return ([(CONTENT_TYPE, form.content_type())], body).into_response();
        }
        (request, _) => request,
    };
    let (lines, _) = mpsc::unbounded_channel();
    match server.service.ask(&client, request, lines).await {
        Ok(answer) => {
            let length = HeaderValue::from(answer.len());
            let kind = HeaderValue::from_static("application/json");
            ([(CONTENT_TYPE, kind), (CONTENT_LENGTH, length)], body::answer(answer, held)).into_response()
        }
        Err(error) => failure(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_every_kind_of_question() {
        let document: serde_json::Value = serde_json::from_str(OPENAPI).unwrap();
        for kind in Question::KINDS.iter().chain(&["ask"]) {
            assert!(document["paths"][format!("/v1/{kind}")]["post"].is_object(), "{kind}");
        }
    }
}
