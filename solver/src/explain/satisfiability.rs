//! A small solver over nothing but the clauses at hand: whether they contradict each other.

use super::clause::{Clause, Formula, Key, Kind};
use crate::mask::Mask;
use crate::question::Question;
use opam_parser::index::NameId;
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// What each name and class may still be.
pub(super) type Domains = FxHashMap<Key, Mask>;

pub(super) fn domains(question: &Question<'_, '_>, clauses: &[Clause]) -> Domains {
    let index = question.platforms[0].view.index();
    let mut domains = Domains::default();
    let mut add = |key: Key, mask: &Mask| {
        domains.entry(key).or_insert_with(|| match key {
            Key::Name(name) => {
                let versions = index.package_range(name).len();
                Mask::empty(versions).complement(versions)
            }
            // Every mask of a class has room for all members. Those bits that no member has stay unused.
            Key::Class(_) => Mask::all(mask.words().len() * 64 - 1),
        });
    };
    for clause in clauses {
        if let Some((name, mask)) = &clause.subject {
            add(Key::Name(*name), mask);
        }
        clause.formula.each_atom(&mut |key, mask| add(key, mask));
    }
    domains
}

impl Formula {
    fn is_feasible(&self, domains: &Domains) -> bool {
        match self {
            Formula::Atom(key, mask) => domains[key].intersects(mask),
            Formula::All(parts) => parts.iter().all(|part| part.is_feasible(domains)),
            Formula::Any(parts) => parts.iter().any(|part| part.is_feasible(domains)),
        }
    }

    fn holds(&self, domains: &Domains) -> bool {
        match self {
            Formula::Atom(key, mask) => domains[key].subset_of(mask),
            Formula::All(parts) => parts.iter().all(|part| part.holds(domains)),
            Formula::Any(parts) => parts.iter().any(|part| part.holds(domains)),
        }
    }

    /// Takes from the domains what the formula excludes. Whether something changed.
    fn enforce(&self, domains: &mut Domains) -> bool {
        match self {
            Formula::Atom(key, mask) => {
                let Some(domain) = domains.get_mut(key) else { return false };
                let changed = !domain.subset_of(mask);
                domain.intersect(mask);
                changed
            }
            Formula::All(parts) => {
                let mut changed = false;
                for part in parts {
                    changed |= part.enforce(domains);
                }
                changed
            }
            Formula::Any(parts) => {
                let feasible: Vec<&Formula> = parts.iter().filter(|part| part.is_feasible(domains)).collect();
                match feasible[..] {
                    [only] => only.enforce(domains),
                    _ => false,
                }
            }
        }
    }
}

/// Whether there is an assignment that satisfies all clauses. True when the budget is used up.
pub(super) fn satisfiable(clauses: &[Clause], domains: Domains, budget: &mut u32) -> bool {
    // What is still to be tried, the next one last. A stack of our own, since nobody knows how deep it gets: as deep as
    // there are open clauses after each other, and a repository may have thousands.
    let mut untried = vec![Choice { before: Rc::new(domains), narrowing: Narrowing::Nothing }];
    while let Some(choice) = untried.pop() {
        let Some(mut domains) = choice.domains() else { continue };
        match propagate(clauses, &mut domains, budget) {
            Propagated::Contradiction => continue,
            Propagated::BudgetUsedUp => return true,
            Propagated::Everything => {}
        }
        let Some(clause) = clauses.iter().find(|clause| is_open(clause, &domains)) else { return true };
        if !branch(clause, domains, &mut untried) {
            return true;
        }
    }
    false
}

/// Domains, and how one way of satisfying an open clause narrows them.
struct Choice<'c> {
    before: Rc<Domains>,
    narrowing: Narrowing<'c>,
}

/// What a choice takes from the domains.
enum Narrowing<'c> {
    /// Nothing: where the search begins.
    Nothing,
    /// The versions of a name that a clause is about.
    Without(NameId, &'c Mask),
    /// All other versions of the name.
    Only(NameId, &'c Mask),
    /// What this part of a disjunction excludes.
    Part(&'c Formula),
}

impl Choice<'_> {
    /// The domains after the choice; `None` if one of them is empty then.
    fn domains(self) -> Option<Domains> {
        // Whoever is the last to need the domains takes them.
        let mut domains = Rc::unwrap_or_clone(self.before);
        match self.narrowing {
            Narrowing::Nothing => {}
            Narrowing::Without(name, mask) => domains.get_mut(&Key::Name(name))?.subtract(mask),
            Narrowing::Only(name, mask) => domains.get_mut(&Key::Name(name))?.intersect(mask),
            Narrowing::Part(part) => {
                part.enforce(&mut domains);
                if domains.values().any(Mask::is_empty) {
                    return None;
                }
            }
        }
        Some(domains)
    }
}

/// How propagation ends.
enum Propagated {
    Everything,
    Contradiction,
    BudgetUsedUp,
}

/// Takes from the domains what the clauses exclude, until nothing changes.
fn propagate(clauses: &[Clause], domains: &mut Domains, budget: &mut u32) -> Propagated {
    let mut changed = true;
    while changed {
        changed = false;
        for Clause { subject, formula, kind, .. } in clauses {
            match budget.checked_sub(1) {
                Some(rest) => *budget = rest,
                None => return Propagated::BudgetUsedUp,
            }
            let active = match subject {
                None => true,
                // What they say of the subject they say in any case.
                Some(_) if matches!(kind, Kind::Unavailable | Kind::Impossible) => true,
                Some((name, mask)) => {
                    let domain = &domains[&Key::Name(*name)];
                    if !domain.intersects(mask) {
                        continue;
                    }
                    domain.subset_of(mask)
                }
            };
            if !formula.is_feasible(domains) {
                match subject {
                    Some((name, mask)) if !active => {
                        if let Some(domain) = domains.get_mut(&Key::Name(*name)) {
                            domain.subtract(mask);
                        }
                        changed = true;
                    }
                    _ => return Propagated::Contradiction,
                }
            } else if active {
                changed |= formula.enforce(domains);
                if domains.values().any(Mask::is_empty) {
                    return Propagated::Contradiction;
                }
            }
        }
    }
    Propagated::Everything
}

/// Whether a clause may still be broken.
fn is_open(clause: &Clause, domains: &Domains) -> bool {
    let possible = |(name, mask): &(NameId, Mask)| domains[&Key::Name(*name)].intersects(mask);
    !clause.formula.holds(domains) && clause.subject.as_ref().is_none_or(possible)
}

/// Adds the ways in which an open clause can be satisfied, so that the first of them is tried next. False if the clause
/// holds already.
fn branch<'c>(clause: &'c Clause, domains: Domains, untried: &mut Vec<Choice<'c>>) -> bool {
    let before = Rc::new(domains);
    let mut choices: Vec<Narrowing<'c>> = match &clause.subject {
        // Without its subject, then with it.
        Some((name, mask)) if !before[&Key::Name(*name)].subset_of(mask) => {
            vec![Narrowing::Without(*name, mask), Narrowing::Only(*name, mask)]
        }
        // It must hold, in one of several ways.
        _ => match first_open(&clause.formula, &before) {
            Some(parts) => parts.into_iter().map(Narrowing::Part).collect(),
            None => return false,
        },
    };
    choices.reverse();
    untried.extend(choices.into_iter().map(|narrowing| Choice { before: Rc::clone(&before), narrowing }));
    true
}

/// The branches of a disjunction of which it is still open which one holds.
fn first_open<'f>(formula: &'f Formula, domains: &Domains) -> Option<Vec<&'f Formula>> {
    match formula {
        _ if formula.holds(domains) => None,
        Formula::Atom(..) => None,
        Formula::All(parts) => parts.iter().find_map(|part| first_open(part, domains)),
        Formula::Any(parts) => Some(parts.iter().filter(|part| part.is_feasible(domains)).collect()),
    }
}
