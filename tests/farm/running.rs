//! Services that run for a test, and how to talk to them.

use caravan::protocols::solver_service::{OpamText, SolveRequest, Vars};
use caravan_farm::generated::solver_capnp::{log, solver};
use caravan_farm::vat::{Connected, Identity, SturdyRef, connect};
use caravan_tests::git::{COMPILERS, Repository, opam};
use caravan_tests::pigeon_packages;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::cell::RefCell;
use std::future::Future;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Runs something on one thread, as everything of Cap'n Proto must, for two minutes at most.
pub(crate) fn local<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let limited = async { tokio::time::timeout(Duration::from_secs(120), future).await.expect("within two minutes") };
    tokio::task::LocalSet::new().block_on(&runtime, limited)
}

/// Waits until something is so.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(25), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The program, away from this machine's settings.
pub(crate) fn caravan(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_caravan"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", home);
    // Puzzles take as long as a test wants them to.
    command.env("CARAVAN_STEP_LIMIT", "1000000000000");
    // An own group, so that nothing of it is left whatever happens.
    command.process_group(0);
    command
}

/// A service that ends with the test.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) home: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(-(self.child.id() as i32)), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

impl Running {
    /// Starts something; its log goes to a file.
    pub(crate) fn start(arguments: impl FnOnce(&Path) -> Vec<String>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = caravan(home.path());
        command.args(arguments(home.path())).arg(format!("--cache-dir={}", home.path().join("cache").display()));
        let log = fs_err::File::create(home.path().join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.into_parts().0);
        Self { child: command.spawn().unwrap(), home }
    }

    /// `solver-service run-service` at a socket.
    pub(crate) fn service(more: &[&str]) -> Self {
        Self::start(|home| {
            let mut arguments: Vec<String> = vec!["solver-service".into(), "run-service".into()];
            let listen = format!("--capnp-listen-address=unix:{}", home.join("socket").display());
            if !more.iter().any(|argument| argument.starts_with("--capnp-listen-address")) {
                arguments.push(listen);
            }
            arguments.push(format!("--cap-file={}", home.join("cap").display()));
            arguments.push("--allow-scheme=file".into());
            arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
            arguments
        })
    }

    /// A service that another program starts, with its cache in a folder; `None`, with a word, where that program
    /// may not do what it has to.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    pub(crate) fn inside(outer: &[&str], cache: &Path, arguments: &[&str]) -> Option<Self> {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(outer[0]);
        command.args(&outer[1..]).arg(env!("CARGO_BIN_EXE_caravan")).args(arguments).process_group(0);
        command.arg(format!("--cache-dir={}", cache.display()));
        command.arg(format!("--capnp-listen-address=unix:{}", home.path().join("socket").display()));
        command.arg(format!("--cap-file={}", home.path().join("cap").display()));
        let log = fs_err::File::create(home.path().join("log")).unwrap();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.into_parts().0).spawn().ok()?;
        let mut running = Self { child, home };
        let ended = until("a service or its end", || {
            let ended = running.child.try_wait().unwrap();
            (ended.is_some() || running.path("cap").exists()).then_some(ended)
        });
        if ended.is_some() {
            eprintln!("skipped: {} cannot be run here: {}", outer[0], running.log().trim());
            return None;
        }
        Some(running)
    }

    /// `serve` at some port of this machine; with it comes the address.
    pub(crate) fn serve(more: &[&str]) -> (Self, String) {
        let running = Self::start(|_| {
            let mut arguments: Vec<String> =
                ["serve", "--listen=127.0.0.1:0", "--allow-scheme=file"].map(str::to_owned).to_vec();
            arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
            arguments
        });
        let address = running.http();
        (running, address)
    }

    /// The address of the HTTP server.
    pub(crate) fn http(&self) -> String {
        until("the address of the HTTP server", || {
            let log = self.log();
            let rest = log.split("answering HTTP at http://").nth(1)?;
            let end = rest.find(|c: char| !c.is_ascii_digit() && !".:".contains(c))?;
            Some(rest[..end].to_owned())
        })
    }

    pub(crate) fn path(&self, part: &str) -> PathBuf {
        self.home.path().join(part)
    }

    pub(crate) fn log(&self) -> String {
        let mut text = String::new();
        fs_err::File::open(self.path("log")).unwrap().read_to_string(&mut text).unwrap();
        // Without colours.
        text.replace('\u{1b}', "")
    }

    /// The capability that it wrote.
    pub(crate) fn capability(&self) -> SturdyRef {
        until("the capability file", || {
            let text = fs_err::read_to_string(self.path("cap")).ok()?;
            text.ends_with('\n').then(|| text.parse().unwrap())
        })
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        until("the end of the service", || self.child.try_wait().unwrap())
    }

    /// The processes of its workers.
    pub(crate) fn workers(&self) -> Vec<i32> {
        // A child belongs to the thread that started it.
        let tasks = fs_err::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let children = |task: std::io::Result<fs_err::DirEntry>| {
            fs_err::read_to_string(task.unwrap().path().join("children")).unwrap_or_default()
        };
        let text: String = tasks.map(children).collect();
        let mut workers: Vec<i32> = text.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
        workers.retain(|pid| {
            let line = fs_err::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0).nth(1) == Some(b"worker")
        });
        workers
    }
}

/// A client's log.
#[derive(Clone, Default)]
pub(crate) struct Log(pub(crate) Rc<RefCell<String>>);

impl log::Server for Log {
    async fn write(
        self: capnp::capability::Rc<Self>,
        params: log::WriteParams,
        _: log::WriteResults,
    ) -> Result<(), capnp::Error> {
        let text = params.get()?.get_msg()?.to_string()?;
        self.0.borrow_mut().push_str(&text);
        Ok(())
    }
}

/// A connected client.
pub(crate) struct Asker {
    pub(crate) connected: Connected<solver::Client>,
    pub(crate) log: Log,
}

impl Asker {
    pub(crate) async fn new(to: &SturdyRef) -> Self {
        let identity = Identity::ephemeral().unwrap();
        Self { connected: connect(to, &identity).await.unwrap(), log: Log::default() }
    }

    /// The answer, or the exception's words.
    pub(crate) async fn raw(&self, request: &[u8]) -> Result<Value, String> {
        let mut call = self.connected.service.solve_request();
        call.get().set_request(capnp::text::Reader(request));
        call.get().set_log(capnp_rpc::new_client(self.log.clone()));
        let answer = call.send().promise.await.map_err(|error| error.extra)?;
        let text = answer.get().unwrap().get_response().unwrap();
        Ok(serde_json::from_slice(text.as_bytes()).unwrap())
    }

    pub(crate) async fn ask(&self, request: &SolveRequest) -> Value {
        self.raw(&serde_json::to_vec(request).unwrap()).await.unwrap()
    }
}

pub(crate) fn vars(ocaml: &str) -> Vars {
    let text = |text: &str| text.to_owned();
    Vars {
        arch: text("x86_64"),
        os: text("linux"),
        os_family: text("debian"),
        os_distribution: text("debian"),
        os_version: text("13"),
        ocaml_package: text("ocaml-base-compiler"),
        ocaml_version: text(ocaml),
        opam_version: text("2.1.3"),
        lower_bound: false,
    }
}

/// A repository's URL: its path.
pub(crate) fn url(repository: &Repository) -> String {
    repository.path().display().to_string()
}

/// A request for one root, `app.dev`, on OCaml 5.0.
pub(crate) fn request(repositories: &[(&Repository, &str)], root: &str) -> SolveRequest {
    let commits = repositories.iter().map(|(repository, commit)| (url(repository), (*commit).to_owned()));
    SolveRequest {
        opam_repository_commits: commits.collect(),
        root_pkgs: vec![("app.dev".to_owned(), OpamText(opam(root).into_bytes()))],
        pinned_pkgs: vec![],
        platforms: vec![("five".to_owned(), vars("5.0.0"))],
    }
}

/// The packages of the only selection, without the compiler's and the root.
pub(crate) fn own_packages(answer: &Value) -> String {
    assert_eq!(answer[0], "Ok", "{answer}");
    let selections = answer[1].as_array().unwrap();
    let [selection] = selections.as_slice() else { panic!("{answer}") };
    let names = selection["packages"].as_array().unwrap().iter().map(|package| package.as_str().unwrap());
    let own = |package: &&str| !package.starts_with("ocaml") && !package.starts_with("app.");
    names.filter(own).collect::<Vec<_>>().join(" ")
}

/// A repository with a question, `flock`, that takes minutes.
pub(crate) fn puzzle() -> (Repository, String) {
    let repository = Repository::new();
    repository.commit(&COMPILERS);
    let packages = pigeon_packages(24);
    let packages: Vec<(&str, &str)> = packages.iter().map(|(name, body)| (name.as_str(), body.as_str())).collect();
    let commit = repository.commit(&packages);
    (repository, commit)
}
