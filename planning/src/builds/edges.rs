//! What a package can be built with.

use caravan_solver::environment::DependencyFlags;
use caravan_solver::mask::Mask;
use caravan_solver::reduce::{Reduced, Reduction, UndefinedBound};
use caravan_solver::view::Masks;
use caravan_solver::{Flags, View};
use opam_parser::index::{NameId, PackageId};

/// What a package is built with if it is there: names, each with some of its versions.
#[derive(Clone)]
pub(super) struct Edges {
    pub(super) all: Box<[(NameId, Mask)]>,
    /// How many of them, from the first, are not optional.
    pub(super) required: usize,
}

/// What a package is built with if it is there: all that it wants before it, and its optional
/// dependencies.
pub(super) fn edges(view: &View<'_>, package: PackageId, asked: Option<Flags>) -> Edges {
    let index = view.index();
    let flags = view.flags(package, asked);
    let before = match asked {
        None => view.before(package).clone(),
        Some(_) => view.compile_before(package, flags),
    };
    let mut all = before.into_vec();
    let required = all.len();
    let depopts = index.depopts(package);
    if !depopts.is_empty() {
        let environment = view.environment(package, DependencyFlags { post: Some(false), ..flags });
        let sets = Masks(index);
        let undefined_bound = UndefinedBound::False;
        let reduction = Reduction { index, environment: &environment, default: false, undefined_bound, sets: &sets };
        if let Some(formula) = reduction.formula(depopts) {
            atoms(view, formula, &mut all);
        }
    }
    Edges { all: all.into_boxed_slice(), required }
}

fn atoms(view: &View<'_>, formula: Reduced<Mask>, into: &mut Vec<(NameId, Mask)>) {
    match formula {
        Reduced::Atom(name, set) => {
            let all = || Mask::all(view.index().package_range(name).len());
            into.push((name, set.unwrap_or_else(all)));
        }
        Reduced::All(parts) | Reduced::Any(parts) => parts.into_iter().for_each(|part| atoms(view, part, into)),
    }
}
