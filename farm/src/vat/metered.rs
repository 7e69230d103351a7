//! What a client's connection may take: a limit on the bytes of its messages, on what waits to be read by it, and on the
//! questions that it has not finished. capnp-rpc has none of these, so its network is wrapped, and messages are read
//! here.

use crate::peers::{Account, AdmittedConnection, Busy, Charge};
use capnp::capability::Promise;
use capnp::message::{self, HeapAllocator, ReaderOptions};
use capnp::serialize::{OwnedSegments, SegmentLengthsBuilder, compute_serialized_size_in_words};
use capnp::{Error, any_pointer};
use capnp_rpc::rpc_capnp::message::Which;
use capnp_rpc::rpc_twoparty_capnp::Side;
use capnp_rpc::{Connection, FlowController, IncomingMessage, OutgoingMessage, VatNetwork};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::Notify;

/// A message may have that many words; a request of every opam file that there is would have fewer.
pub(super) const MAX_WORDS: usize = 16 << 20;
/// A message may have that many words as long as its sender did not name the service's id.
const MAX_WORDS_OF_UNKNOWN: usize = 8 << 10;
/// A message of so many words is read also where there is no room: it may be the one that makes some.
const ALWAYS_READ: usize = 512;
/// A message has fewer segments.
const SEGMENTS: usize = 512;
/// Beyond that many bytes which the client has not read, nothing more is read from it.
const UNREAD: usize = 1 << 20;
/// What a message that waits takes beside its bytes.
const UNREAD_EACH: usize = 1 << 10;
/// So many questions may be unfinished.
const QUESTIONS: usize = 10_000;
/// The same as long as the client did not name the service's id.
const QUESTIONS_OF_UNKNOWN: usize = 64;

/// What one connection takes.
pub(super) struct Meter {
    account: Account,
    /// `None`: it is the only one, and its peer started this service; or it has ended.
    connection: RefCell<Option<AdmittedConnection>>,
    /// The client named the service's id.
    known: Cell<bool>,
    unread: Unread,
    /// Writing failed.
    broken: Notify,
    questions: RefCell<HashMap<u32, Question>>,
}

/// What waits to be read by the client.
#[derive(Default)]
struct Unread {
    /// The lengths of messages that are not written as a whole.
    messages: RefCell<VecDeque<usize>>,
    /// What they take.
    bytes: Cell<usize>,
    /// How much of the first is written.
    written: Cell<usize>,
    /// A message was written.
    changed: Notify,
}

impl Unread {
    fn add(&self, bytes: usize) {
        self.messages.borrow_mut().push_back(bytes);
        self.bytes.set(self.bytes.get() + bytes + UNREAD_EACH);
    }

    fn wrote(&self, bytes: usize) {
        let mut written = self.written.get() + bytes;
        let mut messages = self.messages.borrow_mut();
        while let Some(first) = messages.front().copied().filter(|first| *first <= written) {
            written -= first;
            messages.pop_front();
            self.bytes.set(self.bytes.get().saturating_sub(first + UNREAD_EACH));
            self.changed.notify_waiters();
        }
        self.written.set(written);
    }

    /// Waits until the client has read most of it.
    async fn are_few(&self) {
        loop {
            let changed = self.changed.notified();
            if self.bytes.get() <= UNREAD {
                return;
            }
            changed.await;
        }
    }
}

/// A question that the client has not finished: its answer is kept as long.
struct Question {
    answer: Charge,
    /// Until it is answered.
    busy: Option<Busy>,
}

impl Meter {
    pub(super) fn new(account: Account, connection: Option<AdmittedConnection>) -> Rc<Self> {
        Rc::new(Self {
            account,
            connection: RefCell::new(connection),
            known: Cell::default(),
            unread: Unread::default(),
            broken: Notify::new(),
            questions: RefCell::default(),
        })
    }

    /// Looks at a message that is for the service: if it asks for it, the client named its id.
    pub(super) fn asked(&self, message: &dyn IncomingMessage) -> capnp::Result<()> {
        if self.known.get() {
            return Ok(());
        }
        let body: capnp_rpc::rpc_capnp::message::Reader<'_> = message.get_body()?.get_as()?;
        if matches!(body.which(), Ok(Which::Bootstrap(_))) {
            self.known.set(true);
            if let Some(connection) = &*self.connection.borrow() {
                connection.is_known();
            }
        }
        Ok(())
    }

    /// Returns when the connection is to end: nothing can be written to it any more, it makes way for another one, or
    /// nobody asked for the service in time.
    pub(super) async fn ends(&self) {
        tokio::select! {
            () = self.broken.notified() => {}
            () = self.is_unwanted() => {}
        }
    }

    async fn is_unwanted(&self) {
        let connection = self.connection.borrow().clone();
        let Some(connection) = connection else { return std::future::pending().await };
        tokio::select! {
            () = connection.told_to_end() => return,
            () = tokio::time::sleep(self.account.time()) => {}
        }
        if self.known.get() {
            connection.told_to_end().await;
        }
    }

    /// Gives back what the connection took, whoever still knows of it.
    fn end(&self) {
        self.connection.borrow_mut().take();
        self.questions.borrow_mut().clear();
    }

    /// capnp-rpc waits for the end of what is read, whatever becomes of what is written.
    fn noticed<T>(&self, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if matches!(written, Poll::Ready(Err(_))) {
            self.broken.notify_one();
        }
        written
    }

    /// Notes what a message begins or ends.
    fn received(&self, message: &Message) -> capnp::Result<()> {
        let body: capnp_rpc::rpc_capnp::message::Reader<'_> = message.get_body()?.get_as()?;
        let (question, is_call) = match body.which() {
            Ok(Which::Bootstrap(bootstrap)) => (bootstrap?.get_question_id(), false),
            Ok(Which::Call(call)) => (call?.get_question_id(), true),
            Ok(Which::Finish(finish)) => {
                self.questions.borrow_mut().remove(&finish?.get_question_id());
                return Ok(());
            }
            _ => return Ok(()),
        };
        let limit = if self.known.get() { QUESTIONS } else { QUESTIONS_OF_UNKNOWN };
        let mut questions = self.questions.borrow_mut();
        if questions.len() >= limit {
            return Err(Error::failed(format!("the client has {limit} questions that it does not finish")));
        }
        let busy = self.connection.borrow().as_ref().filter(|_| is_call).and_then(AdmittedConnection::begin);
        questions.insert(question, Question { answer: self.account.nothing(), busy });
        Ok(())
    }

    /// Notes a message that waits to be written.
    fn sent(&self, bytes: usize, answers: Option<u32>) {
        self.unread.add(bytes);
        let mut questions = self.questions.borrow_mut();
        if let Some(question) = answers.and_then(|id| questions.get_mut(&id)) {
            question.answer.set(bytes);
            question.busy = None;
        }
    }
}

/// A connection that is served; with it ends what it takes.
pub(super) struct MeteredUse(pub(super) Rc<Meter>);

impl Drop for MeteredUse {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// A message with what it is charged for.
struct Message {
    message: message::Reader<OwnedSegments>,
    _charge: Charge,
}

impl IncomingMessage for Message {
    fn get_body(&self) -> capnp::Result<any_pointer::Reader<'_>> {
        self.message.get_root()
    }
}

fn late(limit: Duration) -> Error {
    Error::failed(format!("the client did not send its message within {} s", limit.as_secs_f64()))
}

/// Reads a message; `None` at the end. One that was begun has to be there in time.
async fn read(reader: &mut (impl AsyncRead + Unpin), meter: &Meter) -> capnp::Result<Option<Message>> {
    meter.unread.are_few().await;
    let mut head = [0; 8];
    let begun = reader.read(&mut head).await?;
    if begun == 0 {
        return Ok(None);
    }
    let limit = meter.account.time();
    let table = async {
        reader.read_exact(&mut head[begun..]).await?;
        read_table(head, reader).await
    };
    let table = tokio::time::timeout(limit, table).await.map_err(|_| late(limit))??;
    let words = table.total_words();
    let most = match meter.known.get() {
        true => MAX_WORDS.min(meter.account.limit() / 8),
        false => MAX_WORDS_OF_UNKNOWN,
    };
    if words > most {
        return Err(Error::failed(format!("the client's message has {words} words, and may have {most}")));
    }
    let charge = if words <= ALWAYS_READ {
        let mut charge = meter.account.nothing();
        charge.set(words * 8);
        charge
    } else {
        let charge = meter.account.wait_for(words * 8, limit).await;
        charge.ok_or_else(|| Error::failed("there is no room for the client's message".to_owned()))?
    };
    let mut segments = table.into_owned_segments();
    tokio::time::timeout(limit, reader.read_exact(&mut segments[..])).await.map_err(|_| late(limit))??;
    let mut options = ReaderOptions::new();
    options.traversal_limit_in_words(Some(MAX_WORDS));
    Ok(Some(Message { message: message::Reader::new(segments, options), _charge: charge }))
}

/// Reads the lengths of a message's segments, which begin with `head`.
async fn read_table(head: [u8; 8], reader: &mut (impl AsyncRead + Unpin)) -> capnp::Result<SegmentLengthsBuilder> {
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
    let (count, first) = head.split_at(4);
    let count = number(count) + 1;
    if count >= SEGMENTS {
        return Err(Error::failed(format!("the client's message has {count} segments")));
    }
    let mut table = SegmentLengthsBuilder::with_capacity(count);
    table.try_push_segment(number(first))?;
    // The table is filled up to a whole word.
    let mut rest = vec![0; (count & !1) * 4];
    reader.read_exact(&mut rest).await?;
    for length in rest.chunks(4).take(count - 1) {
        table.try_push_segment(number(length))?;
    }
    Ok(table)
}

/// Where messages come from. Whoever reads one has it meanwhile: capnp-rpc may keep a connection whose system is gone,
/// and the socket has to be closed all the same.
type Reader<R> = Rc<RefCell<Option<R>>>;

/// A network whose messages are read here.
pub(super) struct MeteredNetwork<N, R> {
    pub(super) inner: N,
    pub(super) reader: Reader<R>,
    pub(super) meter: Rc<Meter>,
}

impl<N: VatNetwork<Side>, R: AsyncRead + Unpin + 'static> MeteredNetwork<N, R> {
    fn connection(&self, inner: Box<dyn Connection<Side>>) -> Box<dyn Connection<Side>> {
        Box::new(MeteredConnection { inner, reader: Rc::clone(&self.reader), meter: Rc::clone(&self.meter) })
    }
}

impl<N: VatNetwork<Side>, R: AsyncRead + Unpin + 'static> VatNetwork<Side> for MeteredNetwork<N, R> {
    fn connect(&mut self, host: Side) -> Option<Box<dyn Connection<Side>>> {
        let inner = self.inner.connect(host)?;
        Some(self.connection(inner))
    }

    fn accept(&mut self) -> Promise<Box<dyn Connection<Side>>, Error> {
        let inner = self.inner.accept();
        let (reader, meter) = (Rc::clone(&self.reader), Rc::clone(&self.meter));
        Promise::from_future(async move {
            let inner = inner.await?;
            Ok(Box::new(MeteredConnection { inner, reader, meter }) as Box<dyn Connection<Side>>)
        })
    }

    fn drive_until_shutdown(&mut self) -> Promise<(), Error> {
        self.inner.drive_until_shutdown()
    }
}

struct MeteredConnection<R> {
    inner: Box<dyn Connection<Side>>,
    reader: Reader<R>,
    meter: Rc<Meter>,
}

impl<R: AsyncRead + Unpin + 'static> Connection<Side> for MeteredConnection<R> {
    fn get_peer_vat_id(&self) -> Side {
        self.inner.get_peer_vat_id()
    }

    fn new_outgoing_message(&mut self, words: u32) -> Box<dyn OutgoingMessage> {
        let inner = self.inner.new_outgoing_message(words);
        Box::new(MeteredMessage { inner, meter: Rc::clone(&self.meter) })
    }

    fn receive_incoming_message(&mut self) -> Promise<Option<Box<dyn IncomingMessage>>, Error> {
        let (reader, meter) = (Rc::clone(&self.reader), Rc::clone(&self.meter));
        Promise::from_future(async move {
            let taken = reader.borrow_mut().take();
            let mut taken = taken.ok_or_else(|| Error::failed("two messages are read at once".to_owned()))?;
            let read = read(&mut taken, &meter).await;
            *reader.borrow_mut() = Some(taken);
            let Some(message) = read? else { return Ok(None) };
            meter.received(&message)?;
            Ok(Some(Box::new(message) as Box<dyn IncomingMessage>))
        })
    }

    fn new_stream(&mut self) -> (Box<dyn FlowController>, Promise<(), Error>) {
        self.inner.new_stream()
    }

    fn shutdown(&mut self, result: capnp::Result<()>) -> Promise<(), Error> {
        self.inner.shutdown(result)
    }
}

struct MeteredMessage {
    inner: Box<dyn OutgoingMessage>,
    meter: Rc<Meter>,
}

impl MeteredMessage {
    /// The question that it answers.
    fn answers(&self) -> capnp::Result<Option<u32>> {
        let body: capnp_rpc::rpc_capnp::message::Reader<'_> = self.inner.get_body_as_reader()?.get_as()?;
        Ok(match body.which() {
            Ok(Which::Return(answer)) => Some(answer?.get_answer_id()),
            _ => None,
        })
    }
}

impl OutgoingMessage for MeteredMessage {
    fn get_body(&mut self) -> capnp::Result<any_pointer::Builder<'_>> {
        self.inner.get_body()
    }

    fn get_body_as_reader(&self) -> capnp::Result<any_pointer::Reader<'_>> {
        self.inner.get_body_as_reader()
    }

    fn send(self: Box<Self>) -> (Promise<(), Error>, Rc<message::Builder<HeapAllocator>>) {
        let answers = self.answers().ok().flatten();
        let Self { inner, meter } = *self;
        let (promise, message) = inner.send();
        meter.sent(compute_serialized_size_in_words(&message) * 8, answers);
        (promise, message)
    }

    fn take(self: Box<Self>) -> message::Builder<HeapAllocator> {
        self.inner.take()
    }

    fn size_in_words(&self) -> usize {
        self.inner.size_in_words()
    }
}

/// Counts what is written.
pub(super) struct MeteredWrites<W> {
    pub(super) inner: W,
    pub(super) meter: Rc<Meter>,
}

impl<W: AsyncWrite + Unpin> AsyncWrite for MeteredWrites<W> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        let written = ready!(self.meter.noticed(written))?;
        self.meter.unread.wrote(written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(context);
        self.meter.noticed(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
