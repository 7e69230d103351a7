//! Which versions a package's formula depends on, found without its disjunctive normal form.
//!
//! A package depends on a version of a name if some disjunct of the normal form of its formula mentions the
//! name and accepts the version (rules D6 and S7). For one name the disjuncts fall into those that do not
//! mention it and those that mention it, each of which accepts some versions. Whether there is one of the
//! first kind, and which versions those of the second kind accept, follows from the parts of the formula. So
//! the time is linear in the formula, where its normal form can be exponential.

use super::options::Evaluation;
use caravan_solver::View;
use caravan_solver::mask::Mask;
use caravan_solver::reduce::{Reduced, Reduction, UndefinedBound};
use caravan_solver::view::Masks;
use opam_parser::index::{NameId, PackageId};

/// The versions of a name that a formula depends on.
pub(super) struct AcceptedVersions {
    pub(super) name: NameId,
    /// By their positions.
    pub(super) versions: Mask,
}

/// What a package depends on directly, of the names that are wanted; no name is there twice.
pub(super) fn accepted_versions(
    view: &View<'_>,
    package: PackageId,
    evaluation: &Evaluation,
    is_wanted: &dyn Fn(NameId) -> bool,
) -> Vec<AcceptedVersions> {
    let index = view.index();
    let formulas = [index.depends(package), index.depopts(package)];
    let formulas = &formulas[..1 + usize::from(evaluation.depopts)];
    if !formulas.iter().any(|formula| formula.names().any(is_wanted)) {
        return vec![];
    }
    let environment = view.environment(package, evaluation.flags);
    let reduction = Reduction {
        index,
        environment: &environment,
        default: evaluation.undefined,
        undefined_bound: UndefinedBound::False,
        sets: &Masks(index),
    };
    let reduced: Vec<Reduced<Mask>> = formulas.iter().filter_map(|formula| reduction.formula(*formula)).collect();
    let mut names = Vec::new();
    reduced.iter().for_each(|formula| collect_names(formula, &mut names));
    names.retain(|name| is_wanted(*name));
    names.sort_unstable();
    names.dedup();
    let all = Reduced::All(reduced);
    let accepted = |name: NameId| {
        let count = index.package_range(name).len();
        AcceptedVersions { name, versions: Disjuncts::of(&all, name, count).accepted }
    };
    names.into_iter().map(accepted).filter(|accepted| !accepted.versions.is_empty()).collect()
}

fn collect_names(formula: &Reduced<Mask>, names: &mut Vec<NameId>) {
    match formula {
        Reduced::Atom(name, _) => names.push(*name),
        Reduced::All(parts) | Reduced::Any(parts) => parts.iter().for_each(|part| collect_names(part, names)),
    }
}

/// What the disjuncts of a formula's normal form say of one name.
struct Disjuncts {
    /// There is one that does not mention the name.
    silent: bool,
    /// The versions that one accepts which mentions the name.
    accepted: Mask,
}

impl Disjuncts {
    /// `count` is how many versions the name has.
    fn of(formula: &Reduced<Mask>, name: NameId, count: usize) -> Self {
        match formula {
            Reduced::Atom(other, _) if *other != name => Self { silent: true, accepted: Mask::empty(count) },
            Reduced::Atom(_, set) => Self { silent: false, accepted: set.clone().unwrap_or_else(|| Mask::all(count)) },
            Reduced::Any(parts) => {
                let mut result = Self { silent: false, accepted: Mask::empty(count) };
                for part in parts {
                    let part = Self::of(part, name, count);
                    result.silent |= part.silent;
                    result.accepted.unite(&part.accepted);
                }
                result
            }
            Reduced::All(parts) => {
                // A disjunct of a conjunction takes one of each part: all must accept the version or be silent,
                // and one must mention the name.
                let (mut accepted, mut mentioned) = (Mask::all(count), Mask::empty(count));
                let mut silent = true;
                for part in parts {
                    let part = Self::of(part, name, count);
                    silent &= part.silent;
                    mentioned.unite(&part.accepted);
                    if !part.silent {
                        accepted.intersect(&part.accepted);
                    }
                }
                mentioned.intersect(&accepted);
                Self { silent, accepted: mentioned }
            }
        }
    }
}
