//! Answers requests of mirage-ci.

use super::context::Context;
use super::named_roots::{PlatformAnswer, PreparedRequest, RequestError, constraint, log_reasons, response};
use crate::error::Error;
use crate::protocols::mirage_ci::{Selection, SolveRequest, SolveResponse};
use crate::repository::{Repository, VersionDirectory};
use caravan_solver::Stop;
use opam_parser::index::{PackageId, Precedence};
use opam_parser::syntax::RelOp;
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
    let observer = context.observer;
    observer.log(&format!("Solving for {}", request.pkgs.join(", ")));
    let read = |(name, version): &(String, String)| constraint(name, RelOp::Eq, version);
    let constraints = request.constraints.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let prepared = PreparedRequest::new(repositories, &request.pkgs, constraints)?;
    let solve = |(_, vars): &(String, _)| prepared.solve(vars, context.stop);
    let answers: Vec<PlatformAnswer> = request.platforms.iter().map(solve).collect::<Result<_, _>>()?;
    let platforms: Vec<_> = answers.into_iter().zip(&request.platforms).collect();
    platforms.iter().for_each(|(answer, (id, _))| answer.log(id, observer));
    let mut selections = Vec::new();
    for (answer, (id, _)) in platforms {
        observer.log(&format!("= {id} ="));
        let packages = match answer.selection {
            Ok(packages) => packages,
            Err(facts) => {
                log_reasons(&facts, observer);
                continue;
            }
        };
        let commits = oldest_commits(repositories, request, (&prepared, &packages), context.stop)?;
        let packages = prepared.texts(&packages);
        observer.log(&format!("-> {}", packages.join(" ")));
        let shown: Vec<String> = commits.iter().map(|(name, commit)| format!("{name}: {commit}")).collect();
        observer.log(&format!("(valid since opam-repository commits {})", shown.join(" ")));
        selections.push(Selection { id: id.clone(), packages, commits });
    }
    Ok(selections)
}

/// For each repository that a selected package is from, its name and the last commit that changed one of these, in the
/// order of the repositories' folders (rule C11).
fn oldest_commits(
    repositories: &[Arc<Repository>],
    request: &SolveRequest,
    (prepared, packages): (&PreparedRequest, &[PackageId]),
    stop: &Stop,
) -> Result<Vec<(String, String)>, RequestError> {
    let mut watched: Vec<Vec<VersionDirectory>> = vec![vec![]; repositories.len()];
    for package in packages {
        if let Some(watched) = prepared.origin(*package).and_then(|place| watched.get_mut(place)) {
            watched.push(prepared.directory(*package));
        }
    }
    let mut needed: Vec<_> = repositories.iter().zip(&request.opam_repos_folders).zip(&watched).collect();
    needed.retain(|(_, watched)| !watched.is_empty());
    needed.sort_by_key(|((_, (_, folder, _)), _)| folder);
    let mut commits = Vec::new();
    for ((repository, (name, ..)), watched) in needed {
        let (commit, lineage) = repository.lineage()?;
        let last = lineage.last_change(commit, watched, stop)?;
        commits.push((name.clone(), last.unwrap_or_else(|| commit.to_owned())));
    }
    Ok(commits)
}
