//! What `opam install NAME` would choose, before and after.

use super::Sides;
use super::installability::is_gone;
use caravan_solver::{Request, Root, Selection, SolveError, Stop, View, solve_until};
use opam_parser::index::{Index, NameId};
use opam_parser::name::PackageName;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::Serialize;
use std::collections::BTreeMap;

/// A name whose best selection is another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reselected {
    /// The name that is asked for.
    pub name: String,
    /// What differs between the selections, in opam's order.
    pub differences: Vec<Difference>,
}

/// One package of two selections.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Difference {
    /// Its name.
    pub name: String,
    /// Its version before; `None` if it was not selected.
    pub before: Option<String>,
    /// Its version after; `None` if it is not selected.
    pub after: Option<String>,
}

/// The best selections of a name that exists in both states.
pub(super) struct Best {
    name: NameId,
    pub(super) before: Option<Selection>,
    pub(super) after: Option<Selection>,
}

/// The best selections of all names of which some version is affected.
pub(super) fn best_of_names(sides: &Sides<'_, '_>, stop: &Stop) -> Result<Vec<Best>, SolveError> {
    let Sides { step, request, before, after, affected_before, affected_after } = sides;
    let touched = |index: &Index, affected: &[bool], name: NameId| {
        index.versions_of(name).any(|package| affected[package.place()])
    };
    let pairs: Vec<(NameId, NameId)> = step
        .before
        .names()
        .filter_map(|name| Some((name, step.matching.name_after(name)?)))
        .filter(|(was, is)| touched(step.before, affected_before, *was) || touched(step.after, affected_after, *is))
        .collect();
    let solve = |(was, is): &(NameId, NameId)| {
        Ok(Best { name: *was, before: best(before, request, *was, stop)?, after: best(after, request, *is, stop)? })
    };
    pairs.par_iter().map(solve).collect()
}

/// The names whose best selection differs, in opam's order. Names that have none in one of the states
/// are not among them: that is another finding.
pub(super) fn reselected(sides: &Sides<'_, '_>, best: &[Best]) -> Vec<Reselected> {
    let (before, after) = (sides.step.before, sides.step.after);
    let compare = |best: &Best| {
        let differences = differences(before, best.before.as_ref()?, after, best.after.as_ref()?);
        let name = before.name(best.name).to_owned();
        (!differences.is_empty()).then_some(Reselected { name, differences })
    };
    best.par_iter().filter_map(compare).collect()
}

/// The best selections of the later state, by name there.
pub(super) fn by_name(sides: &Sides<'_, '_>, best: Vec<Best>) -> FxHashMap<NameId, Selection> {
    let later = |best: Best| Some((sides.step.matching.name_after(best.name)?, best.after?));
    best.into_iter().filter_map(later).collect()
}

fn best(view: &View<'_>, request: &Request, name: NameId, stop: &Stop) -> Result<Option<Selection>, SolveError> {
    let mut request = request.clone();
    let Some(name) = PackageName::new(view.index().name(name)) else { return Ok(None) };
    request.roots.push(Root { name, constraints: vec![], flags: caravan_solver::Flags::default() });
    match solve_until(view, &request, stop) {
        Ok(selection) => Ok(Some(selection)),
        Err(SolveError::NoSolution) => Ok(None),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn differences(a: &Index, old: &Selection, b: &Index, new: &Selection) -> Vec<Difference> {
    let mut versions: BTreeMap<PackageName, [Option<&str>; 2]> = BTreeMap::new();
    for (side, (index, selection)) in [(a, old), (b, new)].into_iter().enumerate() {
        for package in selection.packages() {
            let Some(name) = PackageName::new(index.name(index.package_name(*package))) else { continue };
            versions.entry(name).or_default()[side] = Some(index.version(index.package_version(*package)));
        }
    }
    let differs = versions.into_iter().filter(|(_, [before, after])| before != after);
    let difference = |(name, [before, after]): (PackageName, [Option<&str>; 2])| Difference {
        name: name.to_string(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
    };
    differs.map(difference).collect()
}
