//! Answers that take a while, with their log: NDJSON or server-sent events.

use super::body::{Held, pieces};
use crate::servers::error::report;
use crate::service::{Request, Service};
use axum::body::Bytes;
use futures::{Stream, StreamExt};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How a stream is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Each line an object.
    Ndjson,
    /// Each event an object.
    Events,
}

/// Without a word for that long, a line that means nothing is sent: proxies close what is silent.
const SILENCE: Duration = Duration::from_secs(15);

impl Form {
    /// What the header `Accept` asks for; `None`: no stream.
    pub(super) fn wanted(accept: &[u8]) -> Option<Self> {
        let accept = std::str::from_utf8(accept).unwrap_or_default();
        let kinds = accept.split(',').map(|kind| kind.split(';').next().unwrap_or_default().trim());
        kinds.into_iter().find_map(|kind| match kind {
            "application/x-ndjson" => Some(Self::Ndjson),
            "text/event-stream" => Some(Self::Events),
            _ => None,
        })
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Events => "text/event-stream",
        }
    }

    /// `value` is JSON on one line.
    fn write(self, name: &str, value: &[u8]) -> Bytes {
        let parts: [&[u8]; 5] = match self {
            Self::Ndjson => [b"{\"", name.as_bytes(), b"\":", value, b"}\n"],
            Self::Events => [b"event: ", name.as_bytes(), b"\ndata: ", value, b"\n\n"],
        };
        parts.concat().into()
    }

    fn nothing(self) -> Bytes {
        match self {
            Self::Ndjson => Bytes::from_static(b"\n"),
            Self::Events => Bytes::from_static(b":\n\n"),
        }
    }
}

/// Lines of the log, and then the answer or an error. Dropping the stream cancels the question.
pub(super) fn answer(
    service: Arc<Service>,
    client: String,
    request: Request,
    form: Form,
    mut held: Held,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
    let (lines, written) = mpsc::unbounded_channel::<String>();
    let asking = Box::pin(async move { service.ask(&client, Ok(request), lines).await });
    let parts = futures::stream::unfold(Some((asking, written)), move |state| async move {
        let (mut asking, mut written) = state?;
        tokio::select! {
            biased;
            Some(line) = written.recv() => {
                let line = serde_json::to_vec(&line).unwrap_or_default();
                Some((form.write("log", &line), Some((asking, written))))
            }
            answer = &mut asking => {
                // What was written meanwhile comes first.
                let mut bytes = Vec::new();
                while let Ok(line) = written.try_recv() {
                    bytes.extend_from_slice(&form.write("log", &serde_json::to_vec(&line).unwrap_or_default()));
                }
                bytes.extend_from_slice(&match answer {
                    Ok(answer) => form.write("answer", &answer),
                    Err(error) => form.write("error", &report(&error)),
                });
                Some((bytes.into(), None))
            }
            () = tokio::time::sleep(SILENCE) => Some((form.nothing(), Some((asking, written)))),
        }
    });
    parts.flat_map(move |part: Bytes| {
        held.charge.set(part.len());
        pieces(part).map(Ok)
    })
}
