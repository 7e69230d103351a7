//! A small solver over nothing but the facts at hand: whether they contradict each other.

use super::core::{Constraint, Formula, Key, Kind};
use crate::mask::Mask;
use crate::question::Question;
use rustc_hash::FxHashMap;

/// What each name and class may still be.
pub(super) type Domains = FxHashMap<Key, Mask>;

pub(super) fn domains(question: &Question<'_, '_>, constraints: &[Constraint]) -> Domains {
    let index = question.sides[0].view.index();
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
    for constraint in constraints {
        if let Some((name, mask)) = &constraint.subject {
            add(Key::Name(*name), mask);
        }
        constraint.formula.each_atom(&mut |key, mask| add(key, mask));
    }
    domains
}

impl Formula {
    fn feasible(&self, domains: &Domains) -> bool {
        match self {
            Formula::Atom(key, mask) => domains[key].intersects(mask),
            Formula::All(parts) => parts.iter().all(|part| part.feasible(domains)),
            Formula::Any(parts) => parts.iter().any(|part| part.feasible(domains)),
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
                let feasible: Vec<&Formula> = parts.iter().filter(|part| part.feasible(domains)).collect();
                match feasible[..] {
                    [only] => only.enforce(domains),
                    _ => false,
                }
            }
        }
    }
}

/// Whether there is an assignment that fulfils all constraints. True when the budget is used up.
pub(super) fn satisfiable(constraints: &[Constraint], mut domains: Domains, budget: &mut u32) -> bool {
    let mut changed = true;
    while changed {
        changed = false;
        for Constraint { subject, formula, kind, .. } in constraints {
            match budget.checked_sub(1) {
                Some(rest) => *budget = rest,
                None => return true,
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
            if !formula.feasible(&domains) {
                match subject {
                    Some((name, mask)) if !active => {
                        if let Some(domain) = domains.get_mut(&Key::Name(*name)) {
                            domain.subtract(mask);
                        }
                        changed = true;
                    }
                    _ => return false,
                }
            } else if active {
                changed |= formula.enforce(&mut domains);
                if domains.values().any(Mask::is_empty) {
                    return false;
                }
            }
        }
    }
    for Constraint { subject, formula, .. } in constraints {
        if formula.holds(&domains) {
            continue;
        }
        if let Some((name, mask)) = subject {
            let domain = &domains[&Key::Name(*name)];
            if !domain.intersects(mask) {
                continue;
            }
            if !domain.subset_of(mask) {
                let mut rest = domain.clone();
                rest.subtract(mask);
                let mut without = domains.clone();
                without.insert(Key::Name(*name), rest);
                if satisfiable(constraints, without, budget) {
                    return true;
                }
                if let Some(domain) = domains.get_mut(&Key::Name(*name)) {
                    domain.intersect(mask);
                }
                return satisfiable(constraints, domains, budget);
            }
        }
        // It must hold, in one of several ways.
        return first_open(formula, &domains).is_none_or(|branches| {
            branches.iter().any(|branch| {
                let mut with = domains.clone();
                branch.enforce(&mut with);
                !with.values().any(Mask::is_empty) && satisfiable(constraints, with, budget)
            })
        });
    }
    true
}

/// The branches of a disjunction of which it is still open which one holds.
fn first_open<'f>(formula: &'f Formula, domains: &Domains) -> Option<Vec<&'f Formula>> {
    match formula {
        _ if formula.holds(domains) => None,
        Formula::Atom(..) => None,
        Formula::All(parts) => parts.iter().find_map(|part| first_open(part, domains)),
        Formula::Any(parts) => Some(parts.iter().filter(|part| part.feasible(domains)).collect()),
    }
}
