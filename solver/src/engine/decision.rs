//! Decisions: the most preferred candidate of the next variable in order.

use super::bits::Bits;
use super::implication::{Implication, ValueCheck, ValueState};
use super::partial_solution::Conflict;
use super::state::State;
use super::variable::{TooWide, Variable, VariableId};
use crate::value::Value;
use crate::view::Requirement;
use smallvec::SmallVec;

impl<const W: usize> State<'_, '_, W> {
    /// Walks on to the first variable that has no value yet.
    pub(super) fn next_undecided(&mut self) -> Result<Option<VariableId>, TooWide> {
        while let Some(ahead) = self.solution.order.path.last_mut() {
            self.steps += 1;
            let Some(implication) = ahead.clone().next() else {
                self.solution.order.path.pop();
                continue;
            };
            let Implication { variable, is_dependency, .. } = self.implications.list[implication as usize];
            let state = &mut self.solution.variables[variable as usize];
            if is_dependency && !state.visited {
                let Some(value) = state.domain.single() else { return Ok(Some(variable)) };
                state.visited = true;
                ahead.start += 1;
                self.solution.order.visited.push(variable);
                let implications = self.implications_of(variable, value)?;
                self.solution.order.path.push(implications);
            } else {
                ahead.start += 1;
            }
        }
        Ok(None)
    }

    /// Gives a variable the most preferred of its values whose implications leave all others a value. The
    /// preferred ones that do not are excluded first; that is propagated before deciding.
    pub(super) fn decide(&mut self, variable: VariableId) -> Result<Result<(), Conflict>, TooWide> {
        let mut excluded: SmallVec<[(Value, Option<u32>); 16]> = SmallVec::new();
        let mut left = self.solution.variable(variable).domain;
        while let Some(candidate) = self.solution.variable(variable).most_preferred(&left) {
            let violated = match self.check_value(variable, candidate)? {
                ValueCheck::Violates(implication) => Some(implication),
                ValueCheck::Impossible => None,
                ValueCheck::Consistent if excluded.is_empty() => {
                    return Ok(self.solution.decide(variable, candidate));
                }
                ValueCheck::Consistent => break,
            };
            left = left.without(&Bits::singleton(candidate));
            excluded.push((candidate, violated));
        }
        let reason = self.exclusion(variable, &excluded);
        Ok(self.solution.assign(variable, &left, reason))
    }

    /// Whether a value can still be chosen.
    fn check_value(&mut self, variable: VariableId, value: Value) -> Result<ValueCheck, TooWide> {
        let Some(place) = self.place_of(variable, value) else {
            // Most of the values that are looked at are excluded by one of their first implications. It is
            // cheaper to find that out without making all of them.
            if let Some(check) = self.check_without_implications(variable, value) {
                return Ok(check);
            }
            self.value_state(variable, value)?;
            return self.check_value(variable, value);
        };
        let ValueState { start, end, impossible, last_violated } = self.implications.values[place as usize];
        self.steps += 1 + u64::from(end - start);
        if impossible {
            return Ok(ValueCheck::Impossible);
        }
        let found = (last_violated..end).find(|implication| self.is_violated(*implication));
        match found.or_else(|| (start..last_violated).find(|implication| self.is_violated(*implication))) {
            Some(found) => {
                self.implications.values[place as usize].last_violated = found;
                Ok(ValueCheck::Violates(found))
            }
            None => Ok(ValueCheck::Consistent),
        }
    }

    fn is_violated(&self, implication: u32) -> bool {
        let Implication { variable, values, .. } = &self.implications.list[implication as usize];
        !self.solution.variable(*variable).domain.intersects(values)
    }

    /// Looks for an implication that excludes a version among variables that are there already.
    fn check_without_implications(&mut self, variable: VariableId, value: Value) -> Option<ValueCheck> {
        let Variable::Name(platform, name) = self.solution.variable(variable).variable else { return None };
        if let Some(implication) = self.implications.violated.get(&(variable, value)).copied()
            && self.is_violated(implication)
        {
            return Some(ValueCheck::Violates(implication));
        }
        let question = self.question.platform(platform);
        let package = value.package(question.view.index().package_range(name))?;
        let compiled = question.compiled(package);
        self.steps += 1 + compiled.requires.len() as u64;
        if compiled.impossible.is_some() {
            return Some(ValueCheck::Impossible);
        }
        let found = compiled.requires.iter().find_map(|requirement| {
            let Requirement::Package(other, mask) = requirement else { return None };
            let other = self.table.name(platform, *other)?;
            let values = Bits::of(mask);
            let violated = !self.solution.variable(other).domain.intersects(&values);
            violated.then_some(Implication { variable: other, values, is_dependency: true })
        })?;
        let implication = self.implications.list.len() as u32;
        self.implications.list.push(found);
        self.implications.violated.insert((variable, value), implication);
        Some(ValueCheck::Violates(implication))
    }
}
