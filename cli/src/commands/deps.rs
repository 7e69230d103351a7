//! `caravan deps`

use super::listing::{Listed, check};
use crate::arguments::{Deps, Global};
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;
use caravan_revdeps::{required_by, required_by_recursively};
use std::process::ExitCode;

pub(crate) fn run(global: &Global, arguments: &Deps, output: &mut Output) -> Result<ExitCode, Failure> {
    let platform = check(&arguments.packages, &arguments.listing)?;
    let session = Session::open(global, output)?;
    let listed = Listed::new(&session, platform, &arguments.packages, &arguments.listing, output)?;
    let find = if arguments.listing.recursive { required_by_recursively } else { required_by };
    let found = find(&listed.view, &listed.targets, &listed.options);
    let found = listed.select(found)?;
    listed.show("caravan.deps/1", &found, false, output)
}
