//! The HTTP door (`docs/operations.md`; the OpenAPI document is served at `/openapi.json`).

mod stream;

use crate::pool::PoolError;
use crate::service::{AskError, Asked, Service};
use crate::solver_service::SolveRequest;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::header::{
    ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::sync::Arc;
use stream::Form;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How the door is set up.
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

struct Door {
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
    let door = Arc::new(Door { service, tokens, max_request: settings.max_request });
    let protected = Router::new()
        .route("/v1/solve", post(|s, c, h, b| ask(s, c, h, b, "solve")))
        .route("/v1/installable", post(|s, c, h, b| ask(s, c, h, b, "installable")))
        .route("/v1/revdeps", post(|s, c, h, b| ask(s, c, h, b, "revdeps")))
        .route("/v1/impact", post(|s, c, h, b| ask(s, c, h, b, "impact")))
        .route("/v1/solver-service", post(|s, c, h, b| ask(s, c, h, b, "solver-service")))
        .route("/v1/status", get(status))
        .route("/metrics", get(metrics))
        .layer(DefaultBodyLimit::max(settings.max_request))
        .layer(from_fn_with_state(Arc::clone(&door), authorised));
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
        .with_state(door)
}

/// `caravan.error/1`
fn error(status: StatusCode, kind: &str, text: &str) -> Response {
    let body = serde_json::json!({ "schema": "caravan.error/1", "kind": kind, "error": text });
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn failure(failed: &AskError) -> Response {
    let status = status_of(failed);
    let mut response = error(status, failed.kind(), &failed.to_string());
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

fn status_of(error: &AskError) -> StatusCode {
    match error {
        AskError::Malformed(_) => StatusCode::BAD_REQUEST,
        AskError::Fetch(crate::repositories::FetchError::System(_)) => StatusCode::INTERNAL_SERVER_ERROR,
        AskError::Fetch(_) => StatusCode::UNPROCESSABLE_ENTITY,
        AskError::Pool(error) => match error {
            PoolError::Question(_) | PoolError::Repository(_) => StatusCode::UNPROCESSABLE_ENTITY,
            PoolError::Busy(_) | PoolError::BusyClient | PoolError::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
            PoolError::Deadline(_) => StatusCode::GATEWAY_TIMEOUT,
            PoolError::Died(_) | PoolError::Poisonous(_) | PoolError::Cancelled => StatusCode::INTERNAL_SERVER_ERROR,
        },
    }
}

/// Lets those pass who know a token, if what they bring is not too large.
async fn authorised(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    if !door.tokens.is_empty() {
        let header = request.headers().get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let token = header.and_then(|header| header.strip_prefix(b"Bearer "));
        let hash: Option<[u8; 32]> = token.map(|token| Sha256::digest(token).into());
        if !hash.is_some_and(|hash| door.tokens.contains(&hash)) {
            let mut response = error(StatusCode::UNAUTHORIZED, "unauthorised", "this needs a bearer token");
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            return response;
        }
    }
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > door.max_request as u64) {
        // Without waiting for what will not be read.
        let text = format!("the body may have {} bytes", door.max_request);
        let mut response = error(StatusCode::PAYLOAD_TOO_LARGE, "malformed", &text);
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        return response;
    }
    next.run(request).await
}

async fn ready(State(door): State<Arc<Door>>) -> Response {
    match door.service.is_ready() {
        true => "ready\n".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "no worker is ready\n").into_response(),
    }
}

async fn metrics(State(door): State<Arc<Door>>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, kind)], door.service.metrics().open_metrics())
}

async fn status(State(door): State<Arc<Door>>) -> Response {
    match serde_json::to_string(&door.service.status()) {
        Ok(text) => ([(CONTENT_TYPE, "application/json")], text).into_response(),
        Err(failed) => error(StatusCode::INTERNAL_SERVER_ERROR, "system", &failed.to_string()),
    }
}

/// Answers a question of one kind.
async fn ask(
    State(door): State<Arc<Door>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
    kind: &'static str,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return error(rejection.status(), "malformed", &rejection.body_text()),
    };
    let json = headers.get(CONTENT_TYPE).is_none_or(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !json {
        let text = "the body is JSON: Content-Type: application/json";
        return error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "malformed", text);
    }
    let asked = match asked(kind, &body) {
        Ok(asked) => asked,
        Err(failed) => return failure(&failed),
    };
    // Those who share a token are told apart by their addresses, too.
    let client = peer.ip().to_string();
    let accept = headers.get(ACCEPT).map(HeaderValue::as_bytes).unwrap_or_default();
    if let Some(form) = Form::wanted(accept) {
        let body = Body::from_stream(stream::answer(Arc::clone(&door.service), client, asked, form));
        return ([(CONTENT_TYPE, form.content_type())], body).into_response();
    }
    let (lines, _) = mpsc::unbounded_channel();
    match door.service.ask(&client, asked, lines).await {
        Ok(answer) => ([(CONTENT_TYPE, "application/json")], answer).into_response(),
        Err(failed) => failure(&failed),
    }
}

/// The body of a question of one kind, as a task. What is wrong in it is said with its place in the body.
fn asked(kind: &'static str, body: &[u8]) -> Result<Asked, AskError> {
    fn check<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<(), AskError> {
        serde_json::from_slice::<T>(body).map(drop).map_err(|error| AskError::Malformed(error.to_string()))
    }
    match kind {
        "solver-service" => {
            check::<SolveRequest>(body)?;
            return Ok(Asked::SolverService(body.to_vec()));
        }
        "solve" => check::<crate::tasks::Solve>(body)?,
        "installable" => check::<crate::tasks::Installable>(body)?,
        "revdeps" => check::<crate::tasks::Revdeps>(body)?,
        _ => check::<crate::tasks::Impact>(body)?,
    }
    Ok(Asked::Caravan([b"{\"", kind.as_bytes(), b"\":", body, b"}"].concat()))
}
