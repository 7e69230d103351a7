//! Answers requests of mirage-ci.

use super::context::Context;
use super::named_roots::{PreparedRequest, RequestError, constraint, response};
use crate::error::Error;
use crate::protocols::mirage_ci::{Selection, SolveRequest, SolveResponse};
use crate::repository::Repository;
use caravan_solver::Stop;
use opam_parser::index::{PackageId, Precedence};
use opam_parser::syntax::RelOp;
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// Answers a request. That it was stopped is an error; everything else that is wrong with it is its response.
pub(super) fn answer(request: &SolveRequest, context: &mut Context<'_>) -> Result<SolveResponse, Error> {
    let open = |name| {
        let place = context.repositories.locate_clone(&name, context.observer)?;
        context.repositories.open(&[place], Precedence::FirstWins, context.observer)
    };
    let repositories = request.clones().map(open).collect::<Result<Vec<_>, Error>>()?;
    response(selections(&repositories, request, context))
}

fn selections(
    repositories: &[Arc<Repository>],
    request: &SolveRequest,
    context: &Context<'_>,
) -> Result<Vec<Selection>, RequestError> {
    let read = |(name, version): &(String, String)| constraint(name, RelOp::Eq, version);
    let constraints = request.constraints.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let prepared = PreparedRequest::new(repositories, &request.pkgs, constraints)?;
    let mut selections = Vec::new();
    for (id, vars) in &request.platforms {
        let (_, selected) = prepared.solve((id, vars), context.observer, context.stop)?;
        let Some(packages) = selected else { continue };
        let commits = oldest_commits(repositories, request, (&prepared, &packages), context.stop)?;
        let packages = packages.iter().map(|package| prepared.index.package_text(*package)).collect();
        selections.push(Selection { id: id.clone(), packages, commits });
    }
    Ok(selections)
}

/// For each repository that a selected package is from, its name and the oldest commit at which the answer is the same.
fn oldest_commits(
    repositories: &[Arc<Repository>],
    request: &SolveRequest,
    (prepared, packages): (&PreparedRequest, &[PackageId]),
    stop: &Stop,
) -> Result<Vec<(String, String)>, RequestError> {
    let mut watched: Vec<FxHashSet<String>> = vec![FxHashSet::default(); repositories.len()];
    for package in packages {
        if let Some(watched) = prepared.origin(*package).and_then(|place| watched.get_mut(place)) {
            watched.insert(prepared.index.package_text(*package));
        }
    }
    let mut commits = Vec::new();
    for ((repository, (name, ..)), watched) in repositories.iter().zip(&request.opam_repos_folders).zip(&watched) {
        if !watched.is_empty() {
            let (commit, lineage) = repository.lineage()?;
            commits.push((name.clone(), lineage.oldest_with(commit, watched, stop)?));
        }
    }
    Ok(commits)
}
