//! Running git, within limits, and to the end of all that it started.

use super::directory;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

/// How often the size of a clone is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long git may take to tidy up when it is to end.
const TIDY: Duration = Duration::from_millis(500);
/// How long what it started is waited for.
const DYING: Duration = Duration::from_millis(50);
/// How many of the last lines that git wrote are kept, and how long each may be, in bytes.
const LINES: usize = 20;
const LINE: usize = 4000;

/// Variables that would lead git to another repository than the one that it is given.
const ELSEWHERE: [&str; 7] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
];

/// How git ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// It did what it was asked for.
    Done,
    /// The host says that the repository is elsewhere.
    Redirected(String),
    /// It failed; what it said, and how it ended.
    Failed(String),
    /// It was ended because it took too long.
    TooLong,
    /// It was ended because what it fetched became too large.
    TooLarge,
    /// It was ended because nobody waits for it any more.
    Stopped,
}

/// What git may use.
pub(super) struct Limits<'l> {
    /// How long it may take.
    pub(super) time: Duration,
    /// The directory that grows.
    pub(super) growing: &'l Path,
    /// How large that may become, in bytes.
    pub(super) size: u64,
}

/// git, with what holds for every fetch. `schemes`: those that it may use, with `:` between them.
pub(super) fn command(schemes: &str, time: Duration) -> Command {
    let mut command = Command::new("git");
    for name in ELSEWHERE {
        command.env_remove(name);
    }
    command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_ALLOW_PROTOCOL", schemes);
    // A redirection is followed here, after a look at where it leads: the headers of answers say so.
    command.env("GIT_TRACE_CURL", "2").env("GIT_TRACE_CURL_NO_DATA", "1").args(["-c", "http.followRedirects=false"]);
    // Nothing is fetched from addresses that the host names in passing.
    command.args(["-c", "transfer.bundleURI=false", "-c", "fetch.uriProtocols="]);
    // Whatever is fetched is one pack, with as few files as possible to be left behind.
    command.args(["-c", "gc.auto=0", "-c", "fetch.unpackLimit=1"]);
    // Should this process be killed, git ends by itself when nothing comes any more.
    command.args(["-c", "http.lowSpeedLimit=1", "-c", &format!("http.lowSpeedTime={}", time.as_secs() + 1)]);
    command
}

/// Whether git knows `http.curloptResolve`, as it does since 2.37. Others connect wherever the host is by then.
pub(super) async fn can_pin() -> bool {
    let output = Command::new("git").arg("--version").stdin(Stdio::null()).kill_on_drop(true).output().await;
    output.is_ok_and(|output| knows_pinning(&String::from_utf8_lossy(&output.stdout)))
}

/// `git version 2.47.3`
fn knows_pinning(version: &str) -> bool {
    let mut numbers = version.split([' ', '.']).filter_map(|word| word.trim().parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(2), Some(37))
}

/// Runs git until it ends, or has to be ended.
///
/// # Errors
/// When it cannot be run.
pub(super) async fn run(mut command: Command, limits: Limits<'_>, stop: &CancellationToken) -> io::Result<Ended> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.process_group(0).spawn()?;
    let errors = child.stderr.take();
    let mut group = Group::new(&child);
    let ended = tokio::select! {
        biased;
        () = stop.cancelled() => Ended::Stopped,
        () = tokio::time::sleep(limits.time) => Ended::TooLong,
        () = grown(&limits) => Ended::TooLarge,
        ended = finish(&mut child, errors) => ended?,
    };
    let ended = match ended {
        // It may have been faster than the looks at its size.
        Ended::Done if is_too_large(&limits).await => Ended::TooLarge,
        ended => ended,
    };
    match ended {
        Ended::Done => group.0 = None,
        _ => group.end(&mut child).await,
    }
    Ok(ended)
}

async fn finish(child: &mut Child, errors: Option<impl AsyncRead + Unpin>) -> io::Result<Ended> {
    let said = match errors {
        Some(errors) => Said::read(errors).await,
        None => Said::default(),
    };
    let status = child.wait().await?;
    Ok(match said.location {
        _ if status.success() => Ended::Done,
        Some(location) if said.redirects => Ended::Redirected(location),
        _ => {
            let fatal = said.lines.iter().rev().find(|line| line.starts_with("fatal:")).or(said.lines.back());
            let words = fatal.map_or("git said nothing", |line| line.trim_start_matches("fatal: "));
            Ended::Failed(format!("{words} ({status})"))
        }
    })
}

async fn is_too_large(limits: &Limits<'_>) -> bool {
    let path = limits.growing.to_owned();
    let size = tokio::task::spawn_blocking(move || directory::size(&path)).await;
    size.is_ok_and(|size| size > limits.size)
}

async fn grown(limits: &Limits<'_>) {
    while !is_too_large(limits).await {
        tokio::time::sleep(LOOK).await;
    }
}

/// git and all that it started, as long as they are not known to have ended.
struct Group(Option<Pid>);

impl Group {
    /// The child leads its group.
    fn new(child: &Child) -> Self {
        Self(child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)))
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // It may have ended.
            let _ = kill_process_group(group, signal);
        }
    }

    async fn is_gone(&self) {
        while self.0.is_some_and(|group| test_kill_process_group(group).is_ok()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Ends all of it: first so that git removes its locks, then at once.
    async fn end(&mut self, child: &mut Child) {
        self.signal(Signal::TERM);
        let _ = tokio::time::timeout(TIDY, child.wait()).await;
        self.signal(Signal::KILL);
        let _ = child.wait().await;
        // What the others were writing is about to be removed. Where nobody asks how they ended, they stay.
        let _ = tokio::time::timeout(DYING, self.is_gone()).await;
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// What git wrote.
#[derive(Default)]
struct Said {
    lines: VecDeque<String>,
    /// Whether the last answer of a host was a redirection, and where to.
    redirects: bool,
    location: Option<String>,
}

impl Said {
    /// Reads all of it, and keeps little: a host may send as much as it likes.
    async fn read(errors: impl AsyncRead + Unpin) -> Self {
        let (mut said, mut line) = (Self::default(), Vec::new());
        let mut errors = BufReader::new(errors);
        loop {
            match errors.read_u8().await {
                Ok(b'\n') => said.add(&std::mem::take(&mut line)),
                Ok(byte) if line.len() < LINE => line.push(byte),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        said.add(&line);
        said
    }

    fn add(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end();
        // `02:38:48.500089 http.c:872              <= Recv header: HTTP/1.1 302 Found`
        if line.split(' ').nth(1).is_some_and(|place| place.starts_with("http.c:")) {
            if let Some((_, header)) = line.split_once("<= Recv header: ") {
                self.add_header(header);
            }
            return;
        }
        if line.is_empty() {
            return;
        }
        self.lines.push_back(line.to_owned());
        if self.lines.len() > LINES {
            self.lines.pop_front();
        }
    }

    fn add_header(&mut self, header: &str) {
        if let Some(status) = header.strip_prefix("HTTP/").and_then(|rest| rest.split(' ').nth(1)) {
            self.redirects = ["301", "302", "303", "307", "308"].contains(&status);
            self.location = None;
        } else if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("location")
        {
            self.location = Some(value.trim().to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_git() {
        for (version, knows) in [
            ("git version 2.47.3\n", true),
            ("git version 2.37\n", true),
            ("git version 3.0.0", true),
            ("git version 2.50.1 (Apple Git-155)", true),
            ("git version 2.36.9", false),
            ("git version 1.99.0", false),
            ("", false),
        ] {
            assert_eq!(knows_pinning(version), knows, "{version}");
        }
    }

    #[tokio::test]
    async fn the_last_redirection_counts() {
        let said = |text: &'static str| Said::read(text.as_bytes());
        let redirected = said(
            "02:38:48.498885 http.c:872              => Send header: Accept: */*\n\
             02:38:48.500089 http.c:872              <= Recv header: HTTP/2 301 \n\
             02:38:48.500121 http.c:872              <= Recv header: location: https://example.org/x\n\
             fatal: unable to access\n",
        );
        let redirected = redirected.await;
        assert!(redirected.redirects);
        assert_eq!(redirected.location.as_deref(), Some("https://example.org/x"));
        assert_eq!(redirected.lines, ["fatal: unable to access"]);
        let answered = said(
            "02:38:48.500089 http.c:872              <= Recv header: HTTP/1.1 302 Found\n\
             02:38:48.500121 http.c:872              <= Recv header: Location: /x\n\
             02:38:48.500189 http.c:872              <= Recv header: HTTP/1.1 404 Not Found\n\
             remote: 02:38:48.500121 http.c:872              <= Recv header: Location: /y\n",
        );
        let answered = answered.await;
        assert!(!answered.redirects && answered.location.is_none());
        assert_eq!(answered.lines.len(), 1);
    }
}
