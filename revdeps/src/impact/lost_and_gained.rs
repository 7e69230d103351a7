//! Versions that can be installed before a change and not after, and the other way round.

use crate::changes::ChangeKind;
use crate::target_views::{InstallablePackages, TargetViews};
use caravan_solver::explain::Fact;
use caravan_solver::target::is_unknown;
use caravan_solver::{Flags, Request, Root, SolveError, Solver, Stop, Stopped, Verdict};
use opam_parser::index::PackageId;
use rayon::prelude::*;

/// A version that could be installed and cannot any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// `NAME.VERSION`
    pub package: String,
    /// Whose doing it is.
    pub cause: Cause,
    /// Why it cannot be installed; nothing where it is not there any more.
    pub facts: Vec<Fact>,
}

/// Whose doing it is that a version cannot be installed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// It was deleted.
    Deleted,
    /// Its new opam file cannot be read.
    BrokenFile,
    /// It was made unavailable everywhere.
    Unavailable,
    /// Its own file changed, so that it is for other compilers or platforms now.
    Restricted,
    /// Its own file changed, so that nothing can install it.
    Itself,
    /// Its own file is the same; something that it depends on changed.
    Dependencies,
}

impl Cause {
    /// Whether nobody can have meant it.
    pub fn breaks(self) -> bool {
        match self {
            Self::Deleted | Self::Unavailable | Self::Restricted => false,
            Self::BrokenFile | Self::Itself | Self::Dependencies => true,
        }
    }
}

/// A version that can be installed now and could not before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gained {
    /// `NAME.VERSION`
    pub package: String,
    /// It was not there before.
    pub new: bool,
}

/// A new version that cannot be installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// `NAME.VERSION`
    pub package: String,
    /// It can be with another compiler or on another of the platforms, or is not meant for this one.
    pub elsewhere: bool,
    /// Why not here.
    pub facts: Vec<Fact>,
}

/// What became of the packages that a change affects, each list in opam's order.
#[derive(Debug, Default)]
pub(super) struct LostAndGained {
    pub(super) lost: Vec<Lost>,
    pub(super) gained: Vec<Gained>,
    pub(super) refused: Vec<Refused>,
    /// `NAME.VERSION` of those that can be installed neither before nor after.
    pub(super) broken_before: Vec<String>,
    /// `NAME.VERSION` of those of which the search took too many steps.
    pub(super) not_told: Vec<String>,
}

/// What became of each affected package, with explanations.
pub(super) fn lost_and_gained(
    views: &TargetViews<'_, '_>,
    known: &InstallablePackages,
    stop: &Stop,
) -> Result<LostAndGained, SolveError> {
    let repository = views.repository;
    let mut findings = LostAndGained::default();
    let mut lost: Vec<(PackageId, Option<PackageId>)> = Vec::new();
    for package in repository.before.packages() {
        let Some(was) = known.before[package.place()] else { continue };
        let after = repository.matching.after(package);
        let is = after.and_then(|after| known.after[after.place()]).unwrap_or(Verdict::Not);
        if [was, is].iter().any(|verdict| matches!(verdict, Verdict::NotTold(_))) {
            findings.not_told.push(repository.before.package_text(package));
            continue;
        }
        match (was.is_installable(), is.is_installable()) {
            (true, false) => lost.push((package, after)),
            (false, true) => {
                findings.gained.push(Gained { package: repository.before.package_text(package), new: false })
            }
            (false, false) if after.is_some() => findings.broken_before.push(repository.before.package_text(package)),
            _ => {}
        }
    }
    let new = repository.after.packages().filter(|package| repository.matching.before(*package).is_none());
    let verdict = |package: &PackageId| known.after[package.place()].unwrap_or(Verdict::Not);
    let (not_told, told): (Vec<PackageId>, Vec<PackageId>) =
        new.partition(|package| matches!(verdict(package), Verdict::NotTold(_)));
    let (here, refused): (Vec<PackageId>, Vec<PackageId>) =
        told.into_iter().partition(|package| verdict(package).is_installable());
    findings.not_told.extend(not_told.iter().map(|package| repository.after.package_text(*package)));
    findings
        .gained
        .extend(here.iter().map(|package| Gained { package: repository.after.package_text(*package), new: true }));
    findings.gained.sort_by_cached_key(|gained| opam_parser::name::split_package(&gained.package));
    findings.lost = lost.par_iter().map(|(was, is)| explain_lost(views, *was, *is, stop)).collect::<Result<_, _>>()?;
    let refusal = |package: &PackageId| {
        let text = repository.after.package_text(*package);
        let elsewhere = match is_for_others(views, *package, stop) {
            Err(SolveError::Stopped(Stopped::Steps)) => return Ok(Err(text)),
            found => found?,
        };
        Ok(Ok(Refused { package: text, elsewhere, facts: why(views, *package, stop)? }))
    };
    let refused: Vec<Result<Refused, String>> = refused.par_iter().map(refusal).collect::<Result<_, SolveError>>()?;
    for found in refused {
        match found {
            Ok(refused) => findings.refused.push(refused),
            Err(not_told) => findings.not_told.push(not_told),
        }
    }
    findings.not_told.sort_by_cached_key(|package| opam_parser::name::split_package(package));
    Ok(findings)
}

fn explain_lost(
    views: &TargetViews<'_, '_>,
    was: PackageId,
    is: Option<PackageId>,
    stop: &Stop,
) -> Result<Lost, SolveError> {
    let repository = views.repository;
    let package = repository.before.package_text(was);
    let change = || repository.changes.packages.iter().find(|change| change.to_string() == package);
    let Some(is) = is else {
        let broken = change().is_some_and(|change| change.kind == ChangeKind::Broken);
        let cause = if broken { Cause::BrokenFile } else { Cause::Deleted };
        return Ok(Lost { package, cause, facts: vec![] });
    };
    let cause = match () {
        () if repository.matching.is_same(was) => Cause::Dependencies,
        () if change().is_some_and(|change| change.kind == ChangeKind::Unavailable) => Cause::Unavailable,
        () => match is_for_others(views, is, stop) {
            // It cannot be installed here, and nothing is known of elsewhere.
            Err(SolveError::Stopped(Stopped::Steps)) => Cause::Itself,
            found => {
                if found? {
                    Cause::Restricted
                } else {
                    Cause::Itself
                }
            }
        },
    };
    Ok(Lost { package, cause, facts: why(views, is, stop)? })
}

/// Whether a package is not meant for this platform, or can be installed with another compiler.
fn is_for_others(views: &TargetViews<'_, '_>, package: PackageId, stop: &Stop) -> Result<bool, SolveError> {
    if !views.after.is_available(package) {
        return Ok(true);
    }
    let roots = Root::exactly(views.repository.after, package, Flags::default()).into_iter().collect();
    match Solver::new(&views.after).stop(stop).solve(&Request { roots, ..views.request.clone() }) {
        Ok(_) => Ok(true),
        Err(SolveError::NoSolution) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Why a package cannot be installed after the change.
fn why(views: &TargetViews<'_, '_>, package: PackageId, stop: &Stop) -> Result<Vec<Fact>, SolveError> {
    let mut request = views.request.clone();
    request.roots.extend(Root::exactly(views.repository.after, package, Flags::default()));
    match Solver::new(&views.after).stop(stop).explain_facts(&request) {
        // The compiler is gone: what there is to say is said by the error.
        Err(error) if is_unknown(&error) => Ok(vec![]),
        facts => facts,
    }
}
