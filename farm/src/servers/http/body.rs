//! The bodies of questions and of answers, whose bytes are charged to the peer as long as they are in memory.

use super::peer::{BUFFER, Peer};
use super::response::last_error;
use crate::peers::{Busy, Charge};
use crate::service::RequestError;
use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::StatusCode;
use axum::response::Response;
use futures::{Stream, StreamExt};
use std::convert::Infallible;

/// A question's body, or what its answer is made from.
pub(super) struct Received {
    pub(super) bytes: Vec<u8>,
    /// For these bytes, and later for those of the answer.
    pub(super) held: Held,
}

/// What a request holds until its answer is written.
pub(super) struct Held {
    pub(super) charge: Charge,
    _busy: Busy,
}

/// Reads a body, which has to be there in time and may have `max` bytes.
pub(super) async fn read(body: Body, length: Option<u64>, max: usize, peer: &Peer) -> Result<Received, Box<Response>> {
    let limit = peer.connection.account().time();
    let Ok(read) = tokio::time::timeout(limit, collect(body.into_data_stream(), length, max, peer)).await else {
        let text = format!("the body was not there within {} s", limit.as_secs_f64());
        return Err(last_error(StatusCode::REQUEST_TIMEOUT, "malformed", &text).into());
    };
    let (bytes, charge) = read?;
    let Some(busy) = peer.connection.begin() else { return Err(no_room()) };
    Ok(Received { bytes, held: Held { charge, _busy: busy } })
}

async fn collect(
    mut body: BodyDataStream,
    length: Option<u64>,
    max: usize,
    peer: &Peer,
) -> Result<(Vec<u8>, Charge), Box<Response>> {
    let too_large =
        || last_error(StatusCode::PAYLOAD_TOO_LARGE, "malformed", &format!("the body may have {max} bytes"));
    let expected = length.map_or(0, |length| usize::try_from(length).unwrap_or(usize::MAX));
    if expected > max {
        // Without waiting for what will not be read.
        return Err(too_large().into());
    }
    let mut charge = peer.connection.account().nothing();
    // Memory that is set aside here takes none until bytes come.
    let mut bytes = Vec::with_capacity(expected);
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| last_error(StatusCode::BAD_REQUEST, "malformed", &error.to_string()))?;
        if bytes.len() + chunk.len() > max {
            return Err(too_large().into());
        }
        if !charge.try_grow(chunk.len()) {
            return Err(no_room());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok((bytes, charge))
}

fn no_room() -> Box<Response> {
    let error = RequestError::NoRoom;
    last_error(StatusCode::SERVICE_UNAVAILABLE, error.kind(), &error.to_string()).into()
}

/// An answer. It is handed over piece by piece, so that it is charged until the peer has read nearly all of it.
pub(super) fn answer(answer: Vec<u8>, mut held: Held) -> Body {
    held.charge.set(answer.len());
    Body::from_stream(pieces(answer.into()).map(move |piece| {
        // It goes with the stream.
        let _ = &held;
        Ok::<_, Infallible>(piece)
    }))
}

/// The pieces in which bytes are handed over.
pub(super) fn pieces(mut bytes: Bytes) -> impl Stream<Item = Bytes> + Send + 'static {
    futures::stream::iter(std::iter::from_fn(move || {
        let piece = bytes.split_to(bytes.len().min(BUFFER));
        (!piece.is_empty()).then_some(piece)
    }))
}
