//! Why there is no answer: the few facts that exclude one, and what would make one possible.
//!
//! PubGrub's derivation names the facts of the opam files (`derivation`); they become clauses (`translate`), of
//! which those that say similar things are put together and those that do not matter are left out
//! (`unsat_core`, each trial decided by `satisfiability`); `words` says them as they are written in the files
//! (`written`); `hints` are found by trying.

mod clause;

mod contradiction;
mod derivation;
mod fact;
mod hints;
mod satisfiability;
mod translate;
mod unsat_core;
mod versions;
mod words;
mod written;

pub use fact::{Fact, Origin, Statement};
pub use hints::Hint;
pub use versions::HeldBack;
pub(crate) use versions::explain_versions;

use crate::error::SolveError;
use crate::problem::Request;
use crate::question::Question;
use crate::stop::Stop;
use crate::view::View;
use std::fmt;

/// Why a request has no answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// The facts that exclude one, nearest to the question first. None of them can be left out, unless
    /// there are so many that this could not be found out in a bounded number of steps.
    pub facts: Vec<Fact>,
    /// Changes to the request of which each alone gives an answer.
    pub hints: Vec<Hint>,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.facts.iter().map(ToString::to_string);
        let hints = self.hints.iter().map(|hint| format!("hint: {hint}"));
        f.write_str(&facts.chain(hints).collect::<Vec<_>>().join("\n"))
    }
}

/// Why a request has no answer, with hints.
pub(crate) fn explain(view: &View<'_>, request: &Request, stop: &Stop) -> Result<Explanation, SolveError> {
    let question = Question::new(&[view], request)?;
    let facts = contradiction::facts(&question, stop)?;
    Ok(Explanation { facts, hints: hints::hints(view, request, &question, stop)? })
}

/// Why a request has no answer, without hints.
pub(crate) fn explain_facts(view: &View<'_>, request: &Request, stop: &Stop) -> Result<Vec<Fact>, SolveError> {
    contradiction::facts(&Question::new(&[view], request)?, stop)
}
