//! `caravan solver-service`: the command line of ocurrent/solver-service.

use super::setup::{run_service, system};
use crate::arguments::Global;
use crate::arguments::farm::{RunCluster, RunService, SolverService, SolverServiceCommand};
use crate::failure::Failure;
use crate::output::Output;
use caravan_farm::servers::{capnp, cluster, stdio};
use caravan_farm::vat::{Authentication, Caller, Identity, Listener, Location, Served, SturdyRef, serve, serve_one};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;

/// The name that the service's id is derived from.
const NAME: &str = "solver-service";
/// The id of a child's service, which is no secret: only the parent can reach it.
pub(super) const CHILD: &[u8] = b"solver";
/// What a child's only client is called.
const PARENT: &str = "parent";
/// Between two attempts to reach the scheduler.
const PAUSE: Duration = Duration::from_secs(10);

pub(crate) fn run(global: &Global, arguments: &SolverService, output: &mut Output) -> Result<ExitCode, Failure> {
    match (&arguments.command, &arguments.worker) {
        (Some(SolverServiceCommand::Service(arguments)), _) => service(global, arguments, output)?,
        (Some(SolverServiceCommand::Child(arguments)), _) => {
            child(global, &arguments.farm, capnp::solver_service)?;
        }
        (Some(SolverServiceCommand::Cluster(arguments)), _) => cluster(global, arguments)?,
        (None, repositories) => {
            let text = repositories.as_deref().unwrap_or("[]");
            let repositories: Vec<stdio::Repository> = serde_json::from_str(text).map_err(|error| {
                Failure::usage(format!("`--worker` takes a list of repositories: {error}"))
                    .hint(r#"write `--worker '[{"repo": URL, "hash": COMMIT}]'`"#)
            })?;
            run_service(global, &arguments.farm, &[], |service, stop| async move {
                let input = tokio::io::BufReader::new(tokio::io::stdin());
                tokio::select! {
                    served = stdio::serve(&service, &repositories, input, tokio::io::stdout()) => served.map_err(system),
                    () = stop.cancelled() => Ok(()),
                }
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn identity(file: &str) -> Result<Identity, Failure> {
    let made = if file.is_empty() { Identity::ephemeral() } else { Identity::load(Path::new(file)) };
    made.map_err(system)
}

fn service(global: &Global, arguments: &RunService, output: &mut Output) -> Result<(), Failure> {
    let usage = |error: caravan_farm::vat::MalformedAddress| Failure::usage(error.to_string());
    let listen: Location = arguments.capnp_listen_address.parse().map_err(usage)?;
    let public: Option<Location> =
        arguments.capnp_public_address.as_ref().map(|address| address.parse()).transpose().map_err(usage)?;
    let identity = identity(&arguments.capnp_secret_key_file)?;
    run_service(global, &arguments.farm, &[], |service, stop| async move {
        let failed = |error: std::io::Error| system(format!("cannot listen at `{listen}`: {error}"));
        let listener = Listener::bind(&listen).await.map_err(failed)?;
        let reference = SturdyRef {
            authentication: match arguments.capnp_disable_tls {
                true => Authentication::Insecure,
                false => Authentication::Key(identity.fingerprint()),
            },
            location: match public {
                Some(public) => public,
                None => listener.location(&listen).map_err(failed)?,
            },
            id: identity.derived_id(NAME),
        };
        if let Some(file) = &arguments.cap_file {
            reference.save(file).map_err(system)?;
            output.line(format_args!("Wrote solver service's address to {:?}", file.display().to_string()))?;
            output.flush()?;
        } else {
            // Somebody has to be told, and the log is not the place for a secret.
            output.line(format_args!("{reference}"))?;
            output.flush()?;
        }
        let served = Served {
            identity: (!arguments.capnp_disable_tls).then_some(&identity),
            id: &reference.id,
            peers: service.peers(),
        };
        let for_client = {
            let service = Arc::clone(&service);
            move |caller| capnp::solver_service(Arc::clone(&service), caller)
        };
        serve(&listener, served, &stop, for_client).await.map_err(Failure::from)
    })
}

/// One client over standard input, until it is gone.
pub(super) fn child(
    global: &Global,
    farm: &crate::arguments::farm::Farm,
    for_parent: impl FnOnce(Arc<caravan_farm::service::Service>, Caller) -> caravan_farm::vat::Capability,
) -> Result<(), Failure> {
    use std::os::fd::AsFd;
    let input = std::io::stdin().as_fd().try_clone_to_owned().map_err(system)?;
    if rustix::net::sockopt::socket_type(&input).is_err() {
        return Err(Failure::usage("standard input is not a socket")
            .hint("the program that starts this passes it one end of a pair of sockets"));
    }
    // Workers get nothing of it.
    rustix::io::fcntl_setfd(&input, rustix::io::FdFlags::CLOEXEC).map_err(system)?;
    let socket = std::os::unix::net::UnixStream::from(input);
    socket.set_nonblocking(true).map_err(system)?;
    run_service(global, farm, &[], |service, stop| async move {
        let socket = UnixStream::from_std(socket).map_err(system)?;
        let account = service.peers().account(PARENT);
        let caller = Caller { name: PARENT.to_owned(), account: account.clone() };
        let serving = serve_one(socket, CHILD.to_vec(), for_parent(Arc::clone(&service), caller), account);
        tokio::pin!(serving);
        tokio::select! {
            () = &mut serving => return Ok(()),
            () = stop.cancelled() => {}
        }
        // What was taken is answered before the connection ends.
        let answered = async {
            service.drain().await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        tokio::select! {
            () = &mut serving => {}
            () = answered => {}
        }
        Ok(())
    })
}

fn cluster(global: &Global, arguments: &RunCluster) -> Result<(), Failure> {
    let connect = SturdyRef::load(&arguments.connect)?;
    let (name, capacity) = (arguments.name.clone(), arguments.capacity);
    let settings = cluster::Settings { connect, name, capacity, pause: PAUSE };
    // OCaml's vats keep one connection for each key, so every worker has its own.
    let identity = identity("")?;
    run_service(global, &arguments.farm, &[], |service, stop| async move {
        cluster::work(service, settings, identity, stop).await;
        Ok(())
    })
}
