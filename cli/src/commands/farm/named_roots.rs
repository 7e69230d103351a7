//! `caravan docs-ci-solver` and `caravan mirage-ci-solver`: children of ocaml-docs-ci and mirage-ci.

use super::solver_service::child;
use crate::arguments::Global;
use crate::arguments::farm::{DocsCiSolver, MirageCiSolver};
use crate::failure::Failure;
use caravan_farm::servers::capnp::{NamedRoots, named_roots};
use std::process::ExitCode;

pub(crate) fn docs_ci(global: &Global, arguments: &DocsCiSolver) -> Result<ExitCode, Failure> {
    let whose = NamedRoots::DocsCi(arguments.repository.clone());
    child(global, &arguments.farm, |service, caller| named_roots(service, caller, whose))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn mirage_ci(global: &Global, arguments: &MirageCiSolver) -> Result<ExitCode, Failure> {
    child(global, &arguments.farm, |service, caller| named_roots(service, caller, NamedRoots::MirageCi))?;
    Ok(ExitCode::SUCCESS)
}
