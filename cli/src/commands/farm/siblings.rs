//! `caravan docs-ci-solver` and `caravan mirage-ci-solver`: children of ocaml-docs-ci and mirage-ci.

use super::solver_service::child;
use crate::arguments::Global;
use crate::arguments::farm::{DocsCiSolver, MirageCiSolver};
use crate::failure::Failure;
use caravan_farm::doors::solver::{Sibling, sibling};
use std::process::ExitCode;

pub(crate) fn docs_ci(global: &Global, arguments: &DocsCiSolver) -> Result<ExitCode, Failure> {
    let whose = Sibling::DocsCi(arguments.repository.clone());
    child(global, &arguments.farm, |service| sibling(service, "parent", whose))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn mirage_ci(global: &Global, arguments: &MirageCiSolver) -> Result<ExitCode, Failure> {
    child(global, &arguments.farm, |service| sibling(service, "parent", Sibling::MirageCi))?;
    Ok(ExitCode::SUCCESS)
}
