//! Versions that can be installed before and not after, and the other way round.

use super::selections::Best;
use super::{Findings, Sides};
use crate::changes::Kind;
use caravan_solver::explain::Fact;
use caravan_solver::{
    Flags, Installability, Request, Root, Selection, SolveError, Stop, View, explain_facts, hold, solve_until,
    witnesses,
};
use opam_parser::index::PackageId;
use rayon::prelude::*;
use serde::Serialize;

/// A version that could be installed and cannot any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// `NAME.VERSION`
    pub package: String,
    /// Whose doing it is.
    pub cause: Cause,
    /// Why it cannot be installed; nothing where it is not there any more.
    pub facts: Vec<Fact>,
}

/// Whose doing it is that a version cannot be installed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gained {
    /// `NAME.VERSION`
    pub package: String,
    /// It was not there before.
    pub new: bool,
}

/// A new version that cannot be installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// `NAME.VERSION`
    pub package: String,
    /// It can be with another compiler or on another of the platforms, or is not meant for this one.
    pub elsewhere: bool,
    /// Why not here.
    pub facts: Vec<Fact>,
}

/// Which affected packages can be installed, by places; `None` for those that were not affected.
pub(crate) struct Known {
    pub(crate) before: Vec<Option<bool>>,
    pub(crate) after: Vec<Option<bool>>,
}

/// Decides every affected package in both states.
pub(super) fn decide(sides: &Sides<'_, '_>, best: &[Best], stop: &Stop) -> Result<Known, SolveError> {
    let Sides { step, request, before, after, affected_before, affected_after } = sides;
    let matching = &step.matching;
    // What is affected in one state is asked about in both.
    let targets_before: Vec<PackageId> = step
        .before
        .packages()
        .filter(|package| {
            affected_before[package.place()]
                || matching.after(*package).is_some_and(|after| affected_after[after.place()])
        })
        .collect();
    let targets_after: Vec<PackageId> = step
        .after
        .packages()
        .filter(|package| {
            affected_after[package.place()]
                || matching.before(*package).is_some_and(|before| affected_before[before.place()])
        })
        .collect();
    // The best selections of names are known already, and show much of it.
    let best_before = best.iter().filter_map(|best| best.before.as_ref()).map(Selection::packages);
    let best_after = best.iter().filter_map(|best| best.after.as_ref()).map(Selection::packages);
    let known_before: Vec<PackageId> = best_before.clone().flatten().copied().collect();
    let first = installable(before, request, &targets_before, &known_before, stop);
    // Most selections of the earlier state are selections of the later one, too.
    let mut kept: Vec<Vec<PackageId>> = Vec::new();
    if let Ok(first) = &first {
        let selections = best_before.chain(first.witnesses.iter().map(Vec::as_slice));
        let later = |selection: &[PackageId]| selection.iter().map(|package| matching.after(*package)).collect();
        kept.extend(selections.filter_map(later));
        kept.iter_mut().for_each(|selection: &mut Vec<PackageId>| selection.sort_unstable());
    }
    // Without the compiler nothing holds; the next question says so.
    let holding = hold(after, request, &kept).unwrap_or_default();
    let mut known_after: Vec<PackageId> = best_after.flatten().copied().collect();
    let holding = kept.iter().zip(holding).filter(|(_, holds)| *holds);
    known_after.extend(holding.flat_map(|(selection, _)| selection));
    let second = installable(after, request, &targets_after, &known_after, stop);
    // With a compiler that is not there yet, or not any more, nothing can be installed.
    let none = |count: usize| Installability { verdicts: vec![false; count], witnesses: vec![] };
    let (first, second) = match (first, second) {
        (Ok(first), Err(error)) if is_gone(&error) => (first, none(targets_after.len())),
        (Err(error), Ok(second)) if is_gone(&error) => (none(targets_before.len()), second),
        (first, second) => (first?, second?),
    };
    let (first, second) = (first.verdicts, second.verdicts);
    let spread = |count: usize, targets: &[PackageId], verdicts: Vec<bool>| {
        let mut known = vec![None; count];
        targets.iter().zip(verdicts).for_each(|(package, verdict)| known[package.place()] = Some(verdict));
        known
    };
    Ok(Known {
        before: spread(step.before.package_count(), &targets_before, first),
        after: spread(step.after.package_count(), &targets_after, second),
    })
}

/// Whether what every question asks for, such as a compiler, does not exist.
pub(super) fn is_gone(error: &SolveError) -> bool {
    matches!(error, SolveError::UnknownName { .. } | SolveError::UnknownVersion { .. } | SolveError::Broken { .. })
}

pub(super) fn installable(
    view: &View<'_>,
    request: &Request,
    targets: &[PackageId],
    known: &[PackageId],
    stop: &Stop,
) -> Result<Installability, SolveError> {
    match targets.is_empty() {
        true => Ok(Installability::default()),
        false => witnesses(view, request, targets, known, stop),
    }
}

/// What became of each affected package, with explanations.
pub(super) fn findings(sides: &Sides<'_, '_>, known: &Known, stop: &Stop) -> Result<Findings, SolveError> {
    let step = sides.step;
    let mut findings = Findings::default();
    let mut lost: Vec<(PackageId, Option<PackageId>)> = Vec::new();
    for package in step.before.packages() {
        let Some(was) = known.before[package.place()] else { continue };
        let after = step.matching.after(package);
        let is = after.is_some_and(|after| known.after[after.place()] == Some(true));
        match (was, is) {
            (true, false) => lost.push((package, after)),
            (false, true) => findings.gained.push(Gained { package: step.before.package_text(package), new: false }),
            (false, false) if after.is_some() => findings.broken_before.push(step.before.package_text(package)),
            _ => {}
        }
    }
    let new = step.after.packages().filter(|package| step.matching.before(*package).is_none());
    let (here, refused): (Vec<PackageId>, Vec<PackageId>) =
        new.partition(|package| known.after[package.place()] == Some(true));
    findings.gained.extend(here.iter().map(|package| Gained { package: step.after.package_text(*package), new: true }));
    findings.gained.sort_by_cached_key(|gained| opam_parser::name::split_package(&gained.package));
    findings.lost = lost.par_iter().map(|(was, is)| explain_lost(sides, *was, *is, stop)).collect::<Result<_, _>>()?;
    let refusal = |package: &PackageId| {
        Ok(Refused {
            package: step.after.package_text(*package),
            elsewhere: is_for_others(sides, *package, stop)?,
            facts: why(sides, *package, stop)?,
        })
    };
    findings.refused = refused.par_iter().map(refusal).collect::<Result<_, SolveError>>()?;
    Ok(findings)
}

fn explain_lost(sides: &Sides<'_, '_>, was: PackageId, is: Option<PackageId>, stop: &Stop) -> Result<Lost, SolveError> {
    let step = sides.step;
    let package = step.before.package_text(was);
    let change = || step.changes.packages.iter().find(|change| change.to_string() == package);
    let Some(is) = is else {
        let broken = change().is_some_and(|change| change.kind == Kind::Broken);
        let cause = if broken { Cause::BrokenFile } else { Cause::Deleted };
        return Ok(Lost { package, cause, facts: vec![] });
    };
    let cause = match () {
        () if step.matching.is_same(was) => Cause::Dependencies,
        () if change().is_some_and(|change| change.kind == Kind::Unavailable) => Cause::Unavailable,
        () if is_for_others(sides, is, stop)? => Cause::Restricted,
        () => Cause::Itself,
    };
    Ok(Lost { package, cause, facts: why(sides, is, stop)? })
}

/// Whether a package is not meant for this platform, or can be installed with another compiler.
fn is_for_others(sides: &Sides<'_, '_>, package: PackageId, stop: &Stop) -> Result<bool, SolveError> {
    if !sides.after.is_available(package) {
        return Ok(true);
    }
    let roots = Root::exactly(sides.step.after, package, Flags::default()).into_iter().collect();
    match solve_until(&sides.after, &Request { roots, ..sides.request.clone() }, stop) {
        Ok(_) => Ok(true),
        Err(SolveError::NoSolution) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Why a package cannot be installed after the change.
fn why(sides: &Sides<'_, '_>, package: PackageId, stop: &Stop) -> Result<Vec<Fact>, SolveError> {
    let mut request = sides.request.clone();
    request.roots.extend(Root::exactly(sides.step.after, package, Flags::default()));
    match explain_facts(&sides.after, &request, stop) {
        // The compiler is gone: what there is to say is said by the error.
        Err(error) if is_gone(&error) => Ok(vec![]),
        facts => facts,
    }
}
