//! `caravan cache`

use crate::arguments::{Cache, CacheCommand, Format, Global};
use crate::failure::Failure;
use crate::output::Output;
use crate::questions::repositories;
use caravan::vocabulary::CacheInfo;
use serde::Serialize;
use std::process::ExitCode;

#[derive(Serialize)]
struct Answer {
    schema: &'static str,
    directory: String,
    #[serde(flatten)]
    info: CacheInfo,
}

pub(crate) fn run(global: &Global, arguments: &Cache, output: &mut Output) -> Result<ExitCode, Failure> {
    let local = repositories(global)?;
    let cache = local.cache();
    let directory = cache.directory().display().to_string();
    let (info, verb) = match arguments.command {
        CacheCommand::Path => {
            output.line(directory)?;
            return Ok(ExitCode::SUCCESS);
        }
        CacheCommand::Info => (cache.info()?, "holds"),
        CacheCommand::Clean => (cache.clean()?, "is clean; removed"),
    };
    if output.format == Format::Json {
        output.json(&Answer { schema: "caravan.cache/1", directory, info })?;
    } else {
        let CacheInfo { indexes, others, bytes } = info;
        let size = indicatif::BinaryBytes(bytes);
        output.line(format_args!("{directory} {verb} {indexes} indexes and {others} other files, {size}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
