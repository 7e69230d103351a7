//! mirage-ci: several repositories, of which the earlier ones are on top.

use super::{Question, Refusal, Vars, refused, response};
use crate::solver_service::LineageError;
use crate::worker::Held;
use caravan_solver::Stop;
use caravan_solver::problem::Constraint;
use opam_parser::name::PackageName;
use opam_parser::syntax::RelOp;
use opam_parser::version::Version;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SolveRequest {
    /// Repositories: a name, the directory of a clone, and a commit.
    pub opam_repos_folders: Vec<(String, String, String)>,
    /// The packages that must be installed.
    pub pkgs: Vec<String>,
    /// Versions that packages have if they are installed.
    pub constraints: Vec<(String, String)>,
    /// The platforms, each with a name for it.
    pub platforms: Vec<(String, Vars)>,
}

/// The answer for a platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// The platform's name.
    pub id: String,
    /// What to install.
    pub packages: Vec<String>,
    /// For each repository that is needed its name and the oldest commit at which the answer is the same.
    pub commits: Vec<(String, String)>,
}

/// Answers a request, in JSON. `held` are the repositories, in its order.
///
/// # Errors
/// When it is cancelled or takes too long.
pub fn answer(
    held: &[Arc<Held>],
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
    held: &[Arc<Held>],
    request: &SolveRequest,
    log: &mut dyn FnMut(&str),
    stop: &Stop,
) -> Result<Vec<Selection>, Refusal> {
    let constraint = |(name, version): &(String, String)| {
        let wrong = || Refusal::Msg(format!("`{name}` or `{version}` is malformed"));
        let (known, version) = (PackageName::new(name), Version::new(version));
        Ok((known.ok_or_else(wrong)?, Constraint(RelOp::Eq, version.ok_or_else(wrong)?)))
    };
    let constraints = request.constraints.iter().map(constraint).collect::<Result<Vec<_>, Refusal>>()?;
    let reached = Question { states: held.iter().collect(), roots: &request.pkgs, constraints }.reached()?;
    let mut selections = Vec::new();
    for (id, vars) in &request.platforms {
        let (_, Some(packages)) = reached.solve((id, vars), log, stop)? else { continue };
        let mut watched: Vec<FxHashSet<String>> = vec![FxHashSet::default(); held.len()];
        for package in &packages {
            if let Some(watched) = reached.origin(*package).and_then(|place| watched.get_mut(place)) {
                watched.insert(reached.index.package_text(*package));
            }
        }
        let mut commits = Vec::new();
        for ((held, (name, ..)), watched) in held.iter().zip(&request.opam_repos_folders).zip(&watched) {
            if !watched.is_empty() {
                let oldest =
                    held.lineage.oldest_with(&held.name.commit, watched, stop).map_err(|error| match error {
                        LineageError::Stopped(why) => Refusal::Stopped(why),
                        error => refused(error),
                    })?;
                commits.push((name.clone(), oldest));
            }
        }
        let packages = packages.iter().map(|package| reached.index.package_text(*package)).collect();
        selections.push(Selection { id: id.clone(), packages, commits });
    }
    Ok(selections)
}
