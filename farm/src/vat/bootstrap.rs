//! Service ids in `Bootstrap` messages. capnp-rpc neither looks at them nor sends them, so its network is wrapped:
//! a server answers those that ask for something else itself, and a client writes its id into what it sends.

use super::metered::Meter;
use capnp::capability::Promise;
use capnp::message::{Builder, HeapAllocator};
use capnp::{Error, any_pointer};
use capnp_rpc::rpc_capnp::message::{self, Which};
use capnp_rpc::rpc_capnp::{message_target, promised_answer};
use capnp_rpc::rpc_twoparty_capnp::Side;
use capnp_rpc::{Connection, FlowController, IncomingMessage, OutgoingMessage, VatNetwork};
use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

/// OCaml's words.
const UNKNOWN: &str = "Unknown persistent service ID";

/// What is done about ids.
#[derive(Clone)]
pub(super) enum Ids {
    /// Only this one is served; those who ask for it are known from then on.
    Serve(Rc<Vec<u8>>, Rc<Meter>),
    /// This one is asked for.
    Ask(Rc<Vec<u8>>),
}

/// A network in which ids count.
pub(super) struct NetworkWithIds<N> {
    pub(super) inner: N,
    pub(super) ids: Ids,
}

impl<N: VatNetwork<Side>> VatNetwork<Side> for NetworkWithIds<N> {
    fn connect(&mut self, host: Side) -> Option<Box<dyn Connection<Side>>> {
        let inner = self.inner.connect(host)?;
        Some(Box::new(ConnectionWithIds::new(inner, self.ids.clone())))
    }

    fn accept(&mut self) -> Promise<Box<dyn Connection<Side>>, Error> {
        let (inner, ids) = (self.inner.accept(), self.ids.clone());
        Promise::from_future(async move {
            Ok(Box::new(ConnectionWithIds::new(inner.await?, ids)) as Box<dyn Connection<Side>>)
        })
    }

    fn drive_until_shutdown(&mut self) -> Promise<(), Error> {
        self.inner.drive_until_shutdown()
    }
}

struct ConnectionWithIds {
    inner: Rc<RefCell<Box<dyn Connection<Side>>>>,
    ids: Ids,
    /// Questions that were answered here.
    refused: Rc<RefCell<HashSet<u32>>>,
}

impl ConnectionWithIds {
    fn new(inner: Box<dyn Connection<Side>>, ids: Ids) -> Self {
        Self { inner: Rc::new(RefCell::new(inner)), ids, refused: Rc::default() }
    }
}

impl Connection<Side> for ConnectionWithIds {
    fn get_peer_vat_id(&self) -> Side {
        self.inner.borrow().get_peer_vat_id()
    }

    fn new_outgoing_message(&mut self, words: u32) -> Box<dyn OutgoingMessage> {
        let inner = self.inner.borrow_mut().new_outgoing_message(words);
        match &self.ids {
            Ids::Ask(id) if !id.is_empty() => Box::new(MessageWithId { inner, id: Rc::clone(id) }),
            _ => inner,
        }
    }

    fn receive_incoming_message(&mut self) -> Promise<Option<Box<dyn IncomingMessage>>, Error> {
        let Ids::Serve(id, meter) = &self.ids else { return self.inner.borrow_mut().receive_incoming_message() };
        let (inner, id, refused) = (Rc::clone(&self.inner), Rc::clone(id), Rc::clone(&self.refused));
        let meter = Rc::clone(meter);
        Promise::from_future(async move {
            loop {
                let next = inner.borrow_mut().receive_incoming_message();
                let Some(message) = next.await? else { return Ok(None) };
                match refusal(&*message, &id, &mut refused.borrow_mut())? {
                    None => {
                        meter.asked(&*message)?;
                        return Ok(Some(message));
                    }
                    Some(Refusal::Silent) => {}
                    Some(Refusal::Answer(question)) => refuse(&inner, question)?,
                }
            }
        })
    }

    fn new_stream(&mut self) -> (Box<dyn FlowController>, Promise<(), Error>) {
        self.inner.borrow_mut().new_stream()
    }

    fn shutdown(&mut self, result: capnp::Result<()>) -> Promise<(), Error> {
        self.inner.borrow_mut().shutdown(result)
    }
}

/// What is done about a message that is not for the service.
enum Refusal {
    /// The question gets an exception.
    Answer(u32),
    /// Nothing is said.
    Silent,
}

/// Whether a message asks for another service, or belongs to a question that did.
fn refusal(message: &dyn IncomingMessage, id: &[u8], refused: &mut HashSet<u32>) -> capnp::Result<Option<Refusal>> {
    let message: message::Reader<'_> = message.get_body()?.get_as()?;
    Ok(match message.which() {
        Ok(Which::Bootstrap(bootstrap)) => {
            let bootstrap = bootstrap?;
            let asked = object_id(bootstrap.get_deprecated_object_id())?;
            (asked != id).then(|| {
                refused.insert(bootstrap.get_question_id());
                Refusal::Answer(bootstrap.get_question_id())
            })
        }
        // A call on the answer, before it is known.
        Ok(Which::Call(call)) => {
            let call = call?;
            let on_refused = match call.get_target()?.which() {
                Ok(message_target::Which::PromisedAnswer(answer)) => is_refused(answer?, refused),
                _ => false,
            };
            on_refused.then(|| {
                refused.insert(call.get_question_id());
                Refusal::Answer(call.get_question_id())
            })
        }
        Ok(Which::Finish(finish)) => refused.remove(&finish?.get_question_id()).then_some(Refusal::Silent),
        _ => None,
    })
}

fn is_refused(answer: promised_answer::Reader<'_>, refused: &HashSet<u32>) -> bool {
    refused.contains(&answer.get_question_id())
}

/// An id is a text, perhaps not UTF-8; no id is the empty one.
fn object_id(pointer: any_pointer::Reader<'_>) -> capnp::Result<&[u8]> {
    if pointer.is_null() {
        return Ok(&[]);
    }
    let text: capnp::text::Reader<'_> = pointer.get_as()?;
    Ok(text.as_bytes())
}

fn refuse(inner: &Rc<RefCell<Box<dyn Connection<Side>>>>, question: u32) -> capnp::Result<()> {
    let mut message = inner.borrow_mut().new_outgoing_message(32);
    {
        let body: message::Builder<'_> = message.get_body()?.init_as();
        let mut answer = body.init_return();
        answer.set_answer_id(question);
        answer.set_release_param_caps(false);
        answer.init_exception().set_reason(UNKNOWN);
    }
    // It is sent whether or not somebody waits for that.
    drop(message.send());
    Ok(())
}

/// A message into which the id is written if it is a `Bootstrap`.
struct MessageWithId {
    inner: Box<dyn OutgoingMessage>,
    id: Rc<Vec<u8>>,
}

impl OutgoingMessage for MessageWithId {
    fn get_body(&mut self) -> capnp::Result<any_pointer::Builder<'_>> {
        self.inner.get_body()
    }

    fn get_body_as_reader(&self) -> capnp::Result<any_pointer::Reader<'_>> {
        self.inner.get_body_as_reader()
    }

    fn send(mut self: Box<Self>) -> (Promise<(), Error>, Rc<Builder<HeapAllocator>>) {
        if let Err(error) = write_id(&mut *self.inner, &self.id) {
            // Without it the server refuses, which says more than stopping here.
            tracing::error!("the id of a service cannot be written: {error}");
        }
        self.inner.send()
    }

    fn take(self: Box<Self>) -> Builder<HeapAllocator> {
        self.inner.take()
    }

    fn size_in_words(&self) -> usize {
        self.inner.size_in_words()
    }
}

fn write_id(message: &mut dyn OutgoingMessage, id: &[u8]) -> capnp::Result<()> {
    let body: message::Builder<'_> = message.get_body()?.get_as()?;
    if let Ok(message::Which::Bootstrap(bootstrap)) = body.which() {
        let pointer = bootstrap?.init_deprecated_object_id();
        let text = pointer.initn_as::<capnp::text::Builder<'_>>(u32::try_from(id.len()).unwrap_or(u32::MAX));
        text.as_bytes_mut().copy_from_slice(id);
    }
    Ok(())
}
