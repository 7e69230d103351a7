//! The partial solution: what the variables may still be, and the trail of assignments that led there.

use super::bits::Bits;
use super::decision_order::{DecisionOrder, Position};
use super::incompatibility::Term;
use super::variable::{Variable, VariableId, VariableState};
use crate::value::Value;

/// Why a variable lost values.
#[derive(Clone, Copy)]
pub(super) enum Reason {
    /// It was decided on.
    Decision,
    /// The owner has this value, and the value has this implication.
    Implication { owner: VariableId, value: Value, implication: u32 },
    /// Values were excluded because implications of theirs are violated: an incompatibility of these
    /// terms, of which the first is the variable with the excluded values.
    Exclusion { start: u32, end: u32 },
    /// All terms of this incompatibility but the variable's are satisfied.
    Incompatibility(u32),
}

/// An entry of the trail: a variable lost values. A decision leaves it one, a derivation at least one.
pub(super) struct Assignment<const W: usize> {
    pub(super) variable: VariableId,
    /// Its domain before.
    pub(super) before: Bits<W>,
    /// The variable's assignment before this one.
    pub(super) previous: Option<u32>,
    pub(super) reason: Reason,
    pub(super) decision_level: u32,
}

/// The state when a decision was made.
struct DecisionLevel {
    /// How long the trail was.
    trail: u32,
    order: Position,
}

/// A variable would lose its last value: the reason, an incompatibility, is satisfied.
pub(super) struct Conflict {
    pub(super) variable: VariableId,
    pub(super) reason: Reason,
}

/// Everything that a backjump undoes.
pub(super) struct PartialSolution<const W: usize> {
    pub(super) variables: Vec<VariableState<W>>,
    trail: Vec<Assignment<W>>,
    /// How many assignments of the trail have been propagated.
    propagated: usize,
    levels: Vec<DecisionLevel>,
    pub(super) order: DecisionOrder,
}

impl<const W: usize> PartialSolution<W> {
    pub(super) fn new() -> Self {
        Self {
            variables: Vec::with_capacity(64),
            trail: Vec::with_capacity(128),
            propagated: 0,
            levels: Vec::new(),
            order: DecisionOrder::default(),
        }
    }

    pub(super) fn variable(&self, variable: VariableId) -> &VariableState<W> {
        &self.variables[variable as usize]
    }

    pub(super) fn assignment(&self, place: u32) -> &Assignment<W> {
        &self.trail[place as usize]
    }

    /// How many decisions are made. What follows from the question alone is on level 0.
    pub(super) fn decision_level(&self) -> u32 {
        self.levels.len() as u32
    }

    /// The variable of the first assignment that is not propagated, which it is from now on.
    pub(super) fn next_to_propagate(&mut self) -> Option<VariableId> {
        let variable = self.trail.get(self.propagated)?.variable;
        self.propagated += 1;
        Some(variable)
    }

    /// Leaves a variable only these of its values.
    pub(super) fn assign(&mut self, variable: VariableId, values: &Bits<W>, reason: Reason) -> Result<(), Conflict> {
        let decision_level = self.decision_level();
        let state = &mut self.variables[variable as usize];
        let after = state.domain.and(values);
        if after == state.domain {
            return Ok(());
        }
        if after.is_empty() {
            return Err(Conflict { variable, reason });
        }
        let previous = state.last_assignment;
        self.trail.push(Assignment { variable, before: state.domain, previous, reason, decision_level });
        state.last_assignment = Some(self.trail.len() as u32 - 1);
        state.domain = after;
        Ok(())
    }

    /// Gives a variable a value on a new decision level.
    pub(super) fn decide(&mut self, variable: VariableId, value: Value) -> Result<(), Conflict> {
        self.levels.push(DecisionLevel { trail: self.trail.len() as u32, order: self.order.position() });
        self.assign(variable, &Bits::singleton(value), Reason::Decision)
    }

    /// Undoes all decisions after a level, and everything that was derived from them.
    pub(super) fn backjump(&mut self, level: u32) {
        let Some(state) = self.levels.get(level as usize) else { return };
        while self.trail.len() > state.trail as usize {
            if let Some(assignment) = self.trail.pop() {
                let variable = &mut self.variables[assignment.variable as usize];
                variable.domain = assignment.before;
                variable.last_assignment = assignment.previous;
            }
        }
        self.propagated = self.trail.len();
        self.order.backjump(&state.order, &mut self.variables);
        self.levels.truncate(level as usize);
    }

    /// Whether a term holds whatever else is decided.
    pub(super) fn satisfies(&self, term: &Term<W>) -> bool {
        self.variable(term.variable).domain.subset_of(&term.values)
    }

    /// The earliest assignment since which a term is satisfied that is satisfied now; `None` if it was
    /// from the start.
    pub(super) fn satisfier(&self, term: &Term<W>) -> Option<u32> {
        let mut place = self.variable(term.variable).last_assignment;
        while let Some(found) = place {
            let assignment = self.assignment(found);
            if !assignment.before.subset_of(&term.values) {
                return Some(found);
            }
            place = assignment.previous;
        }
        None
    }

    /// The variables that the order of decisions reached, with their values.
    pub(super) fn solution(&self) -> Vec<(Variable, Value)> {
        let value = |variable: &VariableId| {
            let state = self.variable(*variable);
            Some((state.variable, state.domain.single()?))
        };
        self.order.visited.iter().filter_map(value).collect()
    }
}
