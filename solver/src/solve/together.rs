//! One request on several platforms, with the same versions where that is possible.

use super::search::{Failed, Search};
use super::{Selection, SolveError, error, limited, selection};
use crate::problem::Request;
use crate::question::Question;
use crate::stop::Stop;
use crate::view::View;
use opam_parser::index::NameId;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

/// Selections for several platforms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Together {
    /// One for each platform, in their order.
    pub selections: Vec<Selection>,
    /// The names that cannot all have one version on all of these platforms. Of these, none could be
    /// made to agree while the others differ.
    pub differing: Vec<NameId>,
}

/// Finds selections for several platforms in which every package has the same version on all that
/// have it, where that is possible. The first platform comes first for each root.
///
/// # Errors
/// As [`solve`](crate::solve()), with the place of the platform: the first that has no answer by
/// itself.
pub fn solve_together(views: &[&View<'_>], request: &Request, stop: &Stop) -> Result<Together, (usize, SolveError)> {
    let stop = limited(request, stop);
    let Some(first) = views.first() else { return Ok(Together { selections: vec![], differing: vec![] }) };
    if let Some(place) = views.iter().position(|view| !std::ptr::eq(view.index(), first.index())) {
        return Err((place, SolveError::DifferentIndexes));
    }
    let limit = usize::from(u8::MAX);
    if views.len() > limit {
        return Err((limit, SolveError::TooManyPlatforms { limit }));
    }
    let mut alone = Vec::with_capacity(views.len());
    for (place, view) in views.iter().enumerate() {
        alone.push(super::solve_until(view, request, &stop).map_err(|error| (place, error))?);
    }
    // With these apart, the answers for each platform by itself are an answer for all.
    let mut differing = differing(views, &alone);
    let mut question = Question::new(views, request).map_err(|error| (0, error))?;
    for name in differing.clone() {
        let without: FxHashSet<NameId> = differing.iter().copied().filter(|other| *other != name).collect();
        question.differing = Some(without);
        match Search::new(&question, &stop).exists() {
            Ok(_) => differing.retain(|other| *other != name),
            Err(Failed::NoSolution) => {}
            Err(failed) => return Err((0, error(failed))),
        }
    }
    question.differing = Some(differing.iter().copied().collect());
    let answer = Search::new(&question, &stop).best().map_err(|failed| (0, error(failed)))?;
    let selections = (0..views.len() as u8).map(|side| selection(&question, &answer.decisions, side)).collect();
    Ok(Together { selections, differing })
}

/// The names with different versions in different selections.
fn differing(views: &[&View<'_>], selections: &[Selection]) -> Vec<NameId> {
    let mut versions = BTreeMap::new();
    let mut differing = Vec::new();
    for (view, selection) in views.iter().zip(selections) {
        for package in selection.packages() {
            let name = view.index().package_name(*package);
            if *versions.entry(name).or_insert(*package) != *package && !differing.contains(&name) {
                differing.push(name);
            }
        }
    }
    differing.sort_unstable();
    differing
}
