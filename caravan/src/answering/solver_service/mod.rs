//! Answers requests of solver-service, in steps between which whoever watches may remember an earlier answer.
//!
//! ```text
//! SolveRequest ── PreparedRequest: what it gives, and the part of the repositories that it can concern
//!                   ├── its key: known? ──────────────┐
//!                   └── solve, platform by platform ──┴──> PlatformResults ── oldest commits ──> SolveResponse
//! ```
//!
//! Most requests concern some hundred of a repository's names: an index of only these is made, and everything after
//! that costs what they cost.

mod compatible;
mod given;
mod platform;
mod request;
mod series;

use super::context::Context;
use crate::error::Error;
use crate::protocols::solver_service::{Selection, SolveRequest, SolveResponse};
use crate::protocols::{Refusal, Response};
use crate::repository::{LineageError, Repository};
use caravan_solver::{Stop, Stopped};
use opam_parser::index::Precedence;
use platform::{PlatformResult, PlatformSelection};
use request::PreparedRequest;
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// What is always watched, whether or not it is selected: what clients build their documentation with.
const WATCHED: &str = "odoc.2.1.1";

/// Answers a request. The log gets the lines of one platform together, in the order of the request.
pub(super) fn answer(request: &SolveRequest, context: &mut Context<'_>) -> Result<SolveResponse, Error> {
    let repositories = open(request, context)?;
    Ok(match selections(&repositories, request, context) {
        Ok(selections) => Response::Ok(selections),
        Err(refusal) => Response::Error(refusal),
    })
}

/// The repositories that a request names, in its order.
fn open(request: &SolveRequest, context: &mut Context<'_>) -> Result<Vec<Arc<Repository>>, Error> {
    let open = |name| {
        let place = context.repositories.locate(&name, context.observer)?;
        context.repositories.open(&[place], Precedence::FirstWins, context.observer)
    };
    request.repositories().into_iter().map(open).collect()
}

fn selections(
    repositories: &[Arc<Repository>],
    request: &SolveRequest,
    context: &Context<'_>,
) -> Result<Vec<Selection>, Refusal> {
    let prepared = PreparedRequest::new(repositories, request)?;
    let results = results(&prepared, context)?;
    let roots: Vec<&str> = request.root_pkgs.iter().map(|(package, _)| package.as_str()).collect();
    context.observer.log(&format!("Solving for {}", roots.join(" ")));
    let mut selections = Vec::new();
    for (result, (id, vars)) in results.into_iter().zip(&request.platforms) {
        result.lines.iter().for_each(|line| context.observer.log(line));
        let Some(selection) = result.selection else { continue };
        let commits = oldest_commits(repositories, request, &selection, context.stop)?;
        let shown: Vec<&str> = commits.iter().map(|(_, commit)| commit.as_str()).collect();
        context.observer.log(&format!("(valid since opam-repository commit(s): {})", shown.join(" ")));
        let PlatformSelection { compat_pkgs, packages, .. } = selection;
        selections.push(Selection { id: id.clone(), compat_pkgs, packages, commits, lower_bound: vars.lower_bound });
    }
    Ok(selections)
}

/// What comes out on each platform: remembered from an earlier request that looked at the same, or found now.
fn results(prepared: &PreparedRequest<'_>, context: &Context<'_>) -> Result<Vec<PlatformResult>, Refusal> {
    let key = prepared.key();
    let known = context.observer.recall(&key);
    let known = known.and_then(|bytes| postcard::from_bytes::<Vec<PlatformResult>>(&bytes).ok());
    if let Some(known) = known.filter(|known| known.len() == prepared.request.platforms.len()) {
        return Ok(known);
    }
    let (results, explored) = platform::solve(prepared, context.stop)?;
    results.iter().for_each(|result| context.observer.solved(result.seconds));
    context.observer.explored(explored);
    if let Ok(bytes) = postcard::to_allocvec(&results) {
        context.observer.remember(key, bytes);
    }
    Ok(results)
}

/// For each repository that a selected package is from, the oldest commit at which the answer is the same. These are
/// looked up for every request: newer commits may have the answer of an older one.
fn oldest_commits(
    repositories: &[Arc<Repository>],
    request: &SolveRequest,
    selection: &PlatformSelection,
    stop: &Stop,
) -> Result<Vec<(String, String)>, Refusal> {
    let mut watched: Vec<FxHashSet<String>> = vec![FxHashSet::default(); repositories.len()];
    for (package, origin) in selection.packages.iter().zip(&selection.origins) {
        if let Some(watched) = origin.and_then(|place| watched.get_mut(place as usize)) {
            watched.insert(package.clone());
        }
    }
    let mut commits = Vec::new();
    let named = request.opam_repository_commits.iter().zip(repositories);
    for ((url, repository), mut watched) in named.map(|((url, _), repository)| (url, repository)).zip(watched) {
        if watched.is_empty() {
            continue;
        }
        watched.insert(WATCHED.to_owned());
        let (commit, lineage) = repository.lineage().map_err(refused)?;
        let oldest = lineage.oldest_with(commit, &watched, stop).map_err(|error| match error {
            LineageError::Stopped(Stopped::Cancelled) => Refusal::Cancelled,
            error => refused(error),
        })?;
        commits.push((url.clone(), oldest));
    }
    Ok(commits)
}

fn refused(error: impl std::fmt::Display) -> Refusal {
    Refusal::Msg(error.to_string())
}
