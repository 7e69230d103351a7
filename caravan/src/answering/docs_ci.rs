//! Answers requests of ocaml-docs-ci.

use super::context::Context;
use super::named_roots::{PreparedRequest, RequestError, constraint, response};
use crate::error::Error;
use crate::protocols::docs_ci::{Relation, Selection, SolveRequest, SolveResponse};
use crate::question::DocsCi;
use crate::repository::Repository;
use caravan_revdeps::{Options, edges};
use caravan_solver::View;
use opam_parser::index::{PackageId, Precedence};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Answers a request. That it was stopped is an error; everything else that is wrong with it is its response.
pub(super) fn answer(question: &DocsCi, context: &mut Context<'_>) -> Result<SolveResponse, Error> {
    let place = context.repositories.locate(&question.name(), context.observer)?;
    let repository = context.repositories.open(&[place], Precedence::FirstWins, context.observer)?;
    response(selections(&repository, &question.request, context))
}

fn selections(
    repository: &Arc<Repository>,
    request: &SolveRequest,
    context: &Context<'_>,
) -> Result<Vec<Selection>, RequestError> {
    let read =
        |(name, (relation,), version): &(String, (Relation,), String)| constraint(name, (*relation).into(), version);
    let constraints = request.constraints.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let prepared = PreparedRequest::new(std::slice::from_ref(repository), &request.pkgs, constraints)?;
    let mut selections = Vec::new();
    for (id, vars) in &request.platforms {
        let (view, selected) = prepared.solve((id, vars), context.observer, context.stop)?;
        let Some(packages) = selected else { continue };
        let watched = packages.iter().map(|package| prepared.index.package_text(*package)).collect();
        let (commit, lineage) = repository.lineage()?;
        let commit = lineage.oldest_with(commit, &watched, context.stop)?;
        selections.push(Selection { id: id.clone(), packages: universes(&view, &packages), commit });
    }
    Ok(selections)
}

/// For each package of a selection all that it is built with, optional dependencies included where they are there.
fn universes(view: &View<'_>, packages: &[PackageId]) -> Vec<(String, Vec<String>)> {
    let mut needs: BTreeMap<PackageId, Vec<PackageId>> = BTreeMap::new();
    for (package, needed) in edges(view, packages, &Options { depopts: true, ..Options::default() }) {
        needs.entry(package).or_default().push(needed);
    }
    let text = |package: &PackageId| view.index().package_text(*package);
    let universe = |package: &PackageId| {
        let mut found = BTreeSet::new();
        let mut work = vec![*package];
        while let Some(at) = work.pop() {
            work.extend(needs.get(&at).into_iter().flatten().filter(|needed| found.insert(**needed)));
        }
        // A circle of optional dependencies may lead back.
        found.remove(package);
        (text(package), found.iter().map(text).collect())
    };
    packages.iter().map(universe).collect()
}
