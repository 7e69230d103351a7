//! What is said where there is no answer.

use crate::servers::error::{ErrorReport, report};
use crate::service::RequestError;
use axum::http::StatusCode;
use axum::http::header::{CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse, Response};

/// When to try again what may have an answer then, in seconds.
const AGAIN: HeaderValue = HeaderValue::from_static("5");

/// `caravan.error/1`
pub(super) fn error(status: StatusCode, kind: &str, text: &str) -> Response {
    error_response(status, ErrorReport::new(kind, text).to_json())
}

fn error_response(status: StatusCode, report: Vec<u8>) -> Response {
    let mut response = (status, [(CONTENT_TYPE, "application/json")], report).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, AGAIN);
    }
    response
}

/// The same, and the connection ends: the rest of the request is not read.
pub(super) fn last_error(status: StatusCode, kind: &str, text: &str) -> Response {
    let mut response = error(status, kind, text);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Why a request has no answer.
pub(super) fn failure(error: &RequestError) -> Response {
    let status = StatusCode::from_u16(error.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    error_response(status, report(error))
}
