//! `caravan worker`: what services start.

use super::setup::directory;
use crate::arguments::Global;
use crate::arguments::farm::Worker;
use crate::failure::{Failure, Kind};
use caravan_farm::worker::{Limits, run as work};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

pub(crate) fn run(global: &Global, arguments: &Worker) -> Result<ExitCode, Failure> {
    let system = |error: std::io::Error| Failure::new(Kind::System, error.to_string());
    let input = std::io::stdin().as_fd().try_clone_to_owned().map_err(system)?;
    if rustix::net::sockopt::socket_type(&input).is_err() {
        return Err(Failure::usage("`caravan worker` is started by services; its standard input is a socket")
            .hint("`caravan serve` and `caravan solver-service` start workers"));
    }
    let limits = Limits {
        cache: directory(global)?,
        memory: arguments.memory_limit,
        repositories: arguments.states,
        threads: arguments.threads,
        steps: global.step_limit,
    };
    work(UnixStream::from(input), &limits).map_err(system)?;
    Ok(ExitCode::SUCCESS)
}
