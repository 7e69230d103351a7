//! HTTP (`docs/operations.md`; the OpenAPI document is served at `/openapi.json`).

#[cfg(feature = "schema")]
pub mod openapi;
mod stream;

use super::error::{ErrorReport, report};
use crate::service::{Request, RequestError, Service};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::header::{
    ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use caravan::Question;
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
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
///
/// # Errors
/// When the socket fails.
pub async fn serve(
    listener: TcpListener,
    service: Arc<Service>,
    settings: Settings,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let router = router(service, &settings).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, router).with_graceful_shutdown(async move { stop.cancelled().await }).await
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
        .layer(DefaultBodyLimit::max(settings.max_request))
        .layer(from_fn_with_state(Arc::clone(&server), authorised));
    Router::new()
        .route("/", get(|| async { Html(PAGE) }))
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
}

/// A route for questions, whose bodies are read by a function.
fn questions(
    read: impl Fn(&[u8]) -> Result<Request, RequestError> + Clone + Send + Sync + 'static,
) -> MethodRouter<Arc<Server>> {
    post(
        move |State(server): State<Arc<Server>>,
              ConnectInfo(peer): ConnectInfo<SocketAddr>,
              headers: HeaderMap,
              body: Result<Bytes, BytesRejection>| async move {
            match check(&headers, body) {
                Ok(body) => ask(server, peer, &headers, read(&body)).await,
                Err(refused) => *refused,
            }
        },
    )
}

/// `caravan.error/1`
fn error(status: StatusCode, kind: &str, text: &str) -> Response {
    error_response(status, ErrorReport::new(kind, text).to_json())
}

fn error_response(status: StatusCode, report: Vec<u8>) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], report).into_response()
}

fn failure(error: &RequestError) -> Response {
    let status = StatusCode::from_u16(error.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = error_response(status, report(error));
    if error.is_temporary() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

/// Lets those pass who know a token, if what they bring is not too large.
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
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > server.max_request as u64) {
        // Without waiting for what will not be read.
        let text = format!("the body may have {} bytes", server.max_request);
        let mut response = error(StatusCode::PAYLOAD_TOO_LARGE, "malformed", &text);
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        return response;
    }
    next.run(request).await
}

async fn ready(State(server): State<Arc<Server>>) -> Response {
    match server.service.is_ready() {
        true => "ready\n".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "no worker is ready\n").into_response(),
    }
}

async fn metrics(State(server): State<Arc<Server>>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, kind)], server.service.metrics().open_metrics())
}

async fn status(State(server): State<Arc<Server>>) -> Response {
    match serde_json::to_string(&server.service.status()) {
        Ok(text) => ([(CONTENT_TYPE, "application/json")], text).into_response(),
        Err(failed) => error(StatusCode::INTERNAL_SERVER_ERROR, "system", &failed.to_string()),
    }
}

/// The body of a question, if it says that it is JSON.
fn check(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Bytes, Box<Response>> {
    let body = body.map_err(|rejection| Box::new(error(rejection.status(), "malformed", &rejection.body_text())))?;
    let is_json = headers.get(CONTENT_TYPE).is_none_or(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !is_json {
        let text = "the body is JSON: Content-Type: application/json";
        return Err(error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "malformed", text).into());
    }
    Ok(body)
}

/// Answers a question.
async fn ask(
    server: Arc<Server>,
    peer: SocketAddr,
    headers: &HeaderMap,
    request: Result<Request, RequestError>,
) -> Response {
    // Those who share a token are told apart by their addresses, too.
    let client = peer.ip().to_string();
    let accept = headers.get(ACCEPT).map(HeaderValue::as_bytes).unwrap_or_default();
    let request = match (request, Form::wanted(accept)) {
        (Ok(request), Some(form)) => {
            let body = Body::from_stream(stream::answer(Arc::clone(&server.service), client, request, form));
            return ([(CONTENT_TYPE, form.content_type())], body).into_response();
        }
        (request, _) => request,
    };
    let (lines, _) = mpsc::unbounded_channel();
    match server.service.ask(&client, request, lines).await {
        Ok(answer) => ([(CONTENT_TYPE, "application/json")], answer).into_response(),
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
