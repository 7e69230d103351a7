//! The search: PubGrub's, which is conflict-driven clause learning (CDCL) over variables with many values.
//!
//! A run repeats three steps, as the modules `internal` of the crate pubgrub and every CDCL solver do:
//! unit propagation, then either conflict resolution with a backjump, or the next decision. The words:
//!
//! | word | here | in textbooks |
//! |---|---|---|
//! | variable | a package name, a disjunction, a conflict class, a name's common version on all platforms ([`variable`]); made when the search first meets it | PubGrub: a package; CDCL: a boolean |
//! | domain | the values that are still possible, as bits ([`bits`]): versions and "not installed", or branches | PubGrub keeps the intersection of a package's terms |
//! | candidate | the most preferred value of a domain | the same; boolean solvers have a phase |
//! | implication | what one value of a variable leaves of another: a dependency, a conflict, membership of a class ([`implication`]) | a clause `owner ≠ value ∨ variable ∈ values`; PubGrub's incompatibility of the kind `FromDependencyOf` |
//! | term | `variable ∈ values` | a literal; PubGrub's `Term`, which is positive or negative, where here a complement contains "not installed" |
//! | incompatibility | terms that do not all hold, learned or given ([`incompatibility`]) | the negation of a clause |
//! | watch list | the incompatibilities to look at when a variable loses values; each is watched by two terms | two watched literals |
//! | assignment | an entry of the trail: a variable lost values, and why | the same; in boolean solvers it has its value then, here it may have several left |
//! | trail, decision level, partial solution | as everywhere ([`partial_solution`]) | PubGrub's `PartialSolution`, `DecisionLevel` |
//! | satisfier | the assignment since which a term is satisfied | the same in PubGrub |
//! | reason | why an assignment was made: a decision, an implication, an exclusion, an incompatibility | PubGrub's cause; CDCL's antecedent |
//! | exclusion | several values whose implications are violated, taken away at once when their variable is next to be decided | forward checking; textbooks propagate each of them at once |
//! | conflict | a variable would lose its last value: an incompatibility is satisfied | the same |
//! | conflict resolution | [`conflict`]: resolves the conflict with the reasons of its latest terms | PubGrub's `conflict_resolution` with `prior_cause`; CDCL's first unique implication point |
//! | backjump | undoes decision levels down to where the learned incompatibility has one term left | PubGrub's `backtrack` |
//! | order of decisions | depth first over what is selected ([`decision_order`]) | a heuristic, such as PubGrub's `prioritize`; here it defines the answer |
//! | assumptions | what a run takes for granted beside the question ([`assumptions`]) | as in incremental SAT solving |
//!
//! A decision is always the most preferred candidate of the first variable without a value, in the order of
//! decisions, and everything else follows from earlier decisions. So when nothing is left to decide, every
//! decision was the best that the earlier ones leave room for: the answer is lexicographically best in that
//! order (rule O7 of `docs/semantics.md`), and no other answer is. How it was found, and what was learned on
//! the way, cannot change it. That is why nothing here forgets, restarts or counts activity.

mod assumptions;
mod bits;
mod conflict;
mod decision;
mod decision_order;
mod implication;
mod incompatibility;
mod model;
mod partial_solution;
mod propagation;
mod state;
mod variable;

pub(crate) use assumptions::{Allowed, Assumptions, Prefix};
pub(crate) use bits::{Bits, WIDEST};
pub(crate) use variable::{TooWide, Variable};

use crate::question::Question;
use crate::stop::{StepLimit, Stopped};
use crate::value::Value;
use state::State;
use variable::ROOT;

/// How a run ended.
pub(crate) enum Outcome {
    /// The variables with their values, in the order of decisions.
    Solution(Vec<(Variable, Value)>),
    NoSolution,
    Stopped(Stopped),
}

/// How many steps are done before the limit is looked at, and with it the clock.
const BETWEEN_LOOKS: u64 = 1024;

/// Searches for the best solution.
pub(crate) fn run<const W: usize>(
    question: &Question<'_, '_>,
    assumptions: Assumptions<'_>,
    limit: &StepLimit<'_>,
) -> Result<Outcome, TooWide> {
    if let Err(why) = limit.spend(1) {
        return Ok(Outcome::Stopped(why));
    }
    let mut state = State::<W>::new(question, assumptions);
    let outcome = search(&mut state, limit);
    // An answer is one, however late it comes.
    let _ = limit.spend(state.steps);
    outcome
}

fn search<const W: usize>(state: &mut State<'_, '_, W>, limit: &StepLimit<'_>) -> Result<Outcome, TooWide> {
    let root = state.intern(Variable::Root)?;
    let roots = state.implications_of(root, ROOT)?;
    for implication in roots.clone() {
        if state.apply_implication(root, ROOT, implication).is_err() {
            return Ok(Outcome::NoSolution);
        }
    }
    state.solution.order.start(roots);
    if !state.add_assumed_incompatibilities()? {
        return Ok(Outcome::NoSolution);
    }
    loop {
        state.steps += 1;
        if state.steps >= BETWEEN_LOOKS {
            let steps = std::mem::take(&mut state.steps);
            if let Err(why) = limit.spend(steps) {
                return Ok(Outcome::Stopped(why));
            }
        }
        let conflict = match state.unit_propagation()? {
            Err(conflict) => conflict,
            Ok(()) => match state.next_undecided()? {
                None => return Ok(Outcome::Solution(state.solution.solution())),
                Some(variable) => match state.decide(variable)? {
                    Err(conflict) => conflict,
                    Ok(()) => continue,
                },
            },
        };
        if !state.resolve_conflict(conflict) {
            return Ok(Outcome::NoSolution);
        }
    }
}

/// The values of a variable that are preferred to one of them.
pub(crate) fn preferred_to<const W: usize>(
    question: &Question<'_, '_>,
    assumptions: Assumptions<'_>,
    variable: Variable,
    value: Value,
) -> Result<Vec<Value>, TooWide> {
    State::<W>::new(question, assumptions).preferred_to(variable, value)
}
