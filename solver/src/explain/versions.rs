//! Why the versions of an answer are not newer (or, with `oldest`, not older).

use super::contradiction::facts;
use super::fact::{Fact, Statement};
use crate::engine::Variable;
use crate::error::SolveError;
use crate::mask::Mask;
use crate::problem::{Flags, Request};
use crate::question::{Question, ResolvedRoot};
use crate::selection::Selection;
use crate::solve::search::{Answer, Search};
use crate::stop::Stop;
use crate::value::Value;
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
pub(crate) fn explain_versions(
    view: &View<'_>,
    request: &Request,
    stop: &Stop,
) -> Result<(Selection, Vec<HeldBack>), SolveError> {
    let question = Question::new(&[view], request)?;
    let answer = Search::new(&question, stop).best()?;
    let asked = Asked { view, request, question: &question, answer: &answer };
    let mut held_back = Vec::new();
    for place in 0..answer.decisions.len() {
        held_back.extend(asked.explain(place, stop)?);
    }
    held_back.sort_by_key(|held| held.package);
    Ok((answer.selection(&question, 0), held_back))
}

struct Asked<'a, 'q, 'i> {
    view: &'q View<'i>,
    request: &'a Request,
    question: &'a Question<'q, 'i>,
    answer: &'a Answer,
}

/// The versions that would have been preferred to a package of the answer.
struct Preferred {
    package: PackageId,
    /// The one that would have been preferred to all others.
    best: PackageId,
    versions: Mask,
    /// `newer`, or `older`.
    comparison: &'static str,
}

impl<'q, 'i> Asked<'_, 'q, 'i> {
    /// What holds back the package of a decision, if something does.
    fn explain(&self, place: usize, stop: &Stop) -> Result<Option<HeldBack>, SolveError> {
        let (Variable::Name(_, name), value) = self.answer.decisions[place] else { return Ok(None) };
        let Some(Preferred { package, best, versions, comparison }) = self.preferred(name, value) else {
            return Ok(None);
        };
        let mut question = self.after(place, package)?;
        let wanted = format!("a {comparison} {}", self.view.index().name(name));
        question.platforms[0].roots.push(selected(name, versions, wanted.clone()));
        let mut facts = facts(&question, stop)?;
        facts.retain(|fact| !matches!(&fact.statement, Statement::Selected { package } if *package == wanted));
        Ok(Some(HeldBack { package, best, facts }))
    }

    fn preferred(&self, name: NameId, value: Value) -> Option<Preferred> {
        let range = self.view.index().package_range(name);
        let (own, package) = (value.position()?, value.package(range)?);
        let older = self.question.wants_oldest(self.view, name);
        let by_revision = self.view.by_revision(name).filter(|_| older && !self.question.lower_bounds.revisions);
        let (best, versions) = match by_revision {
            // An older version that differs only in its packaging may come after this one.
            Some(order) => {
                let mut versions = Mask::empty(range.len());
                order.iter().take_while(|position| **position != own).for_each(|position| versions.insert(*position));
                (range.get(*order.first()?)?, versions)
            }
            None if older => (range.first()?, Mask::range(range.len(), 0, own)),
            None => (range.last()?, Mask::range(range.len(), own + 1, range.len())),
        };
        let comparison = if older { "older" } else { "newer" };
        (!versions.is_empty()).then_some(Preferred { package, best, versions, comparison })
    }

    /// The same question with everything that was decided before a package.
    fn after(&self, place: usize, package: PackageId) -> Result<Question<'q, 'i>, SolveError> {
        let index = self.view.index();
        let mut question = Question::new(&[self.view], self.request)?;
        let mut allowed = self.answer.allowed.clone().unwrap_or_else(|| {
            let all = index.packages().filter(|package| self.view.is_avoided(*package));
            all.map(|package| (0, package)).collect()
        });
        if !self.view.is_avoided(package) {
            let range = index.package_range(index.package_name(package));
            allowed.retain(|(_, other)| !range.contains(*other));
        }
        question.allowed = Some(allowed);
        for (variable, value) in &self.answer.decisions[..place] {
            match variable {
                Variable::Name(_, earlier) => {
                    let versions = index.package_range(*earlier);
                    let (Some(at), Some(package)) = (value.position(), value.package(versions)) else { continue };
                    let mask = Mask::range(versions.len(), at, at + 1);
                    question.platforms[0].roots.push(selected(*earlier, mask, index.package_text(package)));
                }
                Variable::Choice(_, owner, choice) => {
                    question.branches.extend(value.position().map(|branch| ((*owner, *choice), branch)));
                }
                _ => {}
            }
        }
        Ok(question)
    }
}

/// A root that was not asked for.
fn selected(name: NameId, mask: Mask, text: String) -> ResolvedRoot {
    ResolvedRoot { name, mask, flags: Flags::default(), exact: false, text, selected: true }
}
