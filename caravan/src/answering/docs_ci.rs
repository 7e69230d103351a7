//! Answers requests of ocaml-docs-ci.

use super::context::Context;
use super::named_roots::{PlatformAnswer, PreparedRequest, RequestError, constraint, log_reasons, response};
use super::universes::universes;
use crate::error::Error;
use crate::protocols::docs_ci::{Relation, Selection, SolveRequest, SolveResponse};
use crate::question::DocsCi;
use crate::repository::{Repository, VersionDirectory};
use opam_parser::index::Precedence;
use std::sync::Arc;

/// Answers a request. That it was stopped is an error; everything else that is wrong with it is its response.
pub(super) fn answer(question: &DocsCi, context: &mut Context<'_>) -> Result<SolveResponse, Error> {
    let place = match question.clone_name() {
        Some(name) => context.repositories.locate_clone(&name, context.observer)?,
        None => context.repositories.locate(&question.name(), context.observer)?,
    };
    let repository = context.repositories.open(&[place], Precedence::FirstWins, context.observer)?;
    response(selections(&repository, &question.request, context))
}

fn selections(
    repository: &Arc<Repository>,
    request: &SolveRequest,
    context: &Context<'_>,
) -> Result<Vec<Selection>, RequestError> {
    let SolveRequest { opam_repository_commit, pkgs, .. } = request;
    let observer = context.observer;
    observer.log(&format!("Solving for {} using opam_repository_commit {opam_repository_commit}", pkgs.join(", ")));
    let read =
        |(name, (relation,), version): &(String, (Relation,), String)| constraint(name, (*relation).into(), version);
    let constraints = request.constraints.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let prepared = PreparedRequest::new(std::slice::from_ref(repository), pkgs, constraints)?;
    let solve = |(_, vars): &(String, _)| prepared.solve(vars, context.stop);
    let answers: Vec<PlatformAnswer> = request.platforms.iter().map(solve).collect::<Result<_, _>>()?;
    let platforms: Vec<_> = answers.into_iter().zip(&request.platforms).collect();
    platforms.iter().for_each(|(answer, (id, _))| answer.log(id, observer));
    let mut found = Vec::new();
    for (answer, (id, _)) in platforms {
        let selection = match answer.selection {
            Ok(packages) => {
                let watched: Vec<VersionDirectory> =
                    packages.iter().map(|package| prepared.directory(*package)).collect();
                observer.log(&git_log(opam_repository_commit, &watched));
                let (commit, lineage) = repository.lineage()?;
                let last = lineage.last_change(commit, &watched, context.stop)?;
                Ok((packages, last.unwrap_or_else(|| commit.to_owned())))
            }
            Err(facts) => Err(facts),
        };
        found.push((selection, id));
    }
    let mut selections = Vec::new();
    for (selection, id) in found {
        observer.log(&format!("= {id} ="));
        match selection {
            Ok((packages, commit)) => {
                observer.log(&format!("-> {}", prepared.texts(&packages).join(" ")));
                observer.log(&format!("(valid since opam-repository commit {commit})"));
                selections.push(Selection { id: id.clone(), packages: universes(&prepared.index, &packages), commit });
            }
            Err(facts) => log_reasons(&facts, observer),
        }
    }
    Ok(selections)
}

/// The line with the command that gives the same commit.
fn git_log(commit: &str, watched: &[VersionDirectory]) -> String {
    let paths: Vec<String> = watched.iter().map(|directory| format!("packages/{}", directory.path())).collect();
    format!("oldest_commit_with git -C opam-repository log -n 1 --format=format:%H {commit} -- {}", paths.join(" "))
}
