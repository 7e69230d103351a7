//! One request on several platforms, with the same versions where that is possible.

use super::search::{self, Search};
use crate::error::{PlatformError, SolveError};
use crate::problem::Request;
use crate::question::Question;
use crate::selection::Selection;
use crate::stop::Stop;
use crate::view::View;
use opam_parser::index::NameId;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

/// Selections for several platforms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformSelections {
    /// One for each platform, in their order.
    pub selections: Vec<Selection>,
    /// The names that cannot all have one version on all of these platforms. Of these, none could be
    /// made to agree while the others differ.
    pub differing: Vec<NameId>,
}

/// Finds selections for several platforms.
pub(crate) fn solve(views: &[&View<'_>], request: &Request, stop: &Stop) -> Result<PlatformSelections, PlatformError> {
    let on = |platform: usize| move |error: SolveError| PlatformError { platform, error };
    let Some(first) = views.first() else { return Ok(PlatformSelections { selections: vec![], differing: vec![] }) };
    if let Some(platform) = views.iter().position(|view| !std::ptr::eq(view.index(), first.index())) {
        return Err(on(platform)(SolveError::DifferentIndexes));
    }
    let limit = usize::from(u8::MAX);
    if views.len() > limit {
        return Err(on(limit)(SolveError::TooManyPlatforms { limit }));
    }
    let mut alone = Vec::with_capacity(views.len());
    for (platform, view) in views.iter().enumerate() {
        alone.push(search::solve(view, request, stop, false).map_err(on(platform))?);
    }
    solve_jointly(views, request, &alone, stop).map_err(on(0))
}

/// Finds selections that agree as far as possible, given those for each platform alone.
fn solve_jointly(
    views: &[&View<'_>],
    request: &Request,
    alone: &[Selection],
    stop: &Stop,
) -> Result<PlatformSelections, SolveError> {
    // With these apart, the answers for each platform by itself are an answer for all.
    let mut differing = differing(views, alone);
    let mut question = Question::new(views, request)?;
    for name in differing.clone() {
        let without: FxHashSet<NameId> = differing.iter().copied().filter(|other| *other != name).collect();
        question.differing = Some(without);
        match Search::new(&question, stop).any() {
            Ok(_) => differing.retain(|other| *other != name),
            Err(SolveError::NoSolution) => {}
            Err(error) => return Err(error),
        }
    }
    question.differing = Some(differing.iter().copied().collect());
    let answer = Search::new(&question, stop).best()?;
    let selections = (0..views.len() as u8).map(|platform| answer.selection(&question, platform)).collect();
    Ok(PlatformSelections { selections, differing })
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
