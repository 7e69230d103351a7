//! What a service and its workers say to each other over a socket: a length (`u32`, little-endian) and a value in
//! postcard's encoding, again and again. Questions, answers and errors are JSON within that.

use caravan::Error;
use caravan::key::Key;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::io::{self, Read, Write};
use std::path::PathBuf;

/// A longer frame is noise.
pub const MAX_FRAME: usize = 512 << 20;

/// How a question names a repository.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RepositoryLabel {
    /// By its URL.
    Url(String),
    /// By the folder of a clone.
    Folder(String),
}

/// A commit in a clone on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CommitInClone {
    /// The folder of the clone.
    pub folder: PathBuf,
    /// The commit's id.
    pub commit: String,
}

/// A repository at a commit, in a clone that has the commit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ClonedRepository {
    /// How questions name it.
    pub label: RepositoryLabel,
    /// Where it is.
    pub at: CommitInClone,
}

/// From the service.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToWorker {
    /// Something to do. The next one comes when this one is done.
    Job(Job),
    /// Nobody waits for the answer any more.
    Cancel,
    /// The reply to [`FromWorker::Recall`].
    Recalled(Option<ByteBuf>),
}

/// Something to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// The repositories that it needs.
    pub repositories: Vec<ClonedRepository>,
    /// What to do with them.
    pub work: Work,
    /// After how many milliseconds to give up.
    pub limit_ms: u64,
}

/// What to do with repositories.
#[derive(Clone, Debug, Hash, Serialize, Deserialize)]
pub enum Work {
    /// Make their indexes, so that opening them is cheap for all workers.
    MakeIndexes,
    /// Answer a [`caravan::Question`], which is JSON.
    Answer(ByteBuf),
}

/// From a worker.
#[derive(Debug, Serialize, Deserialize)]
pub enum FromWorker {
    /// It can take jobs.
    Ready,
    /// A line of the job's log.
    Log(String),
    /// Is anything kept for this key? The worker waits for [`ToWorker::Recalled`].
    Recall(Key),
    /// The job is done.
    Done(Box<Done>),
}

/// How a job ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct Done {
    /// Its answer, or why there is none.
    pub result: JobResult,
    /// What to keep for whoever asks for these keys.
    pub remember: Vec<(Key, ByteBuf)>,
    /// The commits that the worker has open now.
    pub open: Vec<CommitInClone>,
    /// What it cost.
    pub cost: Cost,
}

/// What comes of a job.
#[derive(Debug, Serialize, Deserialize)]
pub enum JobResult {
    /// The indexes are there.
    IndexesMade,
    /// A [`caravan::Answer`].
    Answer {
        /// It, as JSON.
        json: ByteBuf,
        /// Whether it may be kept and given again ([`caravan::Answer::can_be_kept`]).
        can_be_kept: bool,
    },
    /// There is no answer.
    Error(#[serde(with = "as_json")] Error),
}

/// What a job cost.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Cost {
    /// How long the solve for each platform took, in seconds.
    pub solves: Vec<f64>,
    /// How many package versions were looked at.
    pub explored: u64,
}

/// Values that leave out members cannot be read back from postcard; they are JSON within it.
mod as_json {
    use serde::de::{DeserializeOwned, Error as _};
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::to_string(value).map_err(S::Error::custom)?.serialize(serializer)
    }

    pub(super) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        serde_json::from_str(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use caravan::ErrorKind;

    #[test]
    fn errors_survive_a_frame() {
        for error in [
            Error::new(ErrorKind::Deadline, "late"),
            Error::unknown_package("lub", &["lib".to_owned()]),
            Error::broken_file("lib.1", "1 | depends: ["),
        ] {
            let done =
                Done { result: JobResult::Error(error.clone()), remember: vec![], open: vec![], cost: Cost::default() };
            let read: Done = read(&mut &encode(&done).unwrap()[..]).unwrap().unwrap();
            assert!(matches!(read.result, JobResult::Error(read) if read == error));
        }
    }
}
