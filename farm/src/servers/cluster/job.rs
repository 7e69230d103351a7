//! A job as the scheduler sees it: its log, its result, a way to cancel it.

use crate::generated::ocluster_capnp::job;
use capnp::Error;
use capnp::capability::Rc;
use std::cell::RefCell;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The most that one answer to `log` has.
const CHUNK: usize = 10_240;

/// A job, for those who do it and those who look.
pub(super) struct JobState {
    log: RefCell<Vec<u8>>,
    result: RefCell<Option<Result<Vec<u8>, String>>>,
    /// There is more of the log, or a result.
    changed: Notify,
    cancel: CancellationToken,
}

impl JobState {
    pub(super) fn new(worker: &str) -> Rc<Self> {
        Rc::new(Self {
            log: RefCell::new(format!("Building on {worker}\n").into_bytes()),
            result: RefCell::default(),
            changed: Notify::new(),
            cancel: CancellationToken::new(),
        })
    }

    pub(super) fn write(&self, text: &[u8]) {
        self.log.borrow_mut().extend_from_slice(text);
        self.changed.notify_waiters();
    }

    /// Returns when nobody wants the result any more.
    pub(super) async fn cancelled(&self) {
        self.cancel.cancelled().await;
    }

    pub(super) fn finish(&self, result: Result<Vec<u8>, String>) {
        let last = match &result {
            Ok(_) => "Job succeeded\n".to_owned(),
            Err(error) => format!("Job failed: {error}\n"),
        };
        self.log.borrow_mut().extend_from_slice(last.as_bytes());
        *self.result.borrow_mut() = Some(result);
        self.changed.notify_waiters();
    }
}

/// The job's capability. When the scheduler lets go of it, the job is cancelled.
pub(super) struct JobServer(Rc<JobState>);

impl JobServer {
    pub(super) fn new(state: Rc<JobState>) -> Self {
        Self(state)
    }
}

impl Drop for JobServer {
    fn drop(&mut self) {
        self.0.cancel.cancel();
    }
}

impl job::Server for JobServer {
    async fn log(self: Rc<Self>, params: job::LogParams, mut results: job::LogResults) -> Result<(), Error> {
        let state = Rc::clone(&self.0);
        // Whoever holds this would not see that the scheduler let go.
        drop(self);
        let wanted = params.get()?.get_start();
        let mut start = None;
        loop {
            let changed = state.changed.notified();
            {
                let log = state.log.borrow();
                let from = *start.get_or_insert_with(|| match usize::try_from(wanted) {
                    Ok(start) => start,
                    // From the end.
                    Err(_) => log.len().saturating_sub(wanted.unsigned_abs() as usize),
                });
                let rest = log.get(from..).unwrap_or_default();
                let ended = state.result.borrow().is_some();
                if !rest.is_empty() || ended {
                    let chunk = &rest[..rest.len().min(CHUNK)];
                    results.get().set_log(chunk);
                    results.get().set_next((from + chunk.len()) as i64);
                    return Ok(());
                }
            }
            changed.await;
        }
    }

    async fn result(self: Rc<Self>, _: job::ResultParams, mut results: job::ResultResults) -> Result<(), Error> {
        let state = Rc::clone(&self.0);
        drop(self);
        loop {
            let changed = state.changed.notified();
            match &*state.result.borrow() {
                Some(Ok(output)) => {
                    results.get().set_output(capnp::text::Reader(output));
                    return Ok(());
                }
                Some(Err(error)) => return Err(Error::failed(error.clone())),
                None => {}
            }
            changed.await;
        }
    }

    async fn cancel(self: Rc<Self>, _: job::CancelParams, _: job::CancelResults) -> Result<(), Error> {
        self.0.cancel.cancel();
        Ok(())
    }
}
