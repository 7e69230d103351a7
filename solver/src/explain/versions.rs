//! Why the versions of an answer are not newer (or, with `oldest`, not older).

use super::{Fact, Statement, facts};
use crate::engine::Var;
use crate::mask::Mask;
use crate::problem::{Flags, Request};
use crate::question::{Question, ResolvedRoot};
use crate::solve::search::{Answer, Search};
use crate::solve::{Selection, SolveError, error, limited, selection};
use crate::stop::Stop;
use crate::view::View;
use opam_parser::index::{NameId, PackageId};

/// A package of an answer of which there is a version that would have been preferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBack {
    /// The package in the answer.
    pub package: PackageId,
    /// The version at the end of the list: the newest, or the oldest.
    pub best: PackageId,
    /// What holds it back, given what was decided before it.
    pub facts: Vec<Fact>,
}

/// The best selection, and for each package in it that is not at its newest version (with `oldest`, at
/// its oldest) the reason.
///
/// # Errors
/// As [`solve`](crate::solve()).
pub fn explain_versions(
    view: &View<'_>,
    request: &Request,
    stop: &Stop,
) -> Result<(Selection, Vec<HeldBack>), SolveError> {
    let stop = limited(request, stop);
    let question = Question::new(&[view], request)?;
    let answer = Search::new(&question, &stop).best().map_err(error)?;
    let mut held_back = Vec::new();
    for place in 0..answer.decisions.len() {
        held_back.extend(reason(view, request, &question, &answer, place, &stop)?);
    }
    held_back.sort_by_key(|held| held.package);
    Ok((selection(&question, &answer.decisions, 0), held_back))
}

fn reason(
    view: &View<'_>,
    request: &Request,
    question: &Question<'_, '_>,
    answer: &Answer,
    place: usize,
    stop: &Stop,
) -> Result<Option<HeldBack>, SolveError> {
    let (Var::Name(_, name), value) = answer.decisions[place] else { return Ok(None) };
    let range = view.index().package_range(name);
    let (package, own) = (PackageId(range.start + value - 1), value as usize - 1);
    let older = question.wants_oldest(view, name);
    let (mut best, mut better) = match older {
        true => (PackageId(range.start), Mask::range(range.len(), 0, own)),
        false => (PackageId(range.end - 1), Mask::range(range.len(), own + 1, range.len())),
    };
    // An older version that differs only in its packaging may come after this one.
    if let Some(order) = view.by_revision(name).filter(|_| older && !question.lower_bounds.revisions) {
        let before = order.iter().take_while(|place| **place as usize != own);
        better = Mask::empty(range.len());
        before.for_each(|place| better.insert(*place as usize));
        best = order.first().map_or(best, |place| PackageId(range.start + place));
    }
    if better.is_empty() {
        return Ok(None);
    }
    let selected = |name: NameId, mask: Mask, text: String| ResolvedRoot {
        name,
        mask,
        flags: Flags::default(),
        exact: false,
        text,
        selected: true,
    };
    // The same question with what was decided before, and something better here.
    let mut asked = Question::new(&[view], request)?;
    let mut allowed = answer.allowed.clone().unwrap_or_else(|| {
        let all = view.index().packages().filter(|package| view.is_avoided(*package));
        all.map(|package| (0, package)).collect()
    });
    if !view.is_avoided(package) {
        allowed.retain(|(_, other)| !range.contains(*other));
    }
    asked.allowed = Some(allowed);
    for (var, value) in &answer.decisions[..place] {
        match var {
            Var::Name(_, earlier) => {
                let versions = view.index().package_range(*earlier);
                let at = *value as usize - 1;
                let text = view.index().package_text(PackageId(versions.start + value - 1));
                let mask = Mask::range(versions.len(), at, at + 1);
                asked.sides[0].roots.push(selected(*earlier, mask, text));
            }
            Var::Choice(_, owner, choice) => drop(asked.branches.insert((*owner, *choice), value - 1)),
            _ => {}
        }
    }
    let direction = if older { "older" } else { "newer" };
    asked.sides[0].roots.push(selected(name, better, format!("a {direction} {}", view.index().name(name))));
    let mut facts = facts(&asked, stop)?;
    let wanted = format!("a {direction} {}", view.index().name(name));
    facts.retain(|fact| !matches!(&fact.statement, Statement::Selected { package } if *package == wanted));
    Ok(Some(HeldBack { package, best, facts }))
}
