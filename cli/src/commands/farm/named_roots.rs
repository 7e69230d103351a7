//! `caravan docs-ci-solver` and `caravan mirage-ci-solver`: children of ocaml-docs-ci and mirage-ci.

use super::solver_service::child;
use crate::arguments::Global;
use crate::arguments::farm::{DocsCiSolver, MirageCiSolver};
use crate::failure::Failure;
use caravan_farm::servers::capnp::{NamedRoots, named_roots};
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn docs_ci(global: &Global, arguments: &DocsCiSolver) -> Result<ExitCode, Failure> {
    let whose = NamedRoots::DocsCi(repository(arguments.repository.as_deref()));
    child(global, &arguments.farm, |service, caller| named_roots(service, caller, whose))?;
    Ok(ExitCode::SUCCESS)
}

/// The repository: a URL, or a folder that begins with `/` or `.`.
fn repository(named: Option<&str>) -> String {
    match named {
        Some(folder) if !folder.contains(':') && !folder.starts_with(['/', '.']) => format!("./{folder}"),
        Some(named) => named.to_owned(),
        None if Path::new("opam-repository").is_dir() => "./opam-repository".to_owned(),
        None => "https://github.com/ocaml/opam-repository.git".to_owned(),
    }
}

pub(crate) fn mirage_ci(global: &Global, arguments: &MirageCiSolver) -> Result<ExitCode, Failure> {
    child(global, &arguments.farm, |service, caller| named_roots(service, caller, NamedRoots::MirageCi))?;
    Ok(ExitCode::SUCCESS)
}
