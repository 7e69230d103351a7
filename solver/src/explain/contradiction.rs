//! The facts that together exclude an answer.

use super::derivation::{self, Derivation};
use super::fact::Fact;
use super::{translate, unsat_core, words};
use crate::error::SolveError;
use crate::question::Question;
use crate::solve::cycle;
use crate::stop::{Stop, Stopped};

/// The facts that exclude an answer, nearest to the question first. None where they take more steps to find than they may.
pub(super) fn facts(question: &Question<'_, '_>, stop: &Stop) -> Result<Vec<Fact>, SolveError> {
    let mut cycles = Vec::new();
    let sources = loop {
        let derived = match derivation::derive(question, &cycles, stop) {
            Err(SolveError::Stopped(Stopped::Steps)) => return Ok(vec![]),
            derived => derived?,
        };
        match derived {
            Derivation::Contradiction(sources) => break sources,
            Derivation::Solvable(decisions) => match cycle::find(question, &decisions) {
                Some(cycle) => cycles.push(cycle),
                None => return Err(SolveError::Solvable),
            },
        }
    };
    let clauses = unsat_core::unsat_core(question, translate::clauses(question, &cycles, sources), stop);
    stop.check()?;
    Ok(words::facts(question, &cycles, &clauses))
}
