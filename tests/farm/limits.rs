//! Peers that take without giving: connections over which nothing is asked, requests that do not end, answers that
//! nobody reads.

use crate::faults::weight;
use crate::http::{JSON, said};
use crate::malformed::bootstrap;
use crate::running::{Asker, Running, local, own_packages, request, until};
use caravan_tests::git::{COMPILERS, Repository};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

fn repository() -> (Repository, String) {
    let repository = Repository::new();
    let commit = repository.commit(&COMPILERS);
    (repository, commit)
}

/// The body of a question that is answered.
fn body(repository: &(Repository, String)) -> Vec<u8> {
    serde_json::to_vec(&request(&[(&repository.0, &repository.1)], "depends: \"ocaml\"")).unwrap()
}

fn head(length: usize) -> String {
    format!(
        "POST /v1/solver-service HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n"
    )
}

/// The status of an answer to bytes, from another address of this machine.
fn from_another_address(address: &str, bytes: &[u8]) -> String {
    let mut socket = local(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        socket.connect(address.parse().unwrap()).await.unwrap().into_std().unwrap()
    });
    socket.set_nonblocking(false).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket.write_all(bytes).unwrap();
    let mut answer = vec![0; 4096];
    let length = socket.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..length]).lines().next().unwrap_or_default().to_owned()
}

fn metric(address: &str, name: &str) -> usize {
    let text = said(address, "GET", "/metrics", &[], b"").body;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name}: {text}")).parse().unwrap()
}

/// Whether the other end closed it, or said the last it had to say.
fn ended(stream: &mut (impl Read + ?Sized)) -> Option<String> {
    let mut said = Vec::new();
    loop {
        let mut bytes = [0; 4096];
        match stream.read(&mut bytes) {
            Ok(0) => return Some(String::from_utf8_lossy(&said).into_owned()),
            Ok(length) => said.extend_from_slice(&bytes[..length]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Some(String::new()),
            Err(_) => return None,
        }
    }
}

#[test]
fn idle_connections_lock_nobody_out() {
    let repository = repository();
    let folder = tempfile::tempdir().unwrap();
    let service = Running::inside(
        &["sh", "-c", "ulimit -n 64; exec \"$@\"", "sh"],
        folder.path(),
        &[
            "solver-service",
            "run-service",
            "--capnp-disable-tls",
            "--allow-scheme=file",
            "--workers=2",
            "--http=127.0.0.1:0",
        ],
    );
    let service = service.unwrap();
    let address = service.http();
    let capability = service.capability();
    let mut idle: Vec<TcpStream> = Vec::new();
    for number in 0..200 {
        let mut stream = TcpStream::connect(&address).unwrap();
        if number % 2 == 0 {
            let _ = stream.write_all(b"POST /v1/solver-service HTTP/1.1\r\nHost: loc");
        }
        idle.push(stream);
    }
    let answer = said(&address, "POST", "/v1/solver-service", &[JSON], &body(&repository));
    assert_eq!((answer.status, own_packages(&answer.json()).as_str()), (200, ""));
    let sockets: Vec<UnixStream> = (0..200).map(|_| UnixStream::connect(service.path("socket")).unwrap()).collect();
    local(async {
        let asker = Asker::new(&capability).await;
        let asked = request(&[(&repository.0, &repository.1)], "depends: \"ocaml\"");
        assert_eq!(own_packages(&asker.ask(&asked).await), "");
    });
    assert_eq!(said(&address, "GET", "/readyz", &[], b"").status, 200);
    let (descriptors, _) = weight(service.child.id());
    assert!(descriptors < 64, "{descriptors} descriptors");
    drop((idle, sockets));
    until("the end of the connections", || (metric(&address, "caravan_connections") <= 2).then_some(()));
    until("closed sockets", || (weight(service.child.id()).0 < descriptors.min(40)).then_some(()));
}

#[test]
fn unfinished_bodies_take_a_share_and_no_more() {
    let repository = repository();
    let (service, address) = Running::serve(&["--workers=1", "--in-flight=64", "--max-request=16"]);
    let good = body(&repository);
    assert_eq!(said(&address, "POST", "/v1/solver-service", &[JSON], &good).status, 200);
    let (_, before) = weight(service.child.id());
    let mut unfinished = vec![b' '; 15 << 20];
    unfinished[0] = b'{';
    let mut refused = 0;
    let mut held = Vec::new();
    for _ in 0..30 {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let sent = stream.write_all(head(16 << 20).as_bytes()).and_then(|()| stream.write_all(&unfinished));
        if sent.is_err() || ended(&mut stream).is_some_and(|said| said.contains("503") || said.is_empty()) {
            refused += 1;
        } else {
            held.push(stream);
        }
    }
    assert!(refused >= 26, "{refused} of 30 were refused");
    let (_, full) = weight(service.child.id());
    assert!(full < before + (96 << 10), "{before} KiB became {full}");
    let whole = [head(good.len()).as_bytes(), &good].concat();
    let status = from_another_address(&address, &whole);
    assert!(status.starts_with("HTTP/1.1 200"), "another peer has room: {status}");
    drop(held);
    until("the bytes back", || (metric(&address, "caravan_in_flight_bytes") == 0).then_some(()));
    assert_eq!(said(&address, "POST", "/v1/solver-service", &[JSON], &good).status, 200);
    until("the memory back", || (weight(service.child.id()).1 < before + (24 << 10)).then_some(()));
}

#[test]
fn http_connections_that_say_nothing_end() {
    let (_service, address) = Running::serve(&["--workers=1", "--peer-limit=1"]);
    let began = Instant::now();
    let body = head(100);
    for (sent, said) in [("", ""), ("GET /healthz HTTP/1.1\r\nHost: loc", ""), (body.as_str(), "408 Request Timeout")] {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(sent.as_bytes()).unwrap();
        let answer = ended(&mut stream).unwrap_or_else(|| panic!("{sent:?} is still open"));
        assert!(answer.contains(said), "{sent:?}: {answer}");
    }
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn an_answer_that_nobody_reads_is_given_up() {
    let (_service, address) = Running::serve(&["--workers=1", "--peer-limit=1"]);
    let mut stream = TcpStream::connect(&address).unwrap();
    // The document, again and again: more than all buffers between here and there hold.
    let ask = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1000);
    stream.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let _ = stream.write_all(&ask);
    until("the end of the connection", || (metric(&address, "caravan_connections") == 1).then_some(()));
}

#[test]
fn unread_answers_hold_up_only_whoever_does_not_read_them() {
    let repository = repository();
    let service = Running::service(&["--capnp-disable-tls", "--workers=1", "--peer-limit=2", "--http=127.0.0.1:0"]);
    let capability = service.capability();
    let address = service.http();
    let (_, before) = weight(service.child.id());
    for id in [capability.id.clone(), b"wrong".to_vec()] {
        let mut stream = UnixStream::connect(service.path("socket")).unwrap();
        stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
        let mut sent = 0;
        for question in 0.. {
            match stream.write_all(&bootstrap(&id, question)) {
                Ok(()) => sent += 1,
                Err(_) => break,
            }
            assert!(sent < 200_000, "it takes whatever comes");
        }
        let (_, full) = weight(service.child.id());
        assert!(full < before + (24 << 10), "{before} KiB became {full} after {sent} questions");
        local(async {
            let asker = Asker::new(&capability).await;
            let asked = request(&[(&repository.0, &repository.1)], "depends: \"ocaml\"");
            assert_eq!(own_packages(&asker.ask(&asked).await), "");
        });
        until("the end of the connection", || (metric(&address, "caravan_connections") <= 1).then_some(()));
        drop(stream);
    }
}

#[test]
fn half_messages_take_a_share_and_not_for_ever() {
    let repository = repository();
    let more = [
        "--capnp-disable-tls",
        "--workers=1",
        "--peer-limit=3",
        "--in-flight=64",
        "--max-request=16",
        "--http=127.0.0.1:0",
    ];
    let service = Running::service(&more);
    let capability = service.capability();
    let address = service.http();
    let (_, before) = weight(service.child.id());
    let connect = |first: &[u8], words: u32| {
        let mut stream = UnixStream::connect(service.path("socket")).unwrap();
        stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let half = [first, &0_u32.to_le_bytes(), &words.to_le_bytes(), &vec![1; words as usize * 4]].concat();
        let _ = stream.write_all(&half);
        stream
    };
    // Who did not say what they want may not send much.
    assert!(ended(&mut connect(b"", 1 << 20)).is_some());
    // More than a peer may have at all.
    assert!(ended(&mut connect(&bootstrap(&capability.id, 0), 7 << 20)).is_some());
    let known: Vec<UnixStream> = (0..20).map(|_| connect(&bootstrap(&capability.id, 0), 2 << 20)).collect();
    let (_, full) = weight(service.child.id());
    assert!(full < before + (72 << 10), "{before} KiB became {full}");
    for mut stream in known {
        assert!(ended(&mut stream).is_some(), "it waits for the rest for ever");
    }
    until("the bytes back", || (metric(&address, "caravan_in_flight_bytes") == 0).then_some(()));
    local(async {
        let asker = Asker::new(&capability).await;
        let asked = request(&[(&repository.0, &repository.1)], "depends: \"ocaml\"");
        assert_eq!(own_packages(&asker.ask(&asked).await), "");
    });
}

#[test]
fn whoever_asks_for_nothing_goes_and_whoever_asked_stays() {
    let repository = repository();
    let service = Running::service(&["--capnp-disable-tls", "--workers=1", "--peer-limit=1"]);
    let capability = service.capability();
    let mut silent = UnixStream::connect(service.path("socket")).unwrap();
    silent.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    local(async {
        let asker = Asker::new(&capability).await;
        let asked = request(&[(&repository.0, &repository.1)], "depends: \"ocaml\"");
        assert_eq!(own_packages(&asker.ask(&asked).await), "");
        assert!(ended(&mut silent).is_some());
        tokio::time::sleep(Duration::from_secs(2)).await;
        // A client may keep its connection for days.
        assert_eq!(own_packages(&asker.ask(&asked).await), "");
    });
}

#[test]
fn questions_that_are_never_finished_end_the_connection() {
    let service = Running::service(&["--capnp-disable-tls", "--workers=1"]);
    let capability = service.capability();
    let mut stream = UnixStream::connect(service.path("socket")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut reader = stream.try_clone().unwrap();
    // Answers are read, and still no question is finished.
    let reading = std::thread::spawn(move || ended(&mut reader));
    let mut asked = 0;
    for question in 0..1_000_000 {
        if stream.write_all(&bootstrap(&capability.id, question)).is_err() {
            break;
        }
        asked += 1;
    }
    assert!((10_000..500_000).contains(&asked), "{asked}");
    assert!(reading.join().unwrap().is_some());
}

#[test]
fn a_limit_for_requests_that_nobody_could_keep_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let mut command = crate::running::caravan(home.path());
    let output = command.args(["serve", "--listen=127.0.0.1:0", "--in-flight=32"]).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && words.contains("`--max-request` is more than"), "{words}");
}
