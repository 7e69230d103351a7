//! `caravan serve`

use super::setup::run_service;
use crate::arguments::Global;
use crate::arguments::farm::Serve;
use crate::failure::Failure;
use std::process::ExitCode;

pub(crate) fn run(global: &Global, arguments: &Serve) -> Result<ExitCode, Failure> {
    run_service(global, &arguments.farm, &[&arguments.listen], |_, stop| async move {
        stop.cancelled().await;
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}
