//! What plans are made for: platforms of the catalogue, and packages.

use super::names::matches_any;
use crate::answer::NotTold;
use crate::error::{Error, ErrorKind};
use crate::observer::Observer;
use crate::platform::{Description, platforms};
use caravan_planning::catalogue::{Catalogue, CatalogueEntry, CatalogueError};
use caravan_planning::matrix::{Matrix, PlatformError, TargetView, latest};
use caravan_solver::compiler::compiler;
use caravan_solver::target::Target;
use caravan_solver::{Platform, Request, SolveError, Solver, Stop, Stopped, View};
use opam_parser::index::{Index, PackageId};

/// The question's catalogue, or caravan's.
pub(super) fn catalogue(toml: Option<&str>) -> Result<Catalogue, Error> {
    Ok(toml.map_or_else(Catalogue::builtin, Catalogue::parse)?)
}

/// The platforms of a set, or a platform.
pub(super) fn entries(catalogue: &Catalogue, index: &Index, text: &str) -> Result<Vec<CatalogueEntry>, Error> {
    match catalogue.set(index, text) {
        Ok(entries) if entries.is_empty() => Err(Error::new(
            ErrorKind::UnknownPackage,
            format!("the repository has no compiler for any platform of `{text}`"),
        )),
        Ok(entries) => Ok(entries),
        Err(CatalogueError::UnknownSet(_)) => Ok(vec![catalogue.platform(index, text)?]),
        Err(error) => Err(error.into()),
    }
}

/// The platforms of a plan, as a question names them.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlatformNames<'q> {
    /// Platforms of the catalogue, sets of them, or `OS/ARCH[/DISTRO]`.
    pub(super) platforms: &'q [String],
    /// Compilers for the machine, or for every `OS/ARCH[/DISTRO]`.
    pub(super) ocaml: &'q [String],
    /// The platform that compilers are for if no platform is named; `None`: Linux on x86_64.
    pub(super) machine: Option<&'q Platform>,
    /// A catalogue in TOML instead of the built-in one.
    pub(super) catalogue: Option<&'q str>,
}

/// A platform to plan for.
pub(super) struct PlanPlatform {
    /// What is asked of every package there.
    pub(super) target: Target,
    /// `None` for a platform that is not from the catalogue.
    pub(super) entry: Option<CatalogueEntry>,
}

impl From<CatalogueEntry> for PlanPlatform {
    fn from(entry: CatalogueEntry) -> Self {
        Self { target: entry.target(&Request::default()), entry: Some(entry) }
    }
}

/// The platforms that a question names; `usual` if it names none. Each is there once.
pub(super) fn plan_platforms(names: PlatformNames<'_>, index: &Index, usual: &str) -> Result<Vec<PlanPlatform>, Error> {
    let catalogue = catalogue(names.catalogue)?;
    let (described, named): (Vec<String>, Vec<String>) =
        names.platforms.iter().cloned().partition(|text| text.contains('/'));
    if !names.ocaml.is_empty() && described.is_empty() && !named.is_empty() {
        return Err(Error::question(
            "a platform of the catalogue has its compiler, so `--ocaml` cannot be used with it",
        )
        .with_hint("write `--platform debian-13-5.4`, or `--platform linux/x86_64/debian-13 --ocaml 5.4`"));
    }
    let mut found: Vec<PlanPlatform> = Vec::new();
    for text in &named {
        found.extend(entries(&catalogue, index, text)?.into_iter().map(PlanPlatform::from));
    }
    if !described.is_empty() || named.is_empty() && !names.ocaml.is_empty() {
        let machines = match described.as_slice() {
            [] => vec![names.machine.cloned().unwrap_or_else(Platform::linux_x86_64)],
            described => platforms(described, &Description::default())?,
        };
        for platform in machines {
            found.extend(with_compilers(index, &platform, names.ocaml)?);
        }
    }
    if found.is_empty() {
        found.extend(entries(&catalogue, index, usual)?.into_iter().map(PlanPlatform::from));
    }
    let mut labels: Vec<String> = Vec::new();
    found.retain(|platform| {
        let new = !labels.contains(&platform.target.label);
        labels.push(platform.target.label.clone());
        new
    });
    Ok(found)
}

/// A platform with each of some compilers, or with any compiler if there are none.
fn with_compilers(index: &Index, platform: &Platform, ocaml: &[String]) -> Result<Vec<PlanPlatform>, Error> {
    if ocaml.is_empty() {
        let target = Target { label: platform.summary(), platform: platform.clone(), request: Request::default() };
        return Ok(vec![PlanPlatform { target, entry: None }]);
    }
    let with = |version: &String| {
        let request = Request { roots: vec![compiler(index, version)?], ..Request::default() };
        let label = format!("{}, OCaml {version}", platform.summary());
        Ok(PlanPlatform { target: Target { label, platform: platform.clone(), request }, entry: None })
    };
    ocaml.iter().map(with).collect()
}

/// What is asked of every package on each platform.
pub(super) fn targets(platforms: &[PlanPlatform]) -> Vec<Target> {
    platforms.iter().map(|platform| platform.target.clone()).collect()
}

/// The packages whose names match one of some patterns: all versions, or the newest of each name (rule D18).
pub(super) fn packages(patterns: &[String], all_versions: bool, index: &Index) -> Result<Vec<PackageId>, Error> {
    let names = index.names().filter(|name| matches_any(patterns, index.name(*name)));
    let versions: Vec<PackageId> = names.flat_map(|name| index.versions_of(name)).collect();
    let found = if all_versions { versions } else { latest(index, &versions) };
    match (found.is_empty(), patterns) {
        (true, [pattern]) if !pattern.contains(['*', '?']) => {
            let near: Vec<String> =
                index.near_names(pattern, 3).into_iter().map(|name| index.name(name).to_owned()).collect();
            Err(Error::unknown_package(pattern, &near))
        }
        (true, [_, ..]) => {
            Err(Error::new(ErrorKind::UnknownPackage, format!("no package is called {}", patterns.join(" or ")))
                .with_hint("`caravan list '*WORD*'` searches the names"))
        }
        _ => Ok(found),
    }
}

/// Does what solves for many packages, and tells the observer how many of them are done.
pub(super) fn count_solved<T>(
    observer: &dyn Observer,
    total: usize,
    work: impl FnOnce(&(dyn Fn(usize) + Sync)) -> T,
) -> T {
    let result = work(&|done| observer.progress("solving", done, total));
    observer.progress("solving", total, total);
    result
}

/// What a plan leaves out because it could not be told whether it can be installed.
///
/// # Errors
/// When it was stopped: then the plan is none.
pub(super) fn not_told(matrix: &Matrix<'_>, stop: &Stop) -> Result<Vec<NotTold>, Error> {
    stop.check()?;
    let told = |(platform, package, why): (usize, PackageId, Stopped)| {
        let TargetView { target, view } = &matrix.platforms[platform];
        NotTold { package: view.index().package_text(package), reason: format!("{}: {why}", target.label) }
    };
    Ok(matrix.not_told().map(told).collect())
}

/// The error of a plan: on a platform whose compiler has no solution nothing can be planned.
pub(super) fn plan_error(
    index: &Index,
    targets: &[Target],
    PlatformError { platform: label, error }: PlatformError,
    stop: &Stop,
) -> Error {
    let target = targets.iter().find(|target| target.label == label);
    if let (SolveError::NoSolution, Some(target)) = (&error, target) {
        let view = View::new(index, &target.platform);
        let made =
            Error::new(ErrorKind::No, format!("nothing can be installed on {label}: its compiler has no solution"));
        return match Solver::new(&view).stop(stop).explain(&target.request) {
            Ok(explanation) => made.with_details(explanation.to_string()),
            Err(_) => made,
        };
    }
    error.into()
}
