//! TLS, keys, capability files, service ids.

use crate::running::{Asker, Log, Running, local, own_packages, request, until};
use capnp::capability::Rc;
use caravan_farm::generated::ocluster_capnp::{registration, worker};
use caravan_farm::generated::solver_capnp::solver;
use caravan_farm::metrics::Metrics;
use caravan_farm::peers::{Limits, Peers};
use caravan_farm::vat::{Authentication, Connected, Identity, Location, SturdyRef, attach, connect, serve_one};
use caravan_tests::git::{COMPILERS, Repository};
use caravan_tests::workspace;
use std::cell::{Cell, RefCell};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;
use tokio::task::spawn_local;

/// Keys that are in no use, with their fingerprints and the ids of the service `solver-service`, worked out by
/// OpenSSL and Python.
const KEYS: [(&str, &str, &str); 3] = [
    ("rsa", "TynOBK4pCe5FM3dOCzZdRKsN92oWbhjuksKlFLUZTKg", "Sfud10OIXVc3bPwYuKfL5LuzYW6pI0548arhyBKEgm0"),
    ("ed25519", "SyYsttcbN6u-OKKgs08rtuREnQkP48OL20wh-CX80Ho", "AdYuI4Ntp9EBOgJ3cXqtmSj8Wq9SJ2lP_qGPVoVMRHo"),
    ("p256", "PBtlLYg1KxOYxNGhH5D3rFUfEtd0ldo86UH49CNWN-o", "5-3mu5jK3bSk7cOsvvvuLSdiUZZBogoJMgI1wlOlsOQ"),
];

fn key_file(name: &str) -> PathBuf {
    workspace().join(format!("tests/fixtures/keys/{name}.pem"))
}

async fn answers(service: &solver::Client, repository: &(Repository, String)) -> Result<String, String> {
    let asked = request(&[(&repository.0, &repository.1)], "depends: \"ocaml\"");
    let mut call = service.solve_request();
    let text = serde_json::to_vec(&asked).unwrap();
    call.get().set_request(capnp::text::Reader(&text));
    call.get().set_log(capnp_rpc::new_client(Log::default()));
    let answer = call.send().promise.await.map_err(|error| error.extra)?;
    Ok(answer.get().unwrap().get_response().unwrap().to_string().unwrap())
}

fn repository() -> (Repository, String) {
    let repository = Repository::new();
    let commit = repository.commit(&COMPILERS);
    (repository, commit)
}

#[test]
fn every_kind_of_key_on_either_side() {
    let repository = repository();
    for (name, fingerprint, id) in KEYS {
        let key = format!("--capnp-secret-key-file={}", key_file(name).display());
        let service = Running::service(&["--capnp-listen-address=tcp:127.0.0.1:0", &key]);
        let text = format!("{}", service.capability());
        let Location::Tcp(_, port) = service.capability().location else { panic!("{text}") };
        // The address that a drop-in keeps as long as it has the key's file.
        assert_eq!(text, format!("capnp://sha-256:{fingerprint}@127.0.0.1:{port}/{id}"));
        let mode = fs_err::metadata(service.path("cap")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "a capability is a secret");
        local(async {
            for (client, ..) in KEYS {
                let identity = Identity::load(&key_file(client)).unwrap();
                let connected = connect(&service.capability(), &identity).await.unwrap();
                let answer = answers(&connected.service, &repository).await.unwrap();
                assert!(answer.starts_with("[\"Ok\",[{"), "{name}, {client}: {answer}");
            }
        });
    }
}

#[test]
fn another_key_or_another_id_is_refused() {
    let repository = repository();
    let service = Running::service(&["--capnp-listen-address=tcp:127.0.0.1:0"]);
    local(async {
        let identity = Identity::ephemeral().unwrap();
        let right = service.capability();
        let other_key = Authentication::Key(Identity::ephemeral().unwrap().fingerprint());
        let wrong = SturdyRef { authentication: other_key, ..right.clone() };
        let Err(error) = connect::<solver::Client>(&wrong, &identity).await else { panic!("another key") };
        assert!(error.to_string().contains("ApplicationVerificationFailure"), "{error}");
        // A call that is sent before the answer to `Bootstrap` is known is refused, too.
        for id in [vec![], b"solver".to_vec(), vec![255; 32]] {
            let wrong = SturdyRef { id, ..right.clone() };
            let connected = connect(&wrong, &identity).await.unwrap();
            let error = answers(&connected.service, &repository).await.unwrap_err();
            assert!(error.contains("Unknown persistent service ID"), "{error}");
        }
        // Talking without TLS to one that wants it gets nowhere.
        let plain = SturdyRef { authentication: Authentication::Insecure, ..right.clone() };
        let connected = connect(&plain, &identity).await.unwrap();
        assert!(answers(&connected.service, &repository).await.is_err());
        // None of that did any harm.
        let connected = connect(&right, &identity).await.unwrap();
        assert!(answers(&connected.service, &repository).await.is_ok());
    });
}

#[test]
fn a_key_is_made_once_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret.pem");
    let key = format!("--capnp-secret-key-file={}", file.display());
    let first = Running::service(&[&key]).capability();
    let text = fs_err::read(&file).unwrap();
    assert_eq!(fs_err::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let second = Running::service(&[&key]).capability();
    assert_eq!((first.id, first.authentication), (second.id, second.authentication));
    assert_eq!(fs_err::read(&file).unwrap(), text);
}

#[test]
fn sockets_without_tls_and_public_addresses() {
    let repository = repository();
    let service = Running::service(&["--capnp-disable-tls"]);
    let text = service.capability().to_string();
    assert!(text.starts_with(&format!("capnp://insecure@{}/", service.path("socket").display())), "{text}");
    local(async {
        let asker = Asker::new(&service.capability()).await;
        let asked = request(&[(&repository.0, &repository.1)], "depends: \"ocaml\"");
        assert_eq!(own_packages(&asker.ask(&asked).await), "");
    });
    let public = Running::service(&["--capnp-public-address=tcp:solver.example.org:1234"]);
    let text = public.capability().to_string();
    assert!(text.contains("@solver.example.org:1234/"), "{text}");
}

#[test]
fn a_socket_that_was_left_behind_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let listen = format!("--capnp-listen-address=unix:{}", socket.display());
    let first = Running::service(&[&listen]);
    first.capability();
    drop(first);
    assert!(socket.exists(), "it was killed");
    Running::service(&[&listen]).capability();
    // One that is in use is not taken away.
    let running = Running::service(&[&listen]);
    running.capability();
    let mut second = Running::service(&[&listen]);
    assert!(!second.wait().success());
    until("the reason", || second.log().contains("cannot listen at").then_some(()));
}

/// A stream whose writing fails from some time on, while nothing comes to be read and nothing ends.
struct BreakingStream<S>(S, Rc<Cell<bool>>);

impl<S: AsyncRead + Unpin> AsyncRead for BreakingStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, to)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for BreakingStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.1.get() {
            true => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            false => Pin::new(&mut self.0).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// Keeps the capability of whoever registers.
struct Registered(RefCell<Option<oneshot::Sender<worker::Client>>>);

impl registration::Server for Registered {
    async fn register(
        self: Rc<Self>,
        params: registration::RegisterParams,
        _: registration::RegisterResults,
    ) -> Result<(), capnp::Error> {
        let registered = self.0.borrow_mut().take().unwrap();
        registered.send(params.get()?.get_worker()?).map_err(|_| capnp::Error::failed("nobody waits".to_owned()))
    }
}

/// Never answers.
struct Silent;

impl worker::Server for Silent {
    async fn metrics(self: Rc<Self>, _: worker::MetricsParams, _: worker::MetricsResults) -> Result<(), capnp::Error> {
        std::future::pending().await
    }
}

#[test]
fn whoever_waits_for_a_peer_is_told_that_it_is_gone_also_if_only_writing_fails() {
    local(async {
        let limits = Limits { connections: 10, bytes: 1 << 20, time: Duration::from_secs(60) };
        let account = Peers::new(limits, Arc::new(Metrics::new())).account("peer");
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let (registered, worker) = oneshot::channel();
        let service: registration::Client = capnp_rpc::new_client(Registered(RefCell::new(Some(registered))));
        let is_broken = Rc::new(Cell::new(false));
        let stream = BreakingStream(ours, Rc::clone(&is_broken));
        let serving = spawn_local(serve_one(stream, b"id".to_vec(), service.client, account));
        let connected: Connected<registration::Client> = attach(theirs, b"id");
        let mut call = connected.service.register_request();
        call.get().set_worker(capnp_rpc::new_client(Silent));
        call.send().promise.await.unwrap();
        let worker = worker.await.unwrap();
        let waiting = worker.metrics_request().send().promise;
        tokio::task::yield_now().await;
        is_broken.set(true);
        let other = worker.metrics_request().send().promise;
        serving.await.unwrap();
        for call in [waiting, other] {
            let Err(error) = call.await else { panic!("it was answered") };
            assert_eq!(error.kind, capnp::ErrorKind::Disconnected, "{error}");
        }
    });
}
