//! Completions and manual pages, made from the definition of the command line.

use crate::arguments::{Arguments, Completions, Man};
use crate::failure::{Failure, Kind};
use clap::CommandFactory;
use std::process::ExitCode;

pub(crate) fn completions(arguments: &Completions) -> Result<ExitCode, Failure> {
    // Into memory first: writing to a closed pipe is no reason to panic.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "caravan", &mut script);
    std::io::Write::write_all(&mut std::io::stdout(), &script)?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn man(arguments: &Man) -> Result<ExitCode, Failure> {
    let system = |error: std::io::Error| {
        Failure::new(Kind::System, format!("cannot write manual pages to `{}`: {error}", arguments.directory.display()))
    };
    std::fs::create_dir_all(&arguments.directory).map_err(system)?;
    clap_mangen::generate_to(Arguments::command(), &arguments.directory).map_err(system)?;
    Ok(ExitCode::SUCCESS)
}
