//! A scheduler of OCluster's kind, as far as its workers and those who submit to it can tell.

use capnp::Error;
use capnp::capability::Rc;
use caravan_farm::generated::ocluster_capnp::{job, queue, registration, submission, ticket, worker};
use caravan_farm::generated::solver_capnp::solver::solve_params;
use caravan_farm::metrics::Metrics;
use caravan_farm::peers::{Limits, Peers};
use caravan_farm::vat::{Authentication, Caller, Identity, Listener, Location, Served, SturdyRef, serve};
use caravan_tests::workspace;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinHandle, spawn_local};
use tokio_util::sync::CancellationToken;

/// What a worker is to do.
pub(crate) enum Work {
    Custom { kind: String, request: Vec<u8> },
    Docker,
}

/// Work that waits, and whom to tell of the job that does it.
struct Ordered {
    work: Work,
    given: oneshot::Sender<job::Client>,
}

/// A registered worker.
#[derive(Clone)]
pub(crate) struct Registered {
    pub(crate) name: String,
    pub(crate) capacity: i32,
    pub(crate) worker: worker::Client,
    pub(crate) active: Rc<Cell<bool>>,
}

#[derive(Default)]
pub(crate) struct Inner {
    waiting: RefCell<VecDeque<Ordered>>,
    changed: Notify,
    pub(crate) registered: RefCell<Vec<Registered>>,
    /// How many workers wait for work.
    pub(crate) popping: Cell<usize>,
}

impl Inner {
    /// Has some worker do something; the job comes when one takes it.
    pub(crate) fn give(&self, work: Work) -> oneshot::Receiver<job::Client> {
        let (given, job) = oneshot::channel();
        self.waiting.borrow_mut().push_back(Ordered { work, given });
        self.changed.notify_waiters();
        job
    }

    pub(crate) async fn solve(&self, request: &[u8]) -> job::Client {
        self.custom("solve", request).await
    }

    pub(crate) async fn custom(&self, kind: &str, request: &[u8]) -> job::Client {
        self.give(Work::Custom { kind: kind.to_owned(), request: request.to_vec() }).await.unwrap()
    }

    /// Waits until something is so.
    pub(crate) async fn until(&self, what: &str, look: impl Fn(&Self) -> bool) {
        let looking = async {
            while !look(self) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let limit = Duration::from_secs(40);
        assert!(tokio::time::timeout(limit, looking).await.is_ok(), "waited in vain: {what}");
    }
}

/// A scheduler that runs.
pub(crate) struct Scheduler {
    pub(crate) inner: Rc<Inner>,
    pub(crate) registration: SturdyRef,
    pub(crate) submission: SturdyRef,
    stop: CancellationToken,
    serving: Vec<JoinHandle<()>>,
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.stop.cancel();
        self.serving.iter().for_each(JoinHandle::abort);
    }
}

fn identity() -> Identity {
    Identity::load(&workspace().join("tests/fixtures/keys/rsa.pem")).unwrap()
}

impl Scheduler {
    /// Starts one whose sockets are in a folder; later ones in the same folder are reached in the same way.
    pub(crate) async fn start(folder: &Path) -> Self {
        let inner = Rc::new(Inner::default());
        let stop = CancellationToken::new();
        let mut serving = Vec::new();
        let mut door = async |name: &str, make: Box<dyn Fn(Caller) -> capnp::capability::Client>| {
            let identity = identity();
            let location = Location::Unix(folder.join(name));
            let listener = Listener::bind(&location).await.unwrap();
            let id = identity.derived_id(name);
            let authentication = Authentication::Key(identity.fingerprint());
            let reference = SturdyRef { authentication, location, id: id.clone() };
            let stop = stop.clone();
            serving.push(spawn_local(async move {
                let limits = Limits { connections: 100, bytes: 256 << 20, time: Duration::from_secs(60) };
                let peers = Peers::new(limits, Arc::new(Metrics::new()));
                let served = Served { identity: Some(&identity), id: &id, peers: &peers };
                drop(serve(&listener, served, &stop, make).await.unwrap());
            }));
            reference
        };
        let of = Rc::clone(&inner);
        let registration = door(
            "registration",
            Box::new(move |_| capnp_rpc::new_client::<registration::Client, _>(Register(Rc::clone(&of))).client),
        );
        let registration = registration.await;
        let of = Rc::clone(&inner);
        let submission = door(
            "submission",
            Box::new(move |_| capnp_rpc::new_client::<submission::Client, _>(Submit(Rc::clone(&of))).client),
        );
        let submission = submission.await;
        Self { inner, registration, submission, stop, serving }
    }
}

struct Register(Rc<Inner>);

impl registration::Server for Register {
    async fn register(
        self: Rc<Self>,
        params: registration::RegisterParams,
        mut results: registration::RegisterResults,
    ) -> Result<(), Error> {
        let params = params.get()?;
        let name = params.get_name()?.to_string()?;
        let active = Rc::new(Cell::new(true));
        let worker = params.get_worker()?;
        self.0.registered.borrow_mut().push(Registered {
            name,
            capacity: params.get_capacity(),
            worker,
            active: Rc::clone(&active),
        });
        results.get().set_queue(capnp_rpc::new_client(WorkQueue { inner: Rc::clone(&self.0), active }));
        Ok(())
    }
}

struct WorkQueue {
    inner: Rc<Inner>,
    active: Rc<Cell<bool>>,
}

/// Counts those who wait, also if they are cancelled.
struct Popping(Rc<Inner>);

impl Popping {
    fn new(inner: &Rc<Inner>) -> Self {
        inner.popping.set(inner.popping.get() + 1);
        Self(Rc::clone(inner))
    }
}

impl Drop for Popping {
    fn drop(&mut self) {
        self.0.popping.set(self.0.popping.get() - 1);
    }
}

impl queue::Server for WorkQueue {
    async fn pop(self: Rc<Self>, params: queue::PopParams, mut results: queue::PopResults) -> Result<(), Error> {
        let (inner, active) = (Rc::clone(&self.inner), Rc::clone(&self.active));
        let job = params.get()?.get_job()?;
        drop((self, params));
        let _popping = Popping::new(&inner);
        let ordered = loop {
            let changed = inner.changed.notified();
            let next = if active.get() { inner.waiting.borrow_mut().pop_front() } else { None };
            match next {
                // Whoever wanted it may be gone.
                Some(ordered) if ordered.given.is_closed() => {}
                Some(ordered) => break ordered,
                None => changed.await,
            }
        };
        let action = results.get().init_descr().init_action();
        match &ordered.work {
            Work::Custom { kind, request } => {
                let mut custom = action.init_custom();
                custom.set_kind(kind.as_str());
                let mut payload: solve_params::Builder<'_> = custom.init_payload().init_as();
                payload.set_request(capnp::text::Reader(request));
            }
            Work::Docker => drop(action.init_docker_build()),
        }
        let _ = ordered.given.send(job);
        Ok(())
    }

    async fn set_active(
        self: Rc<Self>,
        params: queue::SetActiveParams,
        _: queue::SetActiveResults,
    ) -> Result<(), Error> {
        self.active.set(params.get()?.get_active());
        self.inner.changed.notify_waiters();
        Ok(())
    }
}

struct Submit(Rc<Inner>);

impl submission::Server for Submit {
    async fn submit(
        self: Rc<Self>,
        params: submission::SubmitParams,
        mut results: submission::SubmitResults,
    ) -> Result<(), Error> {
        let params = params.get()?;
        assert_eq!(params.get_pool()?.to_str()?, "solver");
        let action = params.get_descr()?.get_action();
        let Ok(caravan_farm::generated::ocluster_capnp::job_descr::action::Custom(custom)) = action.which() else {
            return Err(Error::failed("not custom".to_owned()));
        };
        let custom = custom?;
        let payload: solve_params::Reader<'_> = custom.get_payload().get_as()?;
        let request = payload.get_request()?.as_bytes().to_vec();
        let job = self.0.give(Work::Custom { kind: custom.get_kind()?.to_string()?, request });
        results.get().set_ticket(capnp_rpc::new_client(JobTicket(RefCell::new(Some(job)))));
        Ok(())
    }
}

struct JobTicket(RefCell<Option<oneshot::Receiver<job::Client>>>);

impl ticket::Server for JobTicket {
    async fn job(self: Rc<Self>, _: ticket::JobParams, mut results: ticket::JobResults) -> Result<(), Error> {
        let job = self.0.borrow_mut().take().ok_or_else(|| Error::failed("asked twice".to_owned()))?;
        drop(self);
        let job = job.await.map_err(|_| Error::failed("nobody does it".to_owned()))?;
        results.get().set_job(job);
        Ok(())
    }
}
