//! A request on its platforms.

use super::compatible::is_compatible;
use super::given::{self, GivenPackage};
use super::request::PreparedRequest;
use crate::protocols::Refusal;
use crate::protocols::solver_service::Vars;
use caravan_solver::problem::{Constraint, Preference};
use caravan_solver::{
    Dialect, Flags, Overrides, Platform, Request, Root, Selection, Setting, SolveError, Solver, Stop, Stopped, View,
};
use opam_parser::index::{Index, NameId, PackageId};
use opam_parser::name::PackageName;
use opam_parser::syntax::RelOp;
use opam_parser::version::Version;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// What comes out on a platform, but for the commits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PlatformResult {
    /// What the log gets.
    pub(super) lines: Vec<String>,
    /// What to install; `None`: there is no solution, or no root is meant for the platform.
    pub(super) selection: Option<PlatformSelection>,
    /// How long it took, in seconds.
    pub(super) seconds: f64,
}

/// What to install on a platform.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PlatformSelection {
    /// Those of the roots that are meant for it.
    pub(super) compat_pkgs: Vec<String>,
    /// All packages, roots included.
    pub(super) packages: Vec<String>,
    /// For each package the place of its repository in the request; `None` for what the request brings.
    pub(super) origins: Vec<Option<u32>>,
}

/// Solves on every platform; also says how many package versions were looked at. Platforms that look the same to
/// packages share what is worked out for them.
///
/// # Errors
/// When it is cancelled, takes too long, or a file that matters is broken.
pub(super) fn solve(prepared: &PreparedRequest<'_>, stop: &Stop) -> Result<(Vec<PlatformResult>, u64), Refusal> {
    let mut views: Vec<((bool, Platform), View<'_>)> = Vec::new();
    let mut places = Vec::new();
    for ((_, vars), (index, with_betas)) in prepared.request.platforms.iter().zip(prepared.indexes()) {
        let key = (with_betas, platform(vars));
        let known = views.iter().position(|(known, _)| *known == key);
        places.push(known.unwrap_or(views.len()));
        if known.is_none() {
            let setting = Setting { dialect: Dialect::SolverService, ..Setting::new(key.1.clone()) };
            // What the request brings counts as available: only what is looked for has to be.
            let view = View::of(index, &setting).with_overrides(available(index, &prepared.pins));
            views.push((key, view));
        }
    }
    let one = |((id, vars), place): (&(String, Vars), &usize)| {
        PlatformRequest { prepared, view: &views[*place].1, id, vars }.solve(stop)
    };
    let results = prepared.request.platforms.par_iter().zip(&places).map(one).collect::<Result<_, _>>()?;
    Ok((results, views.iter().map(|(_, view)| view.explored() as u64).sum()))
}

/// What the request brings, made available.
fn available(index: &Index, pins: &[GivenPackage]) -> Overrides {
    let mut overrides = Overrides::new();
    let packages = pins.iter().filter_map(|pin| given::find(index, pin));
    packages.for_each(|package| overrides.make_available(package));
    overrides
}

/// A request on one platform.
struct PlatformRequest<'p> {
    prepared: &'p PreparedRequest<'p>,
    view: &'p View<'p>,
    id: &'p str,
    vars: &'p Vars,
}

impl PlatformRequest<'_> {
    fn solve(&self, stop: &Stop) -> Result<PlatformResult, Refusal> {
        let Self { view, id, vars, .. } = self;
        let index = view.index();
        let began = Instant::now();
        let seconds = || began.elapsed().as_secs_f64();
        let fits = |root: &&GivenPackage| {
            given::find(index, root).is_some_and(|package| is_compatible(view, package, &vars.ocaml_version))
        };
        let compatible: Vec<&GivenPackage> = self.prepared.roots.iter().filter(fits).collect();
        if compatible.is_empty() {
            let lines = vec![format!("{id}: not available for this platform")];
            return Ok(PlatformResult { lines, selection: None, seconds: seconds() });
        }
        let request = self.request(&compatible)?;
        self.check_broken_files(&request)?;
        match Solver::new(view).stop(stop).solve(&request) {
            Ok(selection) => {
                let selection = self.selection(&selection, &compatible);
                let lines = vec![
                    format!("{id}: found solution in {:.2} s", seconds()),
                    format!("= {id} ="),
                    format!("-> {}", selection.packages.join(" ")),
                ];
                Ok(PlatformResult { lines, selection: Some(selection), seconds: seconds() })
            }
            Err(SolveError::Stopped(Stopped::Cancelled)) => Err(Refusal::Cancelled),
            // Something that is asked for does not exist, or does not fit.
            Err(SolveError::NoSolution | SolveError::UnknownName { .. } | SolveError::UnknownVersion { .. }) => {
                let mut lines = vec![format!("{id}: eliminated all possibilities in {:.2} s", seconds())];
                match Solver::new(view).stop(stop).explain_facts(&request) {
                    Ok(facts) => lines.extend(facts.iter().map(ToString::to_string)),
                    Err(error) => lines.push(error.to_string()),
                }
                Ok(PlatformResult { lines, selection: None, seconds: seconds() })
            }
            Err(error) => Err(Refusal::Msg(error.to_string())),
        }
    }

    fn selection(&self, selection: &Selection, compatible: &[&GivenPackage]) -> PlatformSelection {
        let index = self.view.index();
        // Layer 0 is that of the pins; the last of the repositories comes next.
        let repositories = self.prepared.repository_count();
        let origin = |package: &PackageId| {
            let layer = index.file(index.package_file(*package)).layer;
            repositories.checked_sub(layer).filter(|_| layer > 0).map(|place| place as u32)
        };
        PlatformSelection {
            compat_pkgs: compatible.iter().map(|(name, version, _)| format!("{name}.{version}")).collect(),
            packages: selection.packages().iter().map(|package| index.package_text(*package)).collect(),
            origins: selection.packages().iter().map(origin).collect(),
        }
    }

    /// The compiler and the roots that are meant for the platform, these with their tests.
    fn request(&self, roots: &[&GivenPackage]) -> Result<Request, Refusal> {
        let vars = self.vars;
        let wrong = || Refusal::Msg(format!("{}.{} is no package", vars.ocaml_package, vars.ocaml_version));
        let exactly = |name: PackageName, version: Version, flags| Root {
            name,
            constraints: vec![Constraint(RelOp::Eq, version)],
            flags,
        };
        let compiler = exactly(
            PackageName::new(&vars.ocaml_package).ok_or_else(wrong)?,
            Version::new(&vars.ocaml_version).ok_or_else(wrong)?,
            Flags::default(),
        );
        let flags = Flags { with_test: true, ..Flags::default() };
        let roots = roots.iter().map(|(name, version, _)| exactly(name.clone(), version.clone(), flags));
        let prefer = if vars.lower_bound { Preference::Oldest } else { Preference::Newest };
        Ok(Request { roots: std::iter::once(compiler).chain(roots).collect(), prefer, ..Request::default() })
    }

    /// A file that cannot be read fails the request if its name is looked at: any that a root, or any version of
    /// something that it needs, needs or conflicts with.
    fn check_broken_files(&self, request: &Request) -> Result<(), Refusal> {
        let index = self.view.index();
        let broken: Vec<_> = index.broken_files().collect();
        if broken.is_empty() {
            return Ok(());
        }
        let mut seen = vec![false; index.name_count()];
        let mut work: Vec<NameId> =
            request.roots.iter().filter_map(|root| index.find_name(root.name.as_str())).collect();
        while let Some(name) = work.pop() {
            if std::mem::replace(&mut seen[name.place()], true) {
                continue;
            }
            for package in index.versions_of(name) {
                let compiled = self.view.package(package);
                work.extend(compiled.needs().map(|(name, _)| name));
                work.extend(compiled.conflicts.iter().map(|(name, _)| *name));
            }
        }
        match broken.into_iter().find(|file| seen[index.file_name(*file).place()]) {
            None => Ok(()),
            Some(file) => {
                let what = index.problems(file).next().map(|(found, _)| found.message).unwrap_or_default();
                Err(Refusal::Msg(format!("Error parsing {}: {what}", index.file_text(file))))
            }
        }
    }
}

/// The platform's variables.
fn platform(vars: &Vars) -> Platform {
    let mut platform = Platform::default();
    for (name, value) in [
        ("arch", vars.arch.as_str()),
        ("os", &vars.os),
        ("os-distribution", &vars.os_distribution),
        ("os-version", &vars.os_version),
        ("os-family", &vars.os_family),
        ("opam-version", &vars.opam_version),
        ("ocaml:native", "true"),
    ] {
        platform.set(name, value);
    }
    platform
}
