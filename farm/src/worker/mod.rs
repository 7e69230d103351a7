//! A worker: one process, one job at a time. It knows nothing of clients; it reads jobs from a socket, opens the
//! repositories that they need, and answers. Whatever a job does to it, it does to nobody else.
//!
//! ```text
//! socket ── reader (a thread) ──┬─ Job ──────> main thread: repositories ─ caravan::ask ──> Done ── socket
//!                               ├─ Cancel ───> the job's Stop
//!                               └─ Recalled ─> the main thread, which asked
//! ```

mod connection;
pub mod frames;
mod job;
mod repositories;

use caravan::Stop;
use caravan::vocabulary::Cache;
use connection::Connection;
use frames::{FromWorker, Job, ToWorker};
use nix::sys::signal::{SigSet, Signal};
use repositories::OpenRepositories;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How a worker is set up.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Where indexes are.
    pub cache: PathBuf,
    /// How many bytes of memory of its own it may take; beyond that it dies.
    pub memory: u64,
    /// How many bytes the repositories that it has open may take.
    pub repositories: usize,
    /// How many threads it solves on.
    pub threads: usize,
    /// How many steps of search one solve may take.
    pub steps: u64,
}

/// Does the jobs that come over a socket until it is closed.
///
/// # Errors
/// When the socket fails, or the limits cannot be set.
pub fn run(socket: UnixStream, limits: &Limits) -> io::Result<()> {
    // Ctrl-C and whatever ends the service reach its group of processes, and what it has taken is still to be answered.
    // The end of the service ends its workers. Threads that begin from here on do the same.
    [Signal::SIGINT, Signal::SIGTERM].into_iter().collect::<SigSet>().thread_block()?;
    confine(limits)?;
    rayon::ThreadPoolBuilder::new().num_threads(limits.threads.max(1)).build_global().map_err(io::Error::other)?;
    let mut from = io::BufReader::new(socket.try_clone()?);
    let stop: Arc<Mutex<Stop>> = Arc::default();
    let (jobs, next_job) = channel();
    let (recalled, next_recalled) = channel();
    let current = Arc::clone(&stop);
    let steps = limits.steps;
    std::thread::spawn(move || {
        while let Ok(Some(message)) = frames::read(&mut from) {
            let delivered = match message {
                ToWorker::Job(job) => {
                    // Before the main thread sees it, so that a cancellation that comes next finds it.
                    let stop = Stop::new().with_steps(steps).within(Duration::from_millis(job.limit_ms));
                    *current.lock().unwrap_or_else(PoisonError::into_inner) = stop.clone();
                    jobs.send((job, stop)).is_ok()
                }
                ToWorker::Cancel => {
                    current.lock().unwrap_or_else(PoisonError::into_inner).cancel();
                    true
                }
                ToWorker::Recalled(answer) => recalled.send(answer).is_ok(),
            };
            if !delivered {
                break;
            }
        }
        // The service is gone: so is whoever waits for an answer.
        std::process::exit(0);
    });
    let mut repositories = OpenRepositories::new(Cache::new(&limits.cache), limits.repositories);
    let mut connection = Connection::new(socket, next_recalled);
    connection.send(&FromWorker::Ready)?;
    work(&next_job, &mut repositories, &mut connection)
}

fn work(
    jobs: &Receiver<(Job, Stop)>,
    repositories: &mut OpenRepositories,
    connection: &mut Connection,
) -> io::Result<()> {
    while let Ok((job, stop)) = jobs.recv() {
        let done = job::run(&job, repositories, connection, &stop)?;
        connection.send(&FromWorker::Done(Box::new(done)))?;
    }
    Ok(())
}

/// Limits what this process can do to the machine.
fn confine(limits: &Limits) -> io::Result<()> {
    // Should the service die without closing the socket, or this process not look at it.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let lower = |resource, to: u64| {
        let hard = getrlimit(resource).maximum;
        let to = hard.map_or(to, |hard| hard.min(to));
        setrlimit(resource, Rlimit { current: Some(to), maximum: Some(to) })
    };
    // A core file of a worker would hold what clients sent.
    lower(Resource::Core, 0)?;
    if limits.memory > 0 {
        // Memory of its own: mapped indexes and packs are not counted.
        lower(Resource::Data, limits.memory)?;
    }
    Ok(())
}
