//! Unit propagation: draws the consequences of assignments.
//!
//! A variable that has one value left brings in that value's implications. An incompatibility of which all
//! terms but one are satisfied takes that term's values from its variable.

use super::bits::Bits;
use super::implication::Implication;
use super::incompatibility::{Incompatibility, Term};
use super::partial_solution::{Conflict, Reason};
use super::state::State;
use super::variable::{TooWide, VariableId};
use crate::value::Value;

impl<const W: usize> State<'_, '_, W> {
    /// Draws every consequence of what is assigned.
    pub(super) fn unit_propagation(&mut self) -> Result<Result<(), Conflict>, TooWide> {
        while let Some(variable) = self.solution.next_to_propagate() {
            if let Err(conflict) = self.propagate_watched(variable) {
                return Ok(Err(conflict));
            }
            // Another assignment may have been what left it one value; then this is done twice, to no harm.
            let state = self.solution.variable(variable);
            if let Some(value) = state.domain.single()
                && !state.is_absence(value)
            {
                let implications = self.implications_of(variable, value)?;
                self.steps += u64::from(implications.end - implications.start);
                for implication in implications {
                    if let Err(conflict) = self.apply_implication(variable, value, implication) {
                        return Ok(Err(conflict));
                    }
                }
                if self.value_state(variable, value)?.impossible {
                    let reason = self.exclusion(variable, &[(value, None)]);
                    return Ok(Err(Conflict { variable, reason }));
                }
            }
        }
        Ok(Ok(()))
    }

    /// Draws the consequence of an implication whose owner has its value.
    pub(super) fn apply_implication(
        &mut self,
        owner: VariableId,
        value: Value,
        implication: u32,
    ) -> Result<(), Conflict> {
        let reason = Reason::Implication { owner, value, implication };
        let Implication { variable, values, .. } = self.implications.list[implication as usize];
        self.solution.assign(variable, &values, reason)
    }

    /// Draws the consequences that incompatibilities have now that a variable has fewer values.
    fn propagate_watched(&mut self, variable: VariableId) -> Result<(), Conflict> {
        let mut place = 0;
        while let Some(id) = self.solution.variable(variable).watch_list.get(place).copied() {
            self.steps += 1;
            let Incompatibility { start, end, watched } = self.incompatibilities.list[id as usize];
            let satisfied =
                |state: &Self, at: u32| state.solution.satisfies(&state.incompatibilities.terms[at as usize]);
            let ours = usize::from(self.incompatibilities.term(watched[0]).variable != variable);
            if !satisfied(self, watched[ours]) {
                place += 1;
                continue;
            }
            self.steps += u64::from(end - start);
            let other = watched[1 - ours];
            let open = (start..end).find(|at| *at != other && *at != watched[ours] && !satisfied(self, *at));
            if let Some(open) = open {
                self.incompatibilities.list[id as usize].watched[ours] = open;
                self.solution.variables[variable as usize].watch_list.swap_remove(place);
                self.watch(open, id);
                continue;
            }
            self.refute(other, id)?;
            place += 1;
        }
        Ok(())
    }

    /// Puts an incompatibility on the watch list of one of its terms.
    pub(super) fn watch(&mut self, term: u32, incompatibility: u32) {
        let variable = self.incompatibilities.term(term).variable;
        self.solution.variables[variable as usize].watch_list.push(incompatibility);
    }

    /// Makes a term false because all others of its incompatibility are satisfied.
    pub(super) fn refute(&mut self, term: u32, incompatibility: u32) -> Result<(), Conflict> {
        let Term { variable, values } = self.incompatibilities.term(term);
        self.solution.assign(variable, &values.complement(), Reason::Incompatibility(incompatibility))
    }

    /// The reason for excluding values, each for an implication that is violated or, without one,
    /// because it contradicts itself: together they are one incompatibility.
    pub(super) fn exclusion(&mut self, variable: VariableId, excluded: &[(Value, Option<u32>)]) -> Reason {
        let terms = &mut self.incompatibilities.terms;
        let start = terms.len();
        let values = excluded.iter().fold(Bits::EMPTY, |bits, (value, _)| bits.or(&Bits::singleton(*value)));
        terms.push(Term { variable, values });
        for implication in excluded.iter().filter_map(|(_, implication)| *implication) {
            let Implication { variable, values, .. } = self.implications.list[implication as usize];
            let violated = values.complement();
            match terms[start + 1..].iter_mut().find(|term| term.variable == variable) {
                Some(term) => term.values = term.values.and(&violated),
                None => terms.push(Term { variable, values: violated }),
            }
        }
        Reason::Exclusion { start: start as u32, end: terms.len() as u32 }
    }

    /// Adds the incompatibilities that were given with the question. False if one of them is satisfied
    /// already: there is no solution.
    pub(super) fn add_assumed_incompatibilities(&mut self) -> Result<bool, TooWide> {
        for packages in self.assumptions.incompatibilities {
            let start = self.incompatibilities.next_term();
            for (platform, package) in packages {
                let (variable, value) = self.value_of(*platform, *package);
                let variable = self.intern(variable)?;
                self.incompatibilities.terms.push(Term { variable, values: Bits::singleton(value) });
            }
            let end = self.incompatibilities.next_term();
            let id = self.incompatibilities.list.len() as u32;
            let terms = self.incompatibilities.terms(start, end);
            let mut open = (start..).zip(terms).filter(|(_, term)| !self.solution.satisfies(term)).map(|(at, _)| at);
            let Some(first) = open.next() else { return Ok(false) };
            let second = open.next();
            let other = second.or((start..end).find(|at| *at != first)).unwrap_or(first);
            self.incompatibilities.list.push(Incompatibility { start, end, watched: [first, other] });
            self.watch(first, id);
            if other != first {
                self.watch(other, id);
            }
            if second.is_none() && self.refute(first, id).is_err() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
