//! A worker process: started with nothing but a socket, watched, and, if need be, killed.

use crate::worker::frames::{self, FromWorker, ToWorker};
use futures::StreamExt;
use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{Child, Command};
use tokio_util::codec::{FramedRead, LengthDelimitedCodec};

/// How to start a worker.
#[derive(Clone, Debug)]
pub struct Start {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// How long a new worker may take until it is ready.
const READY: Duration = Duration::from_secs(30);
/// How many of the last lines that a worker wrote are kept, to say why it died.
const LINES: usize = 8;

/// A running worker.
pub(super) struct Process {
    child: Child,
    reader: FramedRead<OwnedReadHalf, LengthDelimitedCodec>,
    writer: OwnedWriteHalf,
    said: Arc<Mutex<VecDeque<String>>>,
}

impl Process {
    /// Starts a worker and waits until it is ready.
    pub(super) async fn start(start: &Start) -> io::Result<Self> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        let mut command = Command::new(&start.program);
        command.args(&start.arguments).arg0("caravan").env_clear().current_dir("/").kill_on_drop(true);
        // Memory counts when it is used, not when the allocator sets it aside.
        command.env("MIMALLOC_ARENA_EAGER_COMMIT", "0");
        // Everything else that is open here closes itself when another program is started.
        command.stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        // The command keeps its end of the socket until it is dropped.
        drop(command);
        let said = Arc::new(Mutex::new(VecDeque::new()));
        if let (Some(errors), Some(pid)) = (child.stderr.take(), child.id()) {
            let said = Arc::clone(&said);
            tokio::spawn(async move {
                let mut lines = BufReader::new(errors).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    tracing::warn!(worker = pid, "{line}");
                    let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
                    said.push_back(line);
                    if said.len() > LINES {
                        said.pop_front();
                    }
                }
            });
        }
        ours.set_nonblocking(true)?;
        let (reader, writer) = UnixStream::from_std(ours)?.into_split();
        let codec = LengthDelimitedCodec::builder().little_endian().max_frame_length(frames::MAX_FRAME).new_codec();
        let mut process = Self { child, reader: FramedRead::new(reader, codec), writer, said };
        match tokio::time::timeout(READY, process.receive()).await {
            Ok(Ok(Some(FromWorker::Ready))) => Ok(process),
            Ok(Err(error)) => Err(error),
            Ok(Ok(_)) => Err(io::Error::other(process.died().await)),
            Err(_) => Err(io::Error::other("it does not answer")),
        }
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    pub(super) async fn send(&mut self, message: &ToWorker) -> io::Result<()> {
        self.writer.write_all(&frames::encode(message)?).await
    }

    /// The next message; `None` when the worker is gone. May be dropped without losing one.
    pub(super) async fn receive(&mut self) -> io::Result<Option<FromWorker>> {
        match self.reader.next().await {
            None => Ok(None),
            Some(Ok(bytes)) => frames::decode(&bytes).map(Some),
            Some(Err(error)) => Err(error),
        }
    }

    /// Ends it at once, if it has not ended; says how it ended.
    pub(super) async fn kill(&mut self) -> Death {
        let _ = self.child.start_kill();
        Death::new(self.child.wait().await.ok(), self.last_words())
    }

    /// Waits for a worker whose socket is closed, but not for ever.
    pub(super) async fn died(&mut self) -> Death {
        match tokio::time::timeout(Duration::from_secs(1), self.child.wait()).await {
            Ok(status) => {
                // What it said last may still be on its way.
                tokio::time::sleep(Duration::from_millis(10)).await;
                Death::new(status.ok(), self.last_words())
            }
            Err(_) => self.kill().await,
        }
    }

    /// Asks it to end, and waits.
    pub(super) async fn end(self) {
        let Self { mut child, reader, writer, .. } = self;
        drop((reader, writer));
        if tokio::time::timeout(Duration::from_secs(2), child.wait()).await.is_err() {
            let _ = child.kill().await;
        }
    }

    fn last_words(&self) -> String {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        // A panic's or an allocator's message is the first line of several.
        let telling = said.iter().find(|line| line.contains("memory allocation") || line.contains("overflowed"));
        telling.or(said.back()).cloned().unwrap_or_default()
    }
}

/// How a worker ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Death {
    words: String,
    /// Nobody else's doing, as far as one can tell.
    pub(super) own_fault: bool,
}

impl std::fmt::Display for Death {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words)
    }
}

impl From<Death> for Box<dyn std::error::Error + Send + Sync> {
    fn from(death: Death) -> Self {
        death.words.into()
    }
}

impl Death {
    fn new(status: Option<ExitStatus>, said: String) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let how = match status {
            None => "it was lost".to_owned(),
            Some(status) => match (status.signal(), status.code()) {
                (Some(signal), _) => format!("signal {signal}"),
                (None, Some(code)) => format!("exit code {code}"),
                (None, None) => "it was lost".to_owned(),
            },
        };
        let signal = status.and_then(|status| status.signal());
        let words = if said.is_empty() { how } else { format!("{how}: {said}") };
        // SIGKILL and SIGTERM come from outside: an operator, or a machine without memory.
        Self { words, own_fault: !matches!(signal, Some(9 | 15)) }
    }
}
