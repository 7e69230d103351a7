//! A request on its platforms.

use super::request::{PreparedPlatform, PreparedRequest};
use crate::protocols::Refusal;
use crate::protocols::solver_service::Vars;
use caravan_solver::problem::{Constraint, Preference};
use caravan_solver::{
    Dialect, Flags, Platform, Request, Root, Selection, Setting, SolveError, Solver, Stop, Stopped, View,
};
use opam_parser::index::Index;
use opam_parser::name::{PackageName, split_package};
use opam_parser::syntax::RelOp;
use opam_parser::version::Version;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// What comes out on a platform, but for the commits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PlatformResult {
    pub(super) outcome: PlatformOutcome,
    /// How long it took, in seconds.
    pub(super) seconds: f64,
}

/// How solving on a platform ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum PlatformOutcome {
    /// No root is meant for it.
    NotAvailable,
    /// There is a solution.
    Solution(PlatformSelection),
    /// There is none, for these reasons.
    NoSolution(Vec<String>),
    /// Something that the solver asked for cannot be read: the request fails.
    Unreadable(String),
}

/// What to install on a platform.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PlatformSelection {
    /// Those of the roots that are meant for it.
    pub(super) compat_pkgs: Vec<String>,
    /// All packages, roots included.
    pub(super) packages: Vec<SelectedPackage>,
}

/// A package of a selection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SelectedPackage {
    /// `NAME`
    pub(super) name: String,
    /// `NAME.VERSION`
    pub(super) package: String,
}

/// Solves on every platform; also says how many package versions were looked at. Platforms that look the same to
/// packages share what is worked out for them.
///
/// # Errors
/// When it is cancelled, or takes too long.
pub(super) fn solve(prepared: &PreparedRequest<'_>, stop: &Stop) -> Result<(Vec<PlatformResult>, u64), Refusal> {
    let indexes: Vec<&Index> = prepared.indexes().collect();
    let mut views: Vec<((usize, &Platform), View<'_>)> = Vec::new();
    let mut places: FxHashMap<usize, usize> = FxHashMap::default();
    for (number, PreparedPlatform { variables, index, .. }) in prepared.platforms.iter().enumerate() {
        let known = views.iter().position(|(known, _)| *known == (*index, variables));
        places.insert(number, known.unwrap_or(views.len()));
        if known.is_none() {
            let setting = Setting { dialect: Dialect::SolverService, ..Setting::new(variables.clone()) };
            views.push(((*index, variables), View::of(indexes[*index], &setting)));
        }
    }
    let one = |(number, (platform, (_, vars))): (usize, (&PreparedPlatform, &(String, Vars)))| {
        PlatformRequest { prepared, view: &views[places[&number]].1, platform, vars }.solve(stop)
    };
    let platforms: Vec<_> = prepared.platforms.iter().zip(&prepared.request.platforms).enumerate().collect();
    let results = platforms.into_par_iter().map(one).collect::<Result<_, _>>()?;
    Ok((results, views.iter().map(|(_, view)| view.explored() as u64).sum()))
}

/// A request on one platform.
struct PlatformRequest<'p> {
    prepared: &'p PreparedRequest<'p>,
    view: &'p View<'p>,
    platform: &'p PreparedPlatform,
    vars: &'p Vars,
}

impl PlatformRequest<'_> {
    fn solve(&self, stop: &Stop) -> Result<PlatformResult, Refusal> {
        let began = Instant::now();
        let outcome = self.outcome(stop)?;
        Ok(PlatformResult { outcome, seconds: began.elapsed().as_secs_f64() })
    }

    fn outcome(&self, stop: &Stop) -> Result<PlatformOutcome, Refusal> {
        if self.platform.compatible.is_empty() {
            return Ok(PlatformOutcome::NotAvailable);
        }
        let request = self.request()?;
        let brought = self.prepared.brought(&self.platform.compatible);
        let brings = |name: &str| brought.iter().any(|(own, ..)| own.as_str() == name);
        if let Some(message) = self.prepared.unreadable.first_asked_for(self.view, &request, &brings) {
            return Ok(PlatformOutcome::Unreadable(message.to_owned()));
        }
        match Solver::new(self.view).stop(stop).solve(&request) {
            Ok(selection) => Ok(PlatformOutcome::Solution(self.selection(&selection))),
            Err(SolveError::Stopped(Stopped::Cancelled)) => Err(Refusal::Cancelled),
            // Something that is asked for does not exist, or does not fit.
            Err(SolveError::NoSolution | SolveError::UnknownName { .. } | SolveError::UnknownVersion { .. }) => {
                let facts = match Solver::new(self.view).stop(stop).explain_facts(&request) {
                    Ok(facts) => facts.iter().map(ToString::to_string).collect(),
                    Err(error) => vec![error.to_string()],
                };
                Ok(PlatformOutcome::NoSolution(facts))
            }
            Err(error) => Err(Refusal::Msg(error.to_string())),
        }
    }

    fn selection(&self, selection: &Selection) -> PlatformSelection {
        let index = self.view.index();
        let selected = selection.packages().iter().map(|package| SelectedPackage {
            name: index.name(index.package_name(*package)).to_owned(),
            package: index.package_text(*package),
        });
        let roots = self.platform.compatible.iter().map(|place| &self.prepared.roots[*place]);
        PlatformSelection {
            compat_pkgs: roots.map(|(name, version, _)| format!("{name}.{version}")).collect(),
            packages: selected.collect(),
        }
    }

    /// The compiler and the roots that are meant for the platform, these with their tests. What the request brings has
    /// the version that it brings, the compiler, too (rule C4).
    fn request(&self) -> Result<Request, Refusal> {
        let vars = self.vars;
        let wrong = || Refusal::Msg(format!("{}.{} is no package", vars.ocaml_package, vars.ocaml_version));
        let compiler = split_package(&format!("{}.{}", vars.ocaml_package, vars.ocaml_version));
        let (ocaml, version) = compiler.ok_or_else(wrong)?;
        let brought = self.prepared.brought(&self.platform.compatible);
        let find = |name: &PackageName| brought.iter().find(|(own, ..)| own == name);
        let exactly = |name: &PackageName, version: &Version, flags| Root {
            name: name.clone(),
            constraints: vec![Constraint(RelOp::Eq, version.clone())],
            flags,
        };
        let version = find(&ocaml).map_or(&version, |(_, version, _)| version);
        let flags = Flags { with_test: true, ..Flags::default() };
        let mut roots = vec![exactly(&ocaml, version, Flags::default())];
        for place in &self.platform.compatible {
            let (name, ..) = &self.prepared.roots[*place];
            let Some((_, version, _)) = find(name) else { continue };
            match roots.iter_mut().find(|root| root.name == *name) {
                Some(root) => root.flags = flags,
                None => roots.push(exactly(name, version, flags)),
            }
        }
        let prefer = if vars.lower_bound { Preference::Oldest } else { Preference::Newest };
        Ok(Request { roots, prefer, ..Request::default() })
    }
}
