//! What `opam install NAME` would choose, before and after.

use crate::target_views::TargetViews;
use caravan_solver::target::is_unknown;
use caravan_solver::{Request, Root, Selection, SolveError, Solver, Stop, Stopped, View};
use opam_parser::index::{Index, NameId};
use opam_parser::name::PackageName;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// A name whose best selection is another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reselected {
    /// The name that is asked for.
    pub name: String,
    /// What differs between the selections, in opam's order.
    pub differences: Vec<SelectionDifference>,
}

/// One package of two selections.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SelectionDifference {
    /// Its name.
    pub name: String,
    /// Its version before; `None` if it was not selected.
    pub before: Option<String>,
    /// Its version after; `None` if it is not selected.
    pub after: Option<String>,
}

/// The best selections of a name that exists in both states.
pub(super) struct BestSelections {
    name: NameId,
    pub(super) before: Option<Selection>,
    pub(super) after: Option<Selection>,
    /// Whether both searches ended.
    pub(super) told: bool,
}

/// The best selections of all names of which some version is affected.
pub(super) fn best_of_names(views: &TargetViews<'_, '_>, stop: &Stop) -> Result<Vec<BestSelections>, SolveError> {
    let TargetViews { repository, request, before, after, affected_before, affected_after } = views;
    let is_affected = |index: &Index, affected: &[bool], name: NameId| {
        index.versions_of(name).any(|package| affected[package.place()])
    };
    let pairs: Vec<(NameId, NameId)> = repository
        .before
        .names()
        .filter_map(|name| Some((name, repository.matching.name_after(name)?)))
        .filter(|(was, is)| {
            is_affected(repository.before, affected_before, *was) || is_affected(repository.after, affected_after, *is)
        })
        .collect();
    let solve = |(was, is): &(NameId, NameId)| {
        let states = [best(before, request, *was, stop), best(after, request, *is, stop)];
        let told = !states.iter().any(|found| matches!(found, Err(SolveError::Stopped(Stopped::Steps))));
        let [before, after] = states.map(|found| match found {
            Err(SolveError::Stopped(Stopped::Steps)) => Ok(None),
            found => found,
        });
        Ok(BestSelections { name: *was, before: before?, after: after?, told })
    };
    pairs.par_iter().map(solve).collect()
}

/// The names whose best selection differs, in opam's order. Names that have none in one of the states
/// are not among them: that is another finding.
pub(super) fn reselected(views: &TargetViews<'_, '_>, best: &[BestSelections]) -> Vec<Reselected> {
    let (before, after) = (views.repository.before, views.repository.after);
    let compare = |best: &BestSelections| {
        let differences = differences(before, best.before.as_ref()?, after, best.after.as_ref()?);
        let name = before.name(best.name).to_owned();
        (!differences.is_empty()).then_some(Reselected { name, differences })
    };
    best.par_iter().filter_map(compare).collect()
}

/// The names of which the best selection of one of the states was not found in the steps that a search may take.
pub(super) fn not_told<'b>(
    views: &TargetViews<'b, '_>,
    best: &'b [BestSelections],
) -> impl Iterator<Item = String> + use<'b> {
    let index = views.repository.before;
    let names: Vec<String> =
        best.iter().filter(|best| !best.told).map(|best| index.name(best.name).to_owned()).collect();
    names.into_iter()
}

/// The best selections of the later state, by name there.
pub(super) fn by_name(views: &TargetViews<'_, '_>, best: Vec<BestSelections>) -> FxHashMap<NameId, Selection> {
    let later = |best: BestSelections| Some((views.repository.matching.name_after(best.name)?, best.after?));
    best.into_iter().filter_map(later).collect()
}

fn best(view: &View<'_>, request: &Request, name: NameId, stop: &Stop) -> Result<Option<Selection>, SolveError> {
    let mut request = request.clone();
    let Some(name) = PackageName::new(view.index().name(name)) else { return Ok(None) };
    request.roots.push(Root { name, constraints: vec![], flags: caravan_solver::Flags::default() });
    match Solver::new(view).stop(stop).solve(&request) {
        Ok(selection) => Ok(Some(selection)),
        Err(SolveError::NoSolution) => Ok(None),
        Err(error) if is_unknown(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn differences(a: &Index, old: &Selection, b: &Index, new: &Selection) -> Vec<SelectionDifference> {
    selection_differences(&versions(a, old), &versions(b, new))
}

fn versions<'i>(index: &'i Index, selection: &Selection) -> BTreeMap<PackageName, &'i str> {
    let version = |package| index.version(index.package_version(package));
    let name = |package| PackageName::new(index.name(index.package_name(package)));
    selection.packages().iter().filter_map(|package| Some((name(*package)?, version(*package)))).collect()
}

/// What differs between two selections, given as versions by name.
pub(crate) fn selection_differences<V: AsRef<str>>(
    old: &BTreeMap<PackageName, V>,
    new: &BTreeMap<PackageName, V>,
) -> Vec<SelectionDifference> {
    let text = |version: Option<&V>| version.map(|version| version.as_ref().to_owned());
    let mut names: Vec<&PackageName> = old.keys().chain(new.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let difference = |name: &PackageName| SelectionDifference {
        name: name.to_string(),
        before: text(old.get(name)),
        after: text(new.get(name)),
    };
    let all = names.into_iter().map(difference);
    all.filter(|difference| difference.before != difference.after).collect()
}
