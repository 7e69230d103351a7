//! The ways in: each translates between a protocol and [`Service::ask`](crate::service::Service::ask).

pub mod cluster;
pub mod http;
pub mod pipe;
pub mod solver;

use crate::service::AskError;
use crate::solver_service::{Refusal, SolveResponse};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A line of a log as solver-service writes it: `2026-11-21 20:26.24 [INFO] …`, in UTC.
pub fn log_line(text: &str) -> String {
    let now = Timestamp::now().to_zoned(TimeZone::UTC);
    format!("{} [INFO] {text}\n", now.strftime("%Y-%m-%d %H:%M.%S"))
}

/// solver-service's answer where there is none.
fn refusal(error: &AskError) -> Vec<u8> {
    use crate::pool::PoolError::Cancelled;
    match error {
        AskError::Pool(Cancelled) => SolveResponse::Error(Refusal::Cancelled).to_json(),
        error => SolveResponse::message(error).to_json(),
    }
}

/// The answer to a task of our own where there is none: `caravan.error/1`.
pub fn error_json(error: &AskError) -> Vec<u8> {
    #[derive(serde::Serialize)]
    struct ErrorReport<'e> {
        schema: &'static str,
        kind: &'static str,
        error: &'e str,
    }
    let text = error.to_string();
    let report = ErrorReport { schema: "caravan.error/1", kind: error.kind(), error: &text };
    // Strings only: nothing in it can fail to be written.
    serde_json::to_vec(&report).unwrap_or_default()
}
