//! ocaml-docs-ci: one repository; each selected package with all that it is built with.

use super::{Question, Reached, Refusal, Vars, refused, response};
use crate::solver_service::LineageError;
use crate::worker::Held;
use caravan_revdeps::{Options, edges};
use caravan_solver::problem::Constraint;
use caravan_solver::{Stop, View};
use opam_parser::index::PackageId;
use opam_parser::name::PackageName;
use opam_parser::syntax::RelOp;
use opam_parser::version::Version;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SolveRequest {
    /// The commit of opam-repository.
    pub opam_repository_commit: String,
    /// The packages that must be installed.
    pub pkgs: Vec<String>,
    /// What versions may be.
    pub constraints: Vec<(String, (Relation,), String)>,
    /// The platforms, each with a name for it.
    pub platforms: Vec<(String, Vars)>,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Relation {
    Eq,
    Geq,
    Gt,
    Leq,
    Lt,
    Neq,
}

impl From<Relation> for RelOp {
    fn from(relation: Relation) -> Self {
        match relation {
            Relation::Eq => Self::Eq,
            Relation::Geq => Self::Geq,
            Relation::Gt => Self::Gt,
            Relation::Leq => Self::Leq,
            Relation::Lt => Self::Lt,
            Relation::Neq => Self::Neq,
        }
    }
}

/// The answer for a platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// The platform's name.
    pub id: String,
    /// Every package with all that it is built with.
    pub packages: Vec<(String, Vec<String>)>,
    /// The oldest commit at which the answer is the same.
    pub commit: String,
}

/// Answers a request, in JSON.
///
/// # Errors
/// When it is cancelled or takes too long.
pub fn answer(
    held: &Arc<Held>,
    request: &SolveRequest,
    log: &mut dyn FnMut(&str),
    stop: &Stop,
) -> Result<Vec<u8>, Refusal> {
    match selections(held, request, log, stop) {
        Ok(selections) => Ok(response(&Ok(selections))),
        Err(Refusal::Msg(text)) => Ok(response::<Selection>(&Err(text))),
        Err(stopped) => Err(stopped),
    }
}

fn selections(
    held: &Arc<Held>,
    request: &SolveRequest,
    log: &mut dyn FnMut(&str),
    stop: &Stop,
) -> Result<Vec<Selection>, Refusal> {
    let constraint = |(name, (relation,), version): &(String, (Relation,), String)| {
        let wrong = || Refusal::Msg(format!("`{name}` or `{version}` is malformed"));
        let (known, version) = (PackageName::new(name), Version::new(version));
        Ok((known.ok_or_else(wrong)?, Constraint((*relation).into(), version.ok_or_else(wrong)?)))
    };
    let constraints = request.constraints.iter().map(constraint).collect::<Result<Vec<_>, Refusal>>()?;
    let reached = Question { states: vec![held], roots: &request.pkgs, constraints }.reached()?;
    let mut selections = Vec::new();
    for (id, vars) in &request.platforms {
        let (view, Some(packages)) = reached.solve((id, vars), log, stop)? else { continue };
        let watched = packages.iter().map(|package| reached.index.package_text(*package)).collect();
        let commit = held.lineage.oldest_with(&held.name.commit, &watched, stop).map_err(|error| match error {
            LineageError::Stopped(why) => Refusal::Stopped(why),
            error => refused(error),
        })?;
        selections.push(Selection { id: id.clone(), packages: universes(&reached, &view, &packages), commit });
    }
    Ok(selections)
}

/// For each package of a selection all that it is built with, optional dependencies included where they are
/// there.
fn universes(reached: &Reached, view: &View<'_>, packages: &[PackageId]) -> Vec<(String, Vec<String>)> {
    let mut needs: BTreeMap<PackageId, Vec<PackageId>> = BTreeMap::new();
    for (package, needed) in edges(view, packages, &Options { depopts: true, ..Options::default() }) {
        needs.entry(package).or_default().push(needed);
    }
    let text = |package: &PackageId| reached.index.package_text(*package);
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
