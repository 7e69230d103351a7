//! Conflict resolution: what PubGrub and CDCL learn from a conflict.
//!
//! An incompatibility whose terms are all satisfied is a conflict. Resolving it with the reason for the
//! latest of them gives another that was satisfied earlier, until only one of its terms was satisfied after
//! the decision before (the first unique implication point): after a backjump to there, that variable loses
//! the term's values, and the search goes on.

use super::bits::Bits;
use super::incompatibility::{Incompatibility, Term};
use super::partial_solution::{Assignment, Conflict, Reason};
use super::state::State;
use super::variable::VariableId;

/// A satisfied term, and the assignment since which it is.
struct Satisfied<const W: usize> {
    term: Term<W>,
    satisfier: u32,
}

impl<const W: usize> State<'_, '_, W> {
    /// Learns from a conflict and jumps back to where the search can go on. False if there is no such
    /// place: there is no solution.
    pub(super) fn resolve_conflict(&mut self, conflict: Conflict) -> bool {
        let mut terms: Vec<Satisfied<W>> = Vec::new();
        self.add_reason(&mut terms, conflict.variable, conflict.reason, None);
        loop {
            self.steps += 1 + terms.len() as u64;
            // What holds on level 0 is not in it, so without terms it is the terminal incompatibility.
            let Some(latest) = (0..terms.len()).max_by_key(|place| terms[*place].satisfier) else { return false };
            let assignment = self.solution.assignment(terms[latest].satisfier);
            let level = assignment.decision_level;
            let others = terms.iter().enumerate().filter(|(place, _)| *place != latest);
            let level_of = |other: &Satisfied<W>| self.solution.assignment(other.satisfier).decision_level;
            let before = others.map(|(_, other)| level_of(other)).max().unwrap_or(0);
            if before < level && !self.was_derived_late(assignment) {
                self.solution.backjump(before);
                self.add_learned(&terms, latest);
                return true;
            }
            let (reason, variable) = (assignment.reason, assignment.variable);
            let resolved = terms.swap_remove(latest);
            self.add_reason(&mut terms, variable, reason, Some(resolved.term.values));
        }
    }

    /// Whether values were excluded for what earlier decisions had settled: they are looked at when
    /// their variable's turn comes. Learning just that again would teach nothing.
    fn was_derived_late(&self, assignment: &Assignment<W>) -> bool {
        let Reason::Exclusion { start, end } = assignment.reason else { return false };
        let earlier = |satisfier| self.solution.assignment(satisfier).decision_level < assignment.decision_level;
        let mut others = self.incompatibilities.terms(start + 1, end).iter();
        others.all(|term| self.solution.satisfier(term).is_none_or(earlier))
    }

    /// Adds the terms of a reason. The term of the variable that the reason assigned is united with
    /// what it is resolved against.
    fn add_reason(
        &self,
        terms: &mut Vec<Satisfied<W>>,
        variable: VariableId,
        reason: Reason,
        resolved: Option<Bits<W>>,
    ) {
        let mut add = |term: Term<W>| {
            let values = match resolved {
                Some(other) if term.variable == variable => term.values.or(&other),
                _ => term.values,
            };
            self.add_term(terms, Term { variable: term.variable, values });
        };
        match reason {
            Reason::Decision => {}
            Reason::Implication { owner, value, implication } => {
                let implication = &self.implications.list[implication as usize];
                add(Term { variable: owner, values: Bits::singleton(value) });
                add(Term { variable: implication.variable, values: implication.values.complement() });
            }
            Reason::Exclusion { start, end } => {
                self.incompatibilities.terms(start, end).iter().for_each(|term| add(*term));
            }
            Reason::Incompatibility(id) => {
                let Incompatibility { start, end, .. } = self.incompatibilities.list[id as usize];
                self.incompatibilities.terms(start, end).iter().for_each(|term| add(*term));
            }
        }
    }

    /// Adds a satisfied term, unless it is satisfied on level 0. There is one term for each variable.
    fn add_term(&self, terms: &mut Vec<Satisfied<W>>, mut term: Term<W>) {
        let known = terms.iter_mut().position(|known| known.term.variable == term.variable);
        if let Some(place) = known {
            term.values = term.values.and(&terms[place].term.values);
        }
        let satisfier = self.solution.satisfier(&term);
        let satisfier = satisfier.filter(|satisfier| self.solution.assignment(*satisfier).decision_level > 0);
        match (known, satisfier) {
            (Some(place), Some(satisfier)) => terms[place] = Satisfied { term, satisfier },
            (None, Some(satisfier)) => terms.push(Satisfied { term, satisfier }),
            (Some(place), None) => drop(terms.swap_remove(place)),
            (None, None) => {}
        }
    }

    /// Keeps a learned incompatibility of which all terms are satisfied but one, and draws its consequence.
    fn add_learned(&mut self, terms: &[Satisfied<W>], open: usize) {
        let id = self.incompatibilities.list.len() as u32;
        let start = self.incompatibilities.next_term();
        self.incompatibilities.terms.extend(terms.iter().map(|satisfied| satisfied.term));
        let end = self.incompatibilities.next_term();
        // Beside the open term, the one that will first cease to be satisfied.
        let latest = (0..terms.len()).filter(|place| *place != open).max_by_key(|place| terms[*place].satisfier);
        let open_at = start + open as u32;
        let latest_at = latest.map(|place| start + place as u32);
        let watched = [open_at, latest_at.unwrap_or(open_at)];
        self.incompatibilities.list.push(Incompatibility { start, end, watched });
        self.watch(open_at, id);
        if let Some(latest) = latest_at {
            self.watch(latest, id);
        }
        let refuted = self.refute(open_at, id);
        debug_assert!(refuted.is_ok(), "before its latest assignment the variable had other values");
    }
}
