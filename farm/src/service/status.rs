//! What a service does, for those who watch.

use crate::answer_cache::AnswerCacheStatus;
use crate::pool::WorkerStatus;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// What a service does.
#[derive(Clone, Debug, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Status {
    /// How long it has been running, in seconds.
    pub up_seconds: f64,
    /// The workers.
    pub workers: Vec<WorkerStatus>,
    /// How many jobs wait.
    pub waiting: usize,
    /// The answers that are kept.
    #[serde(rename = "memory")]
    pub answers: AnswerCacheStatus,
    /// Repositories at a commit that have an index, the newest first.
    #[serde(rename = "states")]
    pub indexes: Vec<IndexStatus>,
    /// The last requests, the newest first.
    #[serde(rename = "recent")]
    pub requests: Vec<RequestStatus>,
}

/// A repository at a commit that has an index.
#[derive(Clone, Debug, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IndexStatus {
    /// The repository: its URL, or the folder of its clone.
    pub url: String,
    /// The commit.
    pub commit: String,
}

/// A request that was answered a short time ago, or is being answered.
#[derive(Clone, Debug, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RequestStatus {
    /// Its number, which log lines have, too.
    pub id: u64,
    /// Who asked.
    pub client: String,
    /// The kind of question; `malformed`, if it could not be read.
    pub kind: &'static str,
    /// When it came, in seconds since 1970.
    #[serde(serialize_with = "since_1970")]
    #[cfg_attr(feature = "schema", schemars(with = "f64"))]
    pub began: SystemTime,
    /// How long it took, in seconds; `None` while it is being answered.
    pub seconds: Option<f64>,
    /// How it ended.
    pub result: Option<String>,
}

fn since_1970<S: serde::Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    serializer.serialize_f64(seconds.as_secs_f64())
}

/// How many of the last requests are shown.
const SHOWN: usize = 100;

/// The last requests.
#[derive(Default)]
pub(super) struct LastRequests(Mutex<VecDeque<RequestStatus>>);

impl LastRequests {
    pub(super) fn begin(&self, id: u64, client: &str, kind: &'static str) {
        let mut requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (client, began) = (client.to_owned(), SystemTime::now());
        requests.push_back(RequestStatus { id, client, kind, began, seconds: None, result: None });
        if requests.len() > SHOWN {
            requests.pop_front();
        }
    }

    pub(super) fn end(&self, id: u64, seconds: f64, result: String) {
        let mut requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = requests.iter_mut().find(|known| known.id == id) {
            known.seconds = Some(seconds);
            known.result = Some(result);
        }
    }

    /// The newest first.
    pub(super) fn list(&self) -> Vec<RequestStatus> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }
}
