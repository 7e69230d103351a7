//! What all services have in common: settings, signals, sockets, the HTTP server.

use crate::arguments::Global;
use crate::arguments::farm::{self, Farm};
use crate::failure::{Failure, Kind};
use caravan::vocabulary::Cache;
use caravan_farm::clones::{self, PrivateHosts};
use caravan_farm::peers;
use caravan_farm::pool;
use caravan_farm::servers::http;
use caravan_farm::service::{Service, Settings};
use caravan_farm::vat::VatError;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How much longer than its limit a request may take before its worker is killed.
const GRACE: Duration = Duration::from_secs(2);
/// How long answers that were made may take to be written at the end.
const LAST_ANSWERS: Duration = Duration::from_millis(200);
/// How many files a service has open beside those of its peers: what it listens at, logs, fetches.
const OWN_FILES: usize = 28;
/// The same for each worker.
const FILES_OF_WORKER: usize = 4;
/// Also where hardly any file may be open.
const FEWEST_CONNECTIONS: usize = 4;

pub(super) fn system(error: impl std::fmt::Display) -> Failure {
    Failure::new(Kind::System, error.to_string())
}

impl From<VatError> for Failure {
    fn from(error: VatError) -> Self {
        match error {
            VatError::Address(error) => Self::usage(error.to_string()),
            error => system(error),
        }
    }
}

/// The directory of the service's clones.
pub(super) fn directory(global: &Global) -> Result<PathBuf, Failure> {
    let default = || Some(Cache::default_directory()?.join("service"));
    let directory = global.cache_dir.clone().or_else(default).ok_or_else(|| {
        system("there is no place for a cache: this user has no home, and XDG_CACHE_HOME is not set")
            .hint("`--cache-dir DIR` or CARAVAN_CACHE_DIR names one")
    })?;
    std::path::absolute(directory).map_err(system)
}

/// The directory of its indexes: no host's name begins with a dot.
fn indexes(directory: &Path) -> PathBuf {
    directory.join(".caravan")
}

/// What peers may take. Each connection is an open file, of which the system allows so many.
fn peer_limits(farm: &Farm, workers: usize) -> Result<peers::Limits, Failure> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut files = getrlimit(Resource::Nofile);
    files.current = files.maximum;
    // Where that is not allowed, what there is has to do.
    let _ = setrlimit(Resource::Nofile, files);
    let own = OWN_FILES + FILES_OF_WORKER * workers;
    let most = getrlimit(Resource::Nofile).current.and_then(|files| usize::try_from(files).ok());
    let most = most.map_or(usize::MAX, |files| files.saturating_sub(own)).max(FEWEST_CONNECTIONS);
    let connections = farm.connections.max(1).min(most);
    if connections < farm.connections {
        tracing::warn!("there can be {connections} connections at once: no more files may be open (`ulimit -n`)");
    }
    let time = Duration::from_millis(farm.peer_limit);
    let limits = peers::Limits { connections, bytes: farm.in_flight << 20, time };
    if farm.max_request << 20 > limits.bytes_of_one() {
        return Err(Failure::usage("`--max-request` is more than a peer may have of `--in-flight`")
            .hint("a peer may have three quarters of it"));
    }
    Ok(limits)
}

fn settings(global: &Global, farm: &Farm) -> Result<Settings, Failure> {
    let directory = directory(global)?;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = farm.workers.unwrap_or(processors).max(1);
    let threads = (processors / workers).max(1);
    let arguments = [
        "worker".to_owned(),
        format!("--memory-limit={}", farm.memory_limit << 20),
        format!("--states={}", farm.states << 20),
        format!("--step-limit={}", global.step_limit),
        format!("--threads={threads}"),
        format!("--cache-dir={}", indexes(&directory).display()),
    ];
    Ok(Settings {
        pool: pool::Settings {
            start: pool::Start { program: std::env::current_exe().map_err(system)?, arguments: arguments.into() },
            workers,
            queue: farm.queue,
            grace: GRACE,
        },
        clones: clones::Settings {
            directory,
            schemes: farm.schemes.iter().copied().map(scheme).collect(),
            private: private_hosts(&farm.allow_private),
            repositories: farm.max_repositories,
            at_once: farm.fetches,
            queue: farm.fetch_queue,
            limit: Duration::from_millis(farm.fetch_limit),
            size_limit: farm.clone_limit << 20,
        },
        peers: peer_limits(farm, workers)?,
        answer_cache: farm.remember << 20,
        limit: Duration::from_millis(farm.time_limit),
    })
}

fn scheme(scheme: farm::Scheme) -> clones::Scheme {
    match scheme {
        farm::Scheme::Https => clones::Scheme::Https,
        farm::Scheme::Http => clones::Scheme::Http,
        farm::Scheme::Ssh => clones::Scheme::Ssh,
        farm::Scheme::Git => clones::Scheme::Git,
        farm::Scheme::File => clones::Scheme::File,
    }
}

/// `*` is all.
fn private_hosts(hosts: &[String]) -> PrivateHosts {
    match hosts.iter().any(|host| host == "*") {
        true => PrivateHosts::All,
        false => PrivateHosts::Named(hosts.iter().map(|host| host.to_ascii_lowercase()).collect()),
    }
}

/// Runs a service on one thread, until its work ends or the process is asked to end; then what was taken is
/// finished, and only then what the work left goes. The work gets the service and a token that says that it is to
/// end. HTTP is answered at `addresses` until everything else is over, so that probes see how it ends.
pub(super) fn run_service<L, W: Future<Output = Result<L, Failure>>>(
    global: &Global,
    farm: &Farm,
    addresses: &[&str],
    work: impl FnOnce(Arc<Service>, CancellationToken) -> W,
) -> Result<(), Failure> {
    super::logs::begin(&farm.logs, global.color);
    let settings = settings(global, farm)?;
    // Whoever started this may have left files open that workers have no use for.
    close_fds::set_fds_cloexec_threadsafe(3, &[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(system)?;
    let local = tokio::task::LocalSet::new();
    let result = local.block_on(&runtime, async {
        let (stop, end) = (CancellationToken::new(), CancellationToken::new());
        watch_signals(stop.clone()).map_err(system)?;
        let mut listeners = Vec::new();
        for address in addresses.iter().copied().chain(farm.http.as_deref()) {
            listeners.push((address, bind(address).await?));
        }
        let service = Service::new(settings);
        let mut servers = JoinSet::new();
        for (address, listener) in listeners {
            servers.spawn(http(farm, address, listener, &service, &end)?);
        }
        let (ending, stopped) = (Arc::clone(&service), stop.clone());
        tokio::spawn(async move {
            stopped.cancelled().await;
            ending.announce_end();
        });
        let worked = work(Arc::clone(&service), stop.clone()).await;
        stop.cancel();
        if tokio::time::timeout(Duration::from_millis(farm.drain_limit), service.drain()).await.is_err() {
            tracing::warn!("not everything was answered in time");
        }
        // Answers that were made are still being written.
        tokio::time::sleep(LAST_ANSWERS).await;
        end.cancel();
        while servers.join_next().await.is_some() {}
        worked.map(drop)
    });
    // Whatever still waits for something else does so in vain.
    runtime.shutdown_background();
    result
}

/// Where HTTP is to be answered.
async fn bind(address: &str) -> Result<TcpListener, Failure> {
    let failed = |error: std::io::Error| system(format!("cannot listen at `{address}`: {error}"));
    TcpListener::bind(address).await.map_err(failed)
}

/// The HTTP server, to be run.
fn http(
    farm: &Farm,
    listen: &str,
    listener: TcpListener,
    service: &Arc<Service>,
    end: &CancellationToken,
) -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let address = listener.local_addr().map_err(system)?;
    let tokens = tokens(farm.token_file.as_deref())?;
    warn_if_open(address, &tokens);
    tracing::info!("answering HTTP at http://{address}");
    let settings = http::Settings { tokens, max_request: farm.max_request << 20, hosts: hosts(farm, listen) };
    Ok(http::serve(listener, Arc::clone(service), settings, end.clone()))
}

/// The names that requests may be for: also the one that is listened at.
fn hosts(farm: &Farm, listen: &str) -> Vec<String> {
    let own = listen.rsplit_once(':').map_or(listen, |(host, _)| host);
    farm.hosts.iter().cloned().chain([own.to_owned()]).collect()
}

fn warn_if_open(address: SocketAddr, tokens: &[String]) {
    if tokens.is_empty() && !address.ip().is_loopback() {
        tracing::warn!("everybody who reaches {address} may ask; `--token-file` names those who may");
    }
}

fn tokens(file: Option<&Path>) -> Result<Vec<String>, Failure> {
    let Some(file) = file else { return Ok(vec![]) };
    let text = fs_err::read_to_string(file).map_err(system)?;
    let tokens: Vec<String> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    match tokens.is_empty() {
        true => Err(Failure::usage(format!("`{}` has no token", file.display()))
            .hint("write a token on a line of it; `openssl rand -hex 32` makes one")),
        false => Ok(tokens),
    }
}

/// SIGTERM and SIGINT ask to end; a second one ends at once.
fn watch_signals(stop: CancellationToken) -> std::io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if stop.is_cancelled() {
                tracing::warn!("ended at once");
                std::process::exit(1);
            }
            tracing::info!("ending: what was taken is finished");
            stop.cancel();
        }
    });
    Ok(())
}
