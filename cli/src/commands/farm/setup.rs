//! What all services have in common: settings, signals, sockets, the HTTP server.

use crate::arguments::Global;
use crate::arguments::farm::Farm;
use crate::failure::{Failure, Kind};
use caravan::vocabulary::Cache;
use caravan_farm::clones;
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
use tokio_util::sync::CancellationToken;

/// How much longer than its limit a request may take before its worker is killed.
const GRACE: Duration = Duration::from_secs(2);

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

fn settings(global: &Global, farm: &Farm) -> Result<Settings, Failure> {
    let directory = directory(global)?;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = farm.workers.unwrap_or(processors).max(1);
    let threads = (processors / workers).max(1);
    let arguments = [
        "worker".to_owned(),
        format!("--memory-limit={}", farm.memory_limit << 20),
        format!("--states={}", farm.states << 20),
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
            schemes: farm.schemes.clone(),
            limit: Duration::from_millis(farm.fetch_limit),
        },
        answer_cache: farm.remember << 20,
        limit: Duration::from_millis(farm.time_limit),
    })
}

/// Runs a service on one thread, until its work ends or the process is asked to end; then what was taken is
/// finished, and only then what the work left goes. The work gets the service and a token that says that it is to
/// end.
pub(super) fn run_service<L, W: Future<Output = Result<L, Failure>>>(
    global: &Global,
    farm: &Farm,
    work: impl FnOnce(Arc<Service>, CancellationToken) -> W,
) -> Result<(), Failure> {
    super::logs::begin(&farm.logs, global.color);
    let settings = settings(global, farm)?;
    // Whoever started this may have left files open that workers have no use for.
    close_fds::set_fds_cloexec_threadsafe(3, &[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(system)?;
    let local = tokio::task::LocalSet::new();
    let result = local.block_on(&runtime, async {
        let stop = CancellationToken::new();
        watch_signals(stop.clone()).map_err(system)?;
        let listener = match &farm.http {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let service = Service::new(settings);
        if let Some(listener) = listener {
            let server = http(farm, listener, &service, &stop)?;
            tokio::spawn(server);
        }
        let worked = work(Arc::clone(&service), stop.clone()).await;
        stop.cancel();
        if tokio::time::timeout(Duration::from_millis(farm.drain_limit), service.drain()).await.is_err() {
            tracing::warn!("not everything was answered in time");
        }
        // Answers that were made are still being written.
        tokio::time::sleep(Duration::from_millis(200)).await;
        worked.map(drop)
    });
    // Whatever still waits for something else does so in vain.
    runtime.shutdown_background();
    result
}

/// Where HTTP is to be answered.
pub(super) async fn bind(address: &str) -> Result<TcpListener, Failure> {
    let failed = |error: std::io::Error| system(format!("cannot listen at `{address}`: {error}"));
    TcpListener::bind(address).await.map_err(failed)
}

/// The HTTP server, to be run.
pub(super) fn http(
    farm: &Farm,
    listener: TcpListener,
    service: &Arc<Service>,
    stop: &CancellationToken,
) -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let address = listener.local_addr().map_err(system)?;
    let tokens = tokens(farm.token_file.as_deref())?;
    warn_if_open(address, &tokens);
    tracing::info!("answering HTTP at http://{address}");
    let settings = http::Settings { tokens, max_request: farm.max_request << 20 };
    let server = http::serve(listener, Arc::clone(service), settings, stop.clone());
    Ok(async move {
        if let Err(error) = server.await {
            tracing::error!("HTTP: {error}");
        }
    })
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
