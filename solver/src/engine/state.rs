//! Everything that a run of the search works on.

use super::assumptions::Assumptions;
use super::implication::Implications;
use super::incompatibility::Incompatibilities;
use super::partial_solution::PartialSolution;
use super::variable::VariableTable;
use crate::question::Question;

pub(super) struct State<'q, 'i, const W: usize> {
    pub(super) question: &'q Question<'q, 'i>,
    pub(super) assumptions: Assumptions<'q>,
    pub(super) table: VariableTable,
    pub(super) solution: PartialSolution<W>,
    pub(super) implications: Implications<W>,
    pub(super) incompatibilities: Incompatibilities<W>,
    /// Steps that were done since the limit was looked at: implications, values and incompatibilities that were met.
    pub(super) steps: u64,
}

impl<'q, 'i, const W: usize> State<'q, 'i, W> {
    pub(super) fn new(question: &'q Question<'q, 'i>, assumptions: Assumptions<'q>) -> Self {
        Self {
            question,
            assumptions,
            table: VariableTable::new(question),
            solution: PartialSolution::new(),
            implications: Implications::new(),
            incompatibilities: Incompatibilities::new(),
            steps: 0,
        }
    }
}
