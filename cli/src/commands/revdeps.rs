//! `caravan revdeps`

use super::listing::{Listed, check};
use super::solve::failure;
use crate::arguments::{Global, Like, Revdeps};
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;
use caravan_revdeps::{direct, like_opam_repo_ci, recursive};
use caravan_solver::Stop;
use std::process::ExitCode;

pub(crate) fn run(global: &Global, arguments: &Revdeps, output: &mut Output) -> Result<ExitCode, Failure> {
    let platform = check(&arguments.packages, &arguments.listing)?;
    let session = Session::open(global, output)?;
    let listed = Listed::new(&session, platform, &arguments.packages, &arguments.listing, output)?;
    let found = match arguments.like {
        Some(Like::OpamRepoCi) => {
            let request = listed.switch()?;
            let mut union = Vec::new();
            for package in listed.targets.packages(listed.view.index()) {
                union.extend(like_opam_repo_ci(&listed.view, &request, package, &Stop::new()).map_err(failure)?);
            }
            union.sort_unstable();
            union.dedup();
            // What changes together is not tested because of each other.
            union.retain(|package| !listed.targets.contains(listed.view.index(), *package));
            union
        }
        None if arguments.listing.recursive => recursive(&listed.view, &listed.targets, &listed.options),
        None => direct(&listed.view, &listed.targets, &listed.options),
    };
    let found = listed.select(found)?;
    listed.show("caravan.revdeps/1", &found, true, output)
}
