//! What the requests of ocaml-docs-ci and mirage-ci have in common: they name their roots, and constrain versions of
//! any names.

use crate::error::Error;
use crate::observer::Observer;
use crate::protocols::{Response, Vars};
use crate::reach::closure;
use crate::repository::{LineageError, Repository, VersionDirectory};
use caravan_solver::problem::Constraint;
use caravan_solver::reduce::{Bound, Sets};
use caravan_solver::view::Masks;
use caravan_solver::{Dialect, Overrides, Platform, Request, Root, Setting, SolveError, Solver, Stop, Stopped, View};
use opam_parser::index::{Index, PackageId, Part};
use opam_parser::name::PackageName;
use opam_parser::syntax::RelOp;
use opam_parser::version::Version;
use std::sync::Arc;
use std::time::Instant;

/// Why a request has no selections at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RequestError {
    /// Nobody waits for it, or it took too long.
    #[error("{0}")]
    Stopped(Stopped),
    /// Something is wrong.
    #[error("{0}")]
    Message(String),
}

/// What comes out on a platform.
pub(super) struct PlatformAnswer {
    /// The packages to install, or why there is no solution.
    pub(super) selection: Result<Vec<PackageId>, Vec<String>>,
    /// How long it took, in seconds.
    seconds: f64,
}

impl PlatformAnswer {
    /// The line that says how solving ended.
    pub(super) fn log(&self, id: &str, observer: &dyn Observer) {
        let ended = if self.selection.is_ok() { "found solution" } else { "eliminated all possibilities" };
        observer.log(&format!("{id}: {ended} in {:.2} s", self.seconds));
    }
}

/// The lines that say why a platform has no solution.
pub(super) fn log_reasons(facts: &[String], observer: &dyn Observer) {
    observer.log("Can't find all required versions.");
    facts.iter().for_each(|fact| observer.log(fact));
}

impl RequestError {
    fn message(error: impl std::fmt::Display) -> Self {
        Self::Message(error.to_string())
    }
}

impl From<LineageError> for RequestError {
    fn from(error: LineageError) -> Self {
        match error {
            LineageError::Stopped(why) => Self::Stopped(why),
            error => Self::message(error),
        }
    }
}

impl From<Error> for RequestError {
    fn from(error: Error) -> Self {
        Self::message(error)
    }
}

/// The response to a request. That it was stopped is no response.
pub(super) fn response<T: serde::Serialize>(selections: Result<Vec<T>, RequestError>) -> Result<Response<T>, Error> {
    match selections {
        Ok(selections) => Ok(Response::Ok(selections)),
        Err(RequestError::Message(text)) => Ok(Response::message(text)),
        Err(RequestError::Stopped(why)) => Err(why.into()),
    }
}

/// A constraint as a request writes it.
pub(super) fn constraint(name: &str, op: RelOp, version: &str) -> Result<(PackageName, Constraint), RequestError> {
    let wrong = || RequestError::Message(format!("`{name}` or `{version}` is malformed"));
    let (known, version) = (PackageName::new(name), Version::new(version));
    Ok((known.ok_or_else(wrong)?, Constraint(op, version.ok_or_else(wrong)?)))
}

/// A request, read, with the part of the repositories that its roots can reach.
pub(super) struct PreparedRequest {
    /// The names that can be reached.
    pub(super) index: Index,
    roots: Vec<Root>,
    constraints: Vec<(PackageName, Constraint)>,
}

impl PreparedRequest {
    /// Finds what a request can concern. The first of the repositories is on top.
    ///
    /// # Errors
    /// When a name is none, or everything is too large.
    pub(super) fn new(
        repositories: &[Arc<Repository>],
        roots: &[String],
        constraints: Vec<(PackageName, Constraint)>,
    ) -> Result<Self, RequestError> {
        let tables: Vec<_> = repositories.iter().map(|repository| (repository.index(), repository.reach())).collect();
        let names = roots.iter().map(String::as_str);
        let reached = closure(&tables, names.chain(constraints.iter().map(|(name, _)| name.as_str())));
        let parts: Vec<Part<'_>> = repositories
            .iter()
            .zip(&reached)
            .map(|(repository, names)| Part { index: repository.index(), names: Some(names) })
            .collect();
        let index = Index::from_parts(&parts, &[]).map_err(RequestError::message)?;
        let root = |name: &String| {
            let wrong = || RequestError::Message(format!("`{name}` is no package name"));
            Ok(Root { name: PackageName::new(name).ok_or_else(wrong)?, constraints: vec![], flags: Default::default() })
        };
        Ok(Self { index, roots: roots.iter().map(root).collect::<Result<_, RequestError>>()?, constraints })
    }

    /// The request on a platform.
    ///
    /// # Errors
    /// When it was stopped, or something is wrong with it.
    pub(super) fn solve(&self, vars: &Vars, stop: &Stop) -> Result<PlatformAnswer, RequestError> {
        let began = Instant::now();
        let setting = Setting { dialect: Dialect::Opam0install, ..Setting::new(platform(vars)) };
        let view = View::of(&self.index, &setting).with_overrides(self.excluded());
        let request = Request { roots: self.roots.clone(), ..Request::default() };
        let selection = match Solver::new(&view).stop(stop).solve(&request) {
            Ok(selection) => Ok(selection.packages().to_vec()),
            Err(SolveError::Stopped(why)) => return Err(RequestError::Stopped(why)),
            Err(SolveError::NoSolution | SolveError::UnknownName { .. } | SolveError::UnknownVersion { .. }) => {
                Err(match Solver::new(&view).stop(stop).explain_facts(&request) {
                    Ok(facts) => facts.iter().map(ToString::to_string).collect(),
                    Err(error) => vec![error.to_string()],
                })
            }
            Err(error) => return Err(RequestError::message(error)),
        };
        Ok(PlatformAnswer { selection, seconds: began.elapsed().as_secs_f64() })
    }

    /// The texts of packages: `NAME.VERSION`.
    pub(super) fn texts(&self, packages: &[PackageId]) -> Vec<String> {
        packages.iter().map(|package| self.index.package_text(*package)).collect()
    }

    /// The directory of a package's version.
    pub(super) fn directory(&self, package: PackageId) -> VersionDirectory {
        let name = self.index.name(self.index.package_name(package)).to_owned();
        VersionDirectory { name, package: self.index.package_text(package) }
    }

    /// The versions that a constraint does not allow.
    fn excluded(&self) -> Overrides {
        let mut overrides = Overrides::new();
        let index = &self.index;
        for (name, Constraint(op, version)) in &self.constraints {
            let Some(name) = index.find_name(name.as_str()) else { continue };
            let allowed = Masks(index).constraint(name, *op, Bound::Text(version.as_str()));
            let versions = index.versions_of(name).enumerate();
            versions.filter(|(place, _)| !allowed.contains(*place)).for_each(|(_, package)| overrides.exclude(package));
        }
        overrides
    }

    /// The place of the repository that a package is from.
    pub(super) fn origin(&self, package: PackageId) -> Option<usize> {
        // Layer 0 is that of the pins, of which there are none.
        self.index.file(self.index.package_file(package)).layer.checked_sub(1)
    }
}

/// The platform's variables.
fn platform(vars: &Vars) -> Platform {
    let mut platform = Platform::default();
    for (name, value) in [
        ("arch", vars.arch.as_str()),
        ("os", &vars.os),
        ("os-family", &vars.os_family),
        ("os-distribution", &vars.os_distribution),
        ("os-version", &vars.os_version),
        ("opam-version", "2.1.0"),
    ] {
        platform.set(name, value);
    }
    platform
}
