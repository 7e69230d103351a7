//! From the clauses of a derivation to the few that matter, an unsatisfiable core: clauses about many versions
//! become one where the contradiction stays, and what it does without is left out.
//!
//! Each trial is decided by a small solver of its own, over nothing but the clauses at hand.

use super::clause::{Clause, Formula, Key, Kind, from_the_question};
use super::satisfiability::{domains, satisfiable};
use crate::mask::Mask;
use crate::question::Question;
use crate::stop::Stop;
use opam_parser::index::NameId;
use std::collections::BTreeMap;

/// How many steps a trial may take; a trial that takes more counts as failed.
const BUDGET: u32 = 20_000;

/// The few clauses that exclude an answer, in the order of the facts.
pub(super) fn unsat_core(question: &Question<'_, '_>, mut clauses: Vec<Clause>, stop: &Stop) -> Vec<Clause> {
    let domains = domains(question, &clauses);
    let contradictory = |clauses: &[Clause]| {
        let mut budget = if stop.asked() { 0 } else { BUDGET };
        !satisfiable(clauses, domains.clone(), &mut budget)
    };
    if !contradictory(&clauses) {
        // Too much to find out. The derivation's facts are a contradiction all the same.
        return clauses;
    }
    merge(&mut clauses, &contradictory);
    reduce(&mut clauses, &contradictory);
    // With less left, more may go together.
    merge(&mut clauses, &contradictory);
    trim(&mut clauses, &contradictory);
    clauses
}

/// Makes one clause of several that say similar things about versions of one name, as long as the
/// contradiction stays.
fn merge(clauses: &mut Vec<Clause>, contradictory: &impl Fn(&[Clause]) -> bool) {
    let mut groups: BTreeMap<(Kind, NameId), Vec<usize>> = BTreeMap::new();
    for (place, clause) in clauses.iter().enumerate() {
        if let Some((name, _)) = &clause.subject {
            groups.entry((clause.kind, *name)).or_default().push(place);
        }
    }
    let mut gone = vec![false; clauses.len()];
    for places in groups.values() {
        for (nth, first) in places.iter().enumerate() {
            if gone[*first] {
                continue;
            }
            // All at once is what most often works, and saves trying one after the other.
            let alike: Vec<usize> = places[nth + 1..]
                .iter()
                .copied()
                .filter(|other| !gone[*other] && join(&clauses[*first], &clauses[*other]).is_some())
                .collect();
            let mut attempts = vec![alike.clone()];
            attempts.extend(alike.iter().map(|other| vec![*other]));
            for others in attempts {
                if others.is_empty() || others.iter().any(|other| gone[*other]) {
                    continue;
                }
                let joined = others.iter().try_fold(clauses[*first].clone(), |a, b| join(&a, &clauses[*b]));
                let Some(joined) = joined else { continue };
                let mut trial: Vec<Clause> = Vec::with_capacity(clauses.len());
                for (place, clause) in clauses.iter().enumerate() {
                    if place == *first {
                        trial.push(joined.clone());
                    } else if !gone[place] && !others.contains(&place) {
                        trial.push(clause.clone());
                    }
                }
                if contradictory(&trial) {
                    clauses[*first] = joined;
                    others.iter().for_each(|other| gone[*other] = true);
                }
            }
        }
    }
    let mut place = 0;
    clauses.retain(|_| {
        place += 1;
        !gone[place - 1]
    });
}

/// One clause that two others imply.
fn join(a: &Clause, b: &Clause) -> Option<Clause> {
    let ((name, mask), (other, more)) = (a.subject.as_ref()?, b.subject.as_ref()?);
    if a.kind != b.kind || name != other {
        return None;
    }
    let formula = a.formula.weaker(&b.formula)?;
    let mut mask = mask.clone();
    mask.unite(more);
    let mut sources = a.sources.clone();
    sources.extend(&b.sources);
    sources.sort_unstable();
    Some(Clause { subject: Some((*name, mask)), formula, kind: a.kind, sources })
}

/// Leaves out what the contradiction does without, what is farthest from the question first.
fn reduce(clauses: &mut Vec<Clause>, contradictory: &impl Fn(&[Clause]) -> bool) {
    let order = from_the_question(clauses);
    for place in order.into_iter().rev() {
        let mut trial = clauses.clone();
        // A subject that excludes nothing.
        trial[place].formula = Formula::All(vec![]);
        if contradictory(&trial) {
            *clauses = trial;
        }
    }
    clauses.retain(|clause| clause.formula != Formula::All(vec![]));
}

/// Says of a package only what concerns the versions that other facts lead to.
fn trim(clauses: &mut Vec<Clause>, contradictory: &impl Fn(&[Clause]) -> bool) {
    for place in 0..clauses.len() {
        let Some((name, mask)) = clauses[place].subject.clone() else { continue };
        let mut led_to = Mask::empty(mask.words().len() * 64 - 1);
        for other in clauses.iter().filter(|other| matches!(other.kind, Kind::Root | Kind::Requires)) {
            other.formula.each_atom(&mut |key, versions| {
                if key == Key::Name(name) {
                    led_to.unite(versions);
                }
            });
        }
        led_to.intersect(&mask);
        if led_to.is_empty() || led_to == mask {
            continue;
        }
        let mut trial = clauses.clone();
        trial[place].subject = Some((name, led_to));
        if contradictory(&trial) {
            *clauses = trial;
        }
    }
}
