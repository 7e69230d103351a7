//! Connections: sockets, TLS over them, Cap'n Proto over that.

use super::address::{Authentication, Location, SturdyRef};
use super::bootstrap::{Ids, NetworkWithIds};
use super::error::VatError;
use super::identity::{Fingerprint, Identity};
use super::metered::{MAX_WORDS, Meter, MeteredNetwork, MeteredUse, MeteredWrites};
use super::tls::{self, PlainEnd};
use crate::peers::{Account, AdmittedConnection, LimitedWrites, Peers, peer_name};
use capnp::capability::{Client, FromClientHook};
use capnp::message::ReaderOptions;
use capnp_rpc::rpc_twoparty_capnp::Side;
use capnp_rpc::twoparty::VatNetwork;
use capnp_rpc::{Disconnector, RpcSystem};
use futures::FutureExt;
use rustls::pki_types::ServerName;
use std::cell::RefCell;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, BufReader, BufWriter};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::{AbortHandle, JoinHandle, JoinSet, spawn_local};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tokio_util::compat::{TokioAsyncReadCompatExt, TokioAsyncWriteCompatExt};
use tokio_util::sync::CancellationToken;

/// How long a peer may take to shake hands.
const HANDSHAKE: Duration = Duration::from_secs(15);
/// After that much silence the system asks whether the peer is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// Cap'n Proto over a stream to somebody else's service, which is trusted.
fn client_system(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, ids: Ids) -> RpcSystem<Side> {
    let mut options = ReaderOptions::new();
    options.traversal_limit_in_words(Some(MAX_WORDS));
    let (reader, writer) = tokio::io::split(stream);
    let (reader, writer) = (BufReader::new(reader).compat(), BufWriter::new(writer).compat_write());
    let inner = VatNetwork::new(reader, writer, Side::Client, options);
    RpcSystem::new(Box::new(NetworkWithIds { inner, ids }), None)
}

/// Cap'n Proto over a stream from a client, which may take what `meter` says.
fn server_system(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    id: Vec<u8>,
    service: Client,
    meter: Rc<Meter>,
) -> RpcSystem<Side> {
    let (reader, writer) = tokio::io::split(stream);
    let writer = MeteredWrites { inner: BufWriter::new(writer), meter: Rc::clone(&meter) }.compat_write();
    // What comes in is read by the metered network.
    let inner = VatNetwork::new(futures::io::empty(), writer, Side::Server, ReaderOptions::new());
    let reader = Rc::new(RefCell::new(Some(BufReader::new(reader))));
    let inner = MeteredNetwork { inner, reader, meter: Rc::clone(&meter) };
    RpcSystem::new(Box::new(NetworkWithIds { inner, ids: Ids::Serve(Rc::new(id), meter) }), Some(service))
}

/// Serves one connection until it ends. Its messages are charged to an account.
pub async fn serve_one(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    id: Vec<u8>,
    service: Client,
    account: Account,
) {
    serve_metered(stream, id, service, Meter::new(account, None)).await;
}

async fn serve_metered(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    id: Vec<u8>,
    service: Client,
    meter: Rc<Meter>,
) {
    let _until_it_ends = MeteredUse(Rc::clone(&meter));
    let system = server_system(stream, id, service, Rc::clone(&meter));
    let _disconnecting = Disconnecting(system.get_disconnector());
    tokio::select! {
        served = system => {
            if let Err(error) = served {
                tracing::debug!("a connection ended: {error}");
            }
        }
        () = meter.ends() => tracing::debug!("a connection was ended: it made way, asked for nothing, or read nothing"),
    }
}

/// Tells whoever waits for the peer, however its connection ends, that it is gone: who drops an `RpcSystem` tells nobody.
struct Disconnecting(Disconnector<Side>);

impl Drop for Disconnecting {
    fn drop(&mut self) {
        // Being polled once tells them. Nothing is written any more, so the rest has no end to wait for.
        let _ = (&mut self.0).now_or_never();
    }
}

/// Where connections come in.
pub struct Listener {
    socket: Socket,
    /// The path of a socket that is ours to remove.
    _path: Option<SocketPath>,
}

enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

struct SocketPath {
    path: PathBuf,
    inode: u64,
}

impl SocketPath {
    fn new(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), inode: fs_err::symlink_metadata(path)?.ino() })
    }
}

impl Drop for SocketPath {
    fn drop(&mut self) {
        // Somebody else may have put theirs there meanwhile.
        if std::fs::symlink_metadata(&self.path).is_ok_and(|data| data.ino() == self.inode) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Listener {
    /// Begins to listen.
    ///
    /// # Errors
    /// When that is not possible there.
    pub async fn bind(location: &Location) -> io::Result<Self> {
        match location {
            Location::Tcp(host, port) => {
                Ok(Self { socket: Socket::Tcp(TcpListener::bind((host.as_str(), *port)).await?), _path: None })
            }
            Location::Unix(path) => {
                remove_stale(path).await?;
                let socket = UnixListener::bind(path)?;
                Ok(Self { socket: Socket::Unix(socket), _path: Some(SocketPath::new(path)?) })
            }
        }
    }

    /// Where it listens: with the port that was chosen if none was given.
    ///
    /// # Errors
    /// When the system does not know.
    pub fn location(&self, asked: &Location) -> io::Result<Location> {
        match (&self.socket, asked) {
            (Socket::Tcp(socket), Location::Tcp(host, _)) => {
                Ok(Location::Tcp(host.clone(), socket.local_addr()?.port()))
            }
            _ => Ok(asked.clone()),
        }
    }
}

/// A socket that nobody listens at any more is in the way.
async fn remove_stale(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(data) if data.file_type().is_socket() && UnixStream::connect(path).await.is_err() => {
            match fs_err::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// Connections that are open; they end when this goes.
pub struct Connections {
    _open: JoinSet<()>,
}

/// Who is at the other end of a connection.
pub struct Caller {
    /// Whose requests take turns with those of others: a key, or a connection.
    pub name: String,
    /// What the bytes of its requests are charged to.
    pub account: Account,
}

/// What is served.
pub struct Served<'s> {
    /// The key with which it is served over TLS; without one there is no TLS.
    pub identity: Option<&'s Identity>,
    /// The service's secret id.
    pub id: &'s [u8],
    /// What peers may take.
    pub peers: &'s Arc<Peers>,
}

/// Serves connections until `stop`, each with a service that knows whose it is. What is open then stays open as long as
/// what this returns.
///
/// # Errors
/// When the key cannot be used.
pub async fn serve(
    listener: &Listener,
    served: Served<'_>,
    stop: &CancellationToken,
    service: impl Fn(Caller) -> Client + 'static,
) -> Result<Connections, VatError> {
    let mut connections = JoinSet::new();
    let acceptor = match served.identity {
        Some(identity) => Some(TlsAcceptor::from(Arc::new(tls::server(identity)?))),
        None => None,
    };
    let for_all: Rc<ServedConnections<_>> = Rc::new(ServedConnections { acceptor, id: served.id.to_vec(), service });
    let mut number = 0_u64;
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return Ok(Connections { _open: connections }),
            // What ended is forgotten.
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener.socket) => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Too many open files, for instance: others will be closed.
                tracing::warn!("a connection is not accepted: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        number += 1;
        let Some(connection) = served.peers.admit(&peer).await else {
            tracing::debug!(peer, "there is no room for another connection");
            continue;
        };
        let stream = LimitedWrites::new(stream, served.peers.limits().time);
        let name = format!("{peer}#{number}");
        connections.spawn_local(Rc::clone(&for_all).serve(stream, name, connection));
    }
}

/// What every connection needs.
struct ServedConnections<F> {
    acceptor: Option<TlsAcceptor>,
    id: Vec<u8>,
    service: F,
}

impl<F: Fn(Caller) -> Client> ServedConnections<F> {
    /// Serves one connection, after a handshake where there is one.
    async fn serve(
        self: Rc<Self>,
        stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
        name: String,
        connection: AdmittedConnection,
    ) {
        let account = connection.account();
        let meter = Meter::new(account.clone(), Some(connection.clone()));
        let Some(acceptor) = &self.acceptor else {
            let service = (self.service)(Caller { name, account });
            return serve_metered(stream, self.id.clone(), service, meter).await;
        };
        let accepted = tokio::select! {
            accepted = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)) => accepted,
            () = connection.told_to_end() => return,
        };
        match accepted {
            Ok(Ok(stream)) => {
                let keys = stream.get_ref().1.peer_certificates().unwrap_or_default();
                let key = keys.first().and_then(Fingerprint::of_certificate);
                let name = key.map_or(name, |key| key.to_string());
                let service = (self.service)(Caller { name, account });
                serve_metered(PlainEnd(stream), self.id.clone(), service, meter).await;
            }
            Ok(Err(error)) => tracing::debug!(peer = name, "no TLS: {error}"),
            Err(_) => tracing::debug!(peer = name, "no TLS: the peer says nothing"),
        }
    }
}

/// A stream of either kind.
trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

async fn accept(socket: &Socket) -> io::Result<(Box<dyn Stream>, String)> {
    match socket {
        Socket::Tcp(socket) => {
            let (stream, peer) = socket.accept().await?;
            prepare(&stream)?;
            Ok((Box::new(stream), peer_name(peer.ip())))
        }
        Socket::Unix(socket) => {
            let (stream, _) = socket.accept().await?;
            let peer = stream.peer_cred().map_or_else(|_| "unix".to_owned(), |peer| format!("uid {}", peer.uid()));
            Ok((Box::new(stream), peer))
        }
    }
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    rustix::net::sockopt::set_socket_keepalive(stream, true)?;
    #[cfg(target_os = "linux")]
    rustix::net::sockopt::set_tcp_keepidle(stream, KEEP_ALIVE)?;
    Ok(())
}

/// A connection to somebody else's service.
pub struct Connected<T> {
    /// The service. Calls on it fail if it is refused.
    pub service: T,
    /// Ends when the connection does.
    pub ended: JoinHandle<()>,
    abort: AbortHandle,
}

impl<T> Drop for Connected<T> {
    fn drop(&mut self) {
        self.abort.abort();
    }
}

/// Connects to a service.
///
/// # Errors
/// When there is no connection, or the vat there has another key.
pub async fn connect<T: FromClientHook>(to: &SturdyRef, identity: &Identity) -> Result<Connected<T>, VatError> {
    let connecting = async {
        let stream: Box<dyn Stream> = match &to.location {
            Location::Tcp(host, port) => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                prepare(&stream)?;
                Box::new(stream)
            }
            Location::Unix(path) => Box::new(UnixStream::connect(path).await?),
        };
        let ids = Ids::Ask(Rc::new(to.id.clone()));
        Ok::<_, VatError>(match to.authentication {
            Authentication::Insecure => client_system(stream, ids),
            Authentication::Key(key) => {
                let connector = TlsConnector::from(Arc::new(tls::client(identity, key)?));
                // Not sent, and not looked at.
                let name = ServerName::try_from("capnp").map_err(io::Error::other)?;
                client_system(PlainEnd(connector.connect(name, stream).await?), ids)
            }
        })
    };
    let system = tokio::time::timeout(HANDSHAKE, connecting).await;
    let system = system.map_err(|_| VatError::Silent(to.location.to_string()))??;
    Ok(connected(system))
}

/// A service at the other end of a stream, as a program has it with its child.
pub fn attach<T: FromClientHook>(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, id: &[u8]) -> Connected<T> {
    connected(client_system(stream, Ids::Ask(Rc::new(id.to_vec()))))
}

fn connected<T: FromClientHook>(mut system: RpcSystem<Side>) -> Connected<T> {
    let service = system.bootstrap(Side::Server);
    let ended = spawn_local(async move {
        if let Err(error) = system.await {
            tracing::debug!("a connection ended: {error}");
        }
    });
    let abort = ended.abort_handle();
    Connected { service, ended, abort }
}
