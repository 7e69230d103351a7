//! What the service and its workers say to each other over a socket: a length (`u32`, little-endian) and a
//! value in postcard's encoding, again and again.

use crate::digest::Key;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::io::{self, Read, Write};
use std::path::PathBuf;

/// More than this is no frame but noise.
pub const MAX_FRAME: usize = 512 << 20;

/// A repository at a commit, in a clone that has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StateName {
    /// Its URL, as clients write it.
    pub url: String,
    /// The clone.
    pub clone: PathBuf,
    /// The commit's id.
    pub commit: String,
}

/// From the service.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToWorker {
    /// Something to do. The next one comes when this one is done.
    Job(Job),
    /// Nobody waits for the answer any more.
    Cancel,
    /// The answer to [`FromWorker::Recall`].
    Recalled(Option<ByteBuf>),
}

/// Something to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// The states that it needs, in the question's order.
    pub states: Vec<StateName>,
    /// What to do with them.
    pub question: Question,
    /// After how many milliseconds to give up.
    pub limit_ms: u64,
}

/// What to do with states.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Question {
    /// Make their indexes, so that opening them is cheap for everybody.
    Prepare,
    /// A request of solver-service, in JSON.
    SolverService(ByteBuf),
    /// A request of ocaml-docs-ci, in JSON.
    DocsCi(ByteBuf),
    /// A request of mirage-ci, in JSON.
    MirageCi(ByteBuf),
    /// A task of our own, in JSON.
    Caravan(ByteBuf),
}

/// From a worker.
#[derive(Debug, Serialize, Deserialize)]
pub enum FromWorker {
    /// It can take jobs.
    Ready,
    /// A line of the job's log.
    Log(String),
    /// Is an answer known for this? The worker waits for [`ToWorker::Recalled`].
    Recall(Key),
    /// The job is done.
    Done(Box<Done>),
}

/// How a job ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct Done {
    /// The answer, in JSON, or why there is none.
    pub answer: Result<ByteBuf, Failure>,
    /// What to keep for whoever asks for this key.
    pub remember: Option<(Key, ByteBuf)>,
    /// The states that the worker holds now.
    pub holds: Vec<StateName>,
    /// What it cost.
    pub cost: Cost,
}

/// What a job cost.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Cost {
    /// How long each solve took, in seconds.
    pub solves: Vec<f64>,
    /// How many package versions were looked at.
    pub explored: u64,
}

/// Why a job has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// It was cancelled.
    Cancelled,
    /// It took too long.
    Deadline,
    /// The question is wrong.
    Question(String),
    /// A repository cannot be read.
    Repository(String),
}

/// A value with its length before it.
///
/// # Errors
/// When it is too large.
pub fn encode<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    let mut bytes = postcard::to_extend(value, vec![0; 4]).map_err(io::Error::other)?;
    let length = bytes.len() - 4;
    if length > MAX_FRAME {
        return Err(io::Error::other("the message is too large"));
    }
    bytes[..4].copy_from_slice(&(length as u32).to_le_bytes());
    Ok(bytes)
}

/// A value from the bytes after its length.
///
/// # Errors
/// When they are none.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    postcard::from_bytes(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// The length that a frame begins with.
///
/// # Errors
/// When no frame is that long.
pub fn length(head: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_le_bytes(head) as usize;
    if length > MAX_FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the message is too large"));
    }
    Ok(length)
}

/// Writes a frame.
///
/// # Errors
/// When it cannot be written.
pub fn write<T: Serialize>(to: &mut impl Write, value: &T) -> io::Result<()> {
    to.write_all(&encode(value)?)?;
    to.flush()
}

/// Reads a frame; `None` at the end.
///
/// # Errors
/// When it cannot be read, or is none.
pub fn read<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut head = [0; 4];
    match from.read_exact(&mut head) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let mut bytes = vec![0; length(head)?];
    from.read_exact(&mut bytes)?;
    decode(&bytes).map(Some)
}
