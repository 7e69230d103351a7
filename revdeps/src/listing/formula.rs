//! Which packages a formula touches, without its normal form.
//!
//! For one version `t` of one name, a formula's disjuncts fall into those that do not mention the
//! name, those that mention it and accept `t`, and those that exclude `t`. Whether there is one of
//! the first kind (`silent`) does not depend on `t`; for which `t` there is one of the second kind
//! (`touching`) is a mask. Both follow from the parts of the formula, so the time is linear in it,
//! where the normal form can be exponential (rule S7).

use caravan_solver::environment::Environment;
use caravan_solver::mask::Mask;
use caravan_solver::reduce::{Reduced, Reduction, UndefinedBound};
use caravan_solver::view::Masks;
use opam_parser::index::{FormulaRef, Index, NameId};

/// A name that a formula touches.
pub(crate) struct Touched {
    pub(crate) name: NameId,
    /// For these versions some disjunct holds as far as the name goes.
    pub(crate) versions: Mask,
}

/// The names that formulas touch, of those that are wanted.
pub(super) fn touched(
    index: &Index,
    environment: &Environment<'_, '_>,
    formulas: &[FormulaRef<'_>],
    default: bool,
    wanted: &dyn Fn(NameId) -> bool,
) -> Vec<Touched> {
    if !formulas.iter().any(|formula| formula.names().any(wanted)) {
        return vec![];
    }
    let sets = Masks(index);
    let reduction = Reduction { index, environment, default, undefined_bound: UndefinedBound::False, sets: &sets };
    let reduced: Vec<Reduced<Mask>> = formulas.iter().filter_map(|formula| reduction.formula(*formula)).collect();
    let mut names = Vec::new();
    reduced.iter().for_each(|formula| collect_names(formula, &mut names));
    names.retain(|name| wanted(*name));
    names.sort_unstable();
    names.dedup();
    let all = Reduced::All(reduced);
    let touch = |name: NameId| {
        let count = index.package_range(name).len();
        Touched { name, versions: reach(&all, name, count).touching }
    };
    names.into_iter().map(touch).filter(|touched| !touched.versions.is_empty()).collect()
}

fn collect_names(formula: &Reduced<Mask>, names: &mut Vec<NameId>) {
    match formula {
        Reduced::Atom(name, _) => names.push(*name),
        Reduced::All(parts) | Reduced::Any(parts) => parts.iter().for_each(|part| collect_names(part, names)),
    }
}

struct Reach {
    silent: bool,
    touching: Mask,
}

fn reach(formula: &Reduced<Mask>, name: NameId, count: usize) -> Reach {
    match formula {
        Reduced::Atom(other, _) if *other != name => Reach { silent: true, touching: Mask::empty(count) },
        Reduced::Atom(_, set) => Reach { silent: false, touching: set.clone().unwrap_or_else(|| Mask::all(count)) },
        Reduced::Any(parts) => {
            let mut result = Reach { silent: false, touching: Mask::empty(count) };
            for part in parts {
                let part = reach(part, name, count);
                result.silent |= part.silent;
                result.touching.unite(&part.touching);
            }
            result
        }
        Reduced::All(parts) => {
            // A disjunct of a conjunction takes one of each part: all must accept `t` or be silent,
            // and one must mention the name.
            let (mut accepted, mut mentioned) = (Mask::all(count), Mask::empty(count));
            let mut silent = true;
            for part in parts {
                let part = reach(part, name, count);
                silent &= part.silent;
                mentioned.unite(&part.touching);
                if !part.silent {
                    accepted.intersect(&part.touching);
                }
            }
            mentioned.intersect(&accepted);
            Reach { silent, touching: mentioned }
        }
    }
}
