//! `caravan serve`

use super::setup::{bind, http, run_service};
use crate::arguments::Global;
use crate::arguments::farm::Serve;
use crate::failure::Failure;
use std::process::ExitCode;

pub(crate) fn run(global: &Global, arguments: &Serve) -> Result<ExitCode, Failure> {
    run_service(global, &arguments.farm, |service, stop| async move {
        let listener = bind(&arguments.listen).await?;
        let server = http(&arguments.farm, listener, &service, &stop)?;
        // It waits for requests that are being answered.
        server.await;
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}
