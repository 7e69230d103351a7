//! Which of the packages that a change affects can be installed before it and after it.

use super::best_selections::BestSelections;
use crate::target_views::{InstallablePackages, TargetViews};
use caravan_solver::target::is_unknown;
use caravan_solver::{Installability, Request, Selection, SolveError, Solver, Stop, Verdict, View};
use opam_parser::index::PackageId;

/// Decides every affected package in both states.
pub(super) fn decide(
    views: &TargetViews<'_, '_>,
    best: &[BestSelections],
    stop: &Stop,
) -> Result<InstallablePackages, SolveError> {
    let TargetViews { repository, request, before, after, affected_before, affected_after } = views;
    let matching = &repository.matching;
    // What is affected in one state is asked about in both.
    let targets_before: Vec<PackageId> = repository
        .before
        .packages()
        .filter(|package| {
            affected_before[package.place()]
                || matching.after(*package).is_some_and(|after| affected_after[after.place()])
        })
        .collect();
    let targets_after: Vec<PackageId> = repository
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
    let mut known_after: Vec<PackageId> = best_after.flatten().copied().collect();
    if let Ok(first) = &first {
        let selections = best_before.chain(first.witnesses.iter().map(Vec::as_slice));
        known_after.extend(installable_later(views, selections));
    }
    let second = installable(after, request, &targets_after, &known_after, stop);
    // With a compiler that is not there yet, or not any more, nothing can be installed.
    let none = |count: usize| Installability { verdicts: vec![Verdict::Not; count], witnesses: vec![] };
    let (first, second) = match (first, second) {
        (Ok(first), Err(error)) if is_unknown(&error) => (first, none(targets_after.len())),
        (Err(error), Ok(second)) if is_unknown(&error) => (none(targets_before.len()), second),
        (first, second) => (first?, second?),
    };
    let (first, second) = (first.verdicts, second.verdicts);
    let spread = |count: usize, targets: &[PackageId], verdicts: Vec<Verdict>| {
        let mut known = vec![None; count];
        targets.iter().zip(verdicts).for_each(|(package, verdict)| known[package.place()] = Some(verdict));
        known
    };
    Ok(InstallablePackages {
        before: spread(repository.before.package_count(), &targets_before, first),
        after: spread(repository.after.package_count(), &targets_after, second),
    })
}

/// The packages of the later state that selections of the earlier one show to be installable: most selections
/// of the earlier state are selections of the later one, too.
fn installable_later<'s>(
    views: &TargetViews<'_, '_>,
    selections: impl Iterator<Item = &'s [PackageId]>,
) -> impl Iterator<Item = PackageId> {
    let matching = &views.repository.matching;
    let later = |selection: &[PackageId]| -> Option<Vec<PackageId>> {
        let mut later: Vec<PackageId> =
            selection.iter().map(|package| matching.after(*package)).collect::<Option<_>>()?;
        later.sort_unstable();
        Some(later)
    };
    let kept: Vec<Vec<PackageId>> = selections.filter_map(later).collect();
    // Without the compiler nothing holds; the next question says so.
    let holding = Solver::new(&views.after).validate(views.request, &kept).unwrap_or_default();
    kept.into_iter().zip(holding).filter(|(_, holds)| *holds).flat_map(|(selection, _)| selection)
}

/// Which of some packages can be installed; nothing is asked where there are none.
fn installable(
    view: &View<'_>,
    request: &Request,
    targets: &[PackageId],
    known: &[PackageId],
    stop: &Stop,
) -> Result<Installability, SolveError> {
    match targets.is_empty() {
        true => Ok(Installability::default()),
        false => Solver::new(view).stop(stop).witnesses(request, targets, known),
    }
}
