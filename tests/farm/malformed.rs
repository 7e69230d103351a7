//! Ten thousand requests that are none: each gets an error or the end of its connection, and nothing else suffers.

use crate::http::said;
use crate::running::{Asker, Running, local, own_packages, request};
use caravan_tests::git::{COMPILERS, Repository};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 as usize % limit.max(1)
    }

    /// The same with a few bytes changed, left out, doubled, or with another end.
    fn damaged(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let place = self.below(bytes.len());
            match self.below(6) {
                0 => bytes.truncate(place),
                1 if !bytes.is_empty() => drop(bytes.remove(place)),
                2 => bytes.insert(place.min(bytes.len()), self.below(256) as u8),
                3 if !bytes.is_empty() => bytes[place] ^= 1 << self.below(8),
                4 if !bytes.is_empty() => bytes[place] = b"{}[]\",:\\0"[self.below(9)],
                _ if !bytes.is_empty() => bytes[place] = self.below(256) as u8,
                _ => {}
            }
        }
        bytes
    }
}

/// `Bootstrap` with an id.
pub(crate) fn bootstrap(id: &[u8], question: u32) -> Vec<u8> {
    use capnp_rpc::rpc_capnp::message;
    let mut bytes = Vec::new();
    let mut bootstrap = capnp::message::Builder::new_default();
    {
        let message: message::Builder<'_> = bootstrap.init_root();
        let mut bootstrap = message.init_bootstrap();
        bootstrap.set_question_id(question);
        let object = bootstrap.init_deprecated_object_id();
        let text = object.initn_as::<capnp::text::Builder<'_>>(id.len() as u32);
        text.as_bytes_mut().copy_from_slice(id);
    }
    capnp::serialize::write_message(&mut bytes, &bootstrap).unwrap();
    bytes
}

/// What a client sends first: `Bootstrap`, and a call on its answer.
fn conversation(id: &[u8], request: &[u8]) -> Vec<u8> {
    use capnp_rpc::rpc_capnp::message;
    let mut bytes = bootstrap(id, 0);
    let mut call = capnp::message::Builder::new_default();
    {
        let message: message::Builder<'_> = call.init_root();
        let mut call = message.init_call();
        call.set_question_id(1);
        call.set_interface_id(0xfcdf_63bc_07ba_da87);
        call.set_method_id(0);
        call.reborrow().init_target().init_promised_answer().set_question_id(0);
        let mut payload = call.init_params();
        payload.reborrow().init_cap_table(1).get(0).set_sender_hosted(0);
        let content = payload.get_content();
        let mut parameters: caravan_farm::generated::solver_capnp::solver::solve_params::Builder<'_> =
            content.init_as();
        parameters.set_request(capnp::text::Reader(request));
    }
    capnp::serialize::write_message(&mut bytes, &call).unwrap();
    bytes
}

#[test]
fn ten_thousand_malformed_requests() {
    let repository = Repository::new();
    let commit = repository.commit(&COMPILERS);
    let good = request(&[(&repository, &commit)], "depends: \"ocaml\"");
    let text = serde_json::to_vec(&good).unwrap();
    let service = Running::service(&["--capnp-disable-tls", "--workers=2", "--http=127.0.0.1:0"]);
    let capability = service.capability();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    local(async {
        assert_eq!(own_packages(&Asker::new(&capability).await.ask(&good).await), "");
    });
    let workers = service.workers();
    // Bytes that are no messages, or messages of another kind.
    let conversation = conversation(&capability.id, &text);
    for _ in 0..3000 {
        let mut stream = UnixStream::connect(service.path("socket")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let bytes = random.damaged(&conversation);
        // It may hang up before it heard everything.
        let _ = stream.write_all(&bytes).and_then(|()| stream.shutdown(Shutdown::Write));
        let mut answer = Vec::new();
        let ended = stream.read_to_end(&mut answer);
        assert!(ended.is_ok() || ended.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset));
    }
    // JSON that is none, or of another shape, over one connection.
    local(async {
        let asker = Asker::new(&capability).await;
        for _ in 0..4000 {
            // Whatever it is, it is answered; most with an exception, some with an error, a few are still good.
            let answer = asker.raw(&random.damaged(&text)).await;
            match answer {
                Ok(answer) => assert!(answer[0] == "Ok" || answer[0] == "Error", "{answer}"),
                Err(error) => {
                    assert!(error.contains("Bad JSON in request: ") || error.contains("Internal error"), "{error}")
                }
            }
        }
    });
    // HTTP.
    let address = service.http();
    let head = format!(
        "POST /v1/solver-service HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        text.len()
    );
    let whole = [head.as_bytes(), &text].concat();
    for turn in 0..3000 {
        // The head alone is damaged as often as the whole.
        let bytes = match turn % 2 {
            0 => [random.damaged(head.as_bytes()), text.clone()].concat(),
            _ => random.damaged(&whole),
        };
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let _ = stream.write_all(&bytes).and_then(|()| stream.shutdown(Shutdown::Write));
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."), "{}", String::from_utf8_lossy(&answer));
    }
    // It is as well as before.
    local(async {
        assert_eq!(own_packages(&Asker::new(&capability).await.ask(&good).await), "");
    });
    assert_eq!(said(&address, "GET", "/readyz", &[], b"").status, 200);
    assert_eq!(service.workers(), workers, "no worker had to be started again");
    assert!(!service.log().contains("panicked"), "{}", service.log());
}
