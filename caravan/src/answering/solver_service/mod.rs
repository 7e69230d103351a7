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
mod opam_error;
mod platform;
mod request;
mod series;
mod unreadable;

use super::context::Context;
use crate::error::Error;
use crate::protocols::solver_service::{Selection, SolveRequest, SolveResponse, Vars};
use crate::protocols::{Refusal, Response};
use crate::repository::{LineageError, Repository, VersionDirectory};
use caravan_solver::{Stop, Stopped};
use opam_parser::index::Precedence;
use platform::{PlatformOutcome, PlatformResult, PlatformSelection, SelectedPackage};
use request::PreparedRequest;
use std::sync::Arc;

/// What is always watched, whether or not it is selected: what clients build their documentation with.
const WATCHED: (&str, &str) = ("odoc", "odoc.2.1.1");

/// Answers a request. The log has the lines of the real service in its order (`docs/operations.md` has what differs).
///
/// # Errors
/// When a repository cannot be had.
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
    let log = |line: &str| context.observer.log(line);
    let roots: Vec<&str> = request.root_pkgs.iter().map(|(package, _)| package.as_str()).collect();
    log(&format!("Solving for {}", roots.join(", ")));
    let prepared = PreparedRequest::new(repositories, request)?;
    let results = results(&prepared, context)?;
    let platforms: Vec<_> = results.into_iter().zip(&request.platforms).collect();
    log_results(&platforms, &log);
    let mut selections = Vec::new();
    for (result, (id, vars)) in platforms {
        log(&format!("= {id} ="));
        let PlatformSelection { compat_pkgs, packages } = match result.outcome {
            PlatformOutcome::Solution(selection) => selection,
            PlatformOutcome::NotAvailable => {
                log("Not available for this platform");
                continue;
            }
            PlatformOutcome::NoSolution(facts) => {
                log("Can't find all required versions.");
                facts.iter().for_each(|fact| log(fact));
                continue;
            }
            PlatformOutcome::Unreadable(message) => {
                log(&message);
                return Err(Refusal::Msg(message));
            }
        };
        let commits = oldest_commits(repositories, &prepared, &packages, context.stop)?;
        let packages: Vec<String> = packages.into_iter().map(|selected| selected.package).collect();
        log(&format!("-> {}", packages.join(" ")));
        let shown: Vec<String> = commits.iter().map(|(url, commit)| format!("{url}, {commit}")).collect();
        log(&format!("(valid since opam-repository commit(s): {})", shown.join("; ")));
        selections.push(Selection { id: id.clone(), compat_pkgs, packages, commits, lower_bound: vars.lower_bound });
    }
    Ok(selections)
}

/// Says how solving ended on each platform: first where no root is meant for it, for that takes no time.
fn log_results(platforms: &[(PlatformResult, &(String, Vars))], log: &dyn Fn(&str)) {
    for (result, (id, _)) in platforms {
        if let PlatformOutcome::NotAvailable = result.outcome {
            log(&format!("{id}: not available for this platform"));
        }
    }
    for (PlatformResult { outcome, seconds }, (id, _)) in platforms {
        match outcome {
            PlatformOutcome::Solution(_) => log(&format!("{id}: found solution in {seconds:.2} s")),
            PlatformOutcome::NoSolution(_) => log(&format!("{id}: eliminated all possibilities in {seconds:.2} s")),
            PlatformOutcome::NotAvailable | PlatformOutcome::Unreadable(_) => {}
        }
    }
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

/// For each repository that has one of the packages that are watched the oldest commit at which all of them are the same
/// (rule C9). These are looked up for every request: newer commits may have the answer of an older one.
fn oldest_commits(
    repositories: &[Arc<Repository>],
    prepared: &PreparedRequest<'_>,
    packages: &[SelectedPackage],
    stop: &Stop,
) -> Result<Vec<(String, String)>, Refusal> {
    let of_repositories = packages.iter().filter(|selected| !prepared.brings(&selected.name));
    let directory = |selected: &SelectedPackage| VersionDirectory {
        name: selected.name.clone(),
        package: selected.package.clone(),
    };
    let always = VersionDirectory { name: WATCHED.0.to_owned(), package: WATCHED.1.to_owned() };
    let watched: Vec<VersionDirectory> = of_repositories.map(directory).chain([always]).collect();
    let mut commits = Vec::new();
    for ((url, _), repository) in prepared.request.opam_repository_commits.iter().zip(repositories) {
        let (commit, lineage) = repository.lineage().map_err(refused)?;
        let oldest = lineage.oldest_with_same(commit, &watched, stop).map_err(|error| match error {
            LineageError::Stopped(Stopped::Cancelled) => Refusal::Cancelled,
            error => refused(error),
        })?;
        commits.extend(oldest.map(|oldest| (url.clone(), oldest)));
    }
    Ok(commits)
}

fn refused(error: impl std::fmt::Display) -> Refusal {
    Refusal::Msg(error.to_string())
}
