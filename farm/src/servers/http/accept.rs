//! Connections: which are admitted, and how long they may say nothing.

use super::peer::{BUFFER, Peer};
use crate::peers::{LimitedWrites, Peers, peer_name};
use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower_service::Service;

/// After the end, answers may take that long to be written.
const LAST_ANSWERS: Duration = Duration::from_secs(5);
/// After a connection could not be accepted: others will be closed meanwhile.
const PAUSE: Duration = Duration::from_millis(100);
/// What is said where there is no room.
const NO_ROOM: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n\
    Connection: close\r\n\r\n";

/// Serves connections until `stop`.
pub(super) async fn accept(listener: TcpListener, router: Router, peers: Arc<Peers>, stop: CancellationToken) {
    let mut open = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = open.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("a connection is not accepted: {error}");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        match peers.admit(&peer_name(address.ip())).await {
            Some(connection) => {
                let peer = Peer { address, connection };
                open.spawn(serve(stream, peer, router.clone(), peers.limits().time, stop.clone()));
            }
            None => {
                tracing::debug!(peer = %address.ip(), "there is no room for another connection");
                // If that cannot be written at once, nobody waits for it.
                let _ = stream.try_write(NO_ROOM);
            }
        }
    }
    drop(listener);
    let ended = async { while open.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(LAST_ANSWERS, ended).await;
}

/// Serves one connection.
async fn serve(stream: TcpStream, peer: Peer, router: Router, limit: Duration, stop: CancellationToken) {
    // An answer is written in few pieces, none of which should wait for another.
    let _ = stream.set_nodelay(true);
    let connection = peer.connection.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer.clone());
        let mut router = router.clone();
        async move { router.call(request).await }
    });
    let stream = TokioIo::new(LimitedWrites::new(stream, limit));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limit)
        .max_buf_size(BUFFER)
        .serve_connection(stream, service);
    tokio::pin!(serving);
    let mut ending = false;
    loop {
        tokio::select! {
            served = serving.as_mut() => {
                if let Err(error) = served {
                    tracing::debug!("a connection ended: {error}");
                }
                return;
            }
            () = connection.told_to_end() => return,
            () = stop.cancelled(), if !ending => {
                ending = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}
