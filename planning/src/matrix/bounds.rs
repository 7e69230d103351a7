//! The bounds that a package puts on another one, as they are written.

use caravan_solver::View;
use caravan_solver::reduce::{Bound, Reduced, Reduction, Sets, UndefinedBound};
use opam_parser::index::{Index, NameId, PackageId};
use opam_parser::syntax::RelOp;
use opam_parser::version;
use std::cmp::Ordering;

/// A version constraint as it is written.
#[derive(Clone)]
enum Comparison {
    One(RelOp, String),
    All(Vec<Comparison>),
    Any(Vec<Comparison>),
}

struct Comparisons<'i>(&'i Index);

impl Sets for Comparisons<'_> {
    type Set = Comparison;

    fn constraint(&self, _: NameId, op: RelOp, version: Bound<'_>) -> Comparison {
        let text = match version {
            Bound::Known(version) => self.0.version(version),
            Bound::Text(text) => text,
        };
        Comparison::One(op, text.to_owned())
    }

    fn and(&self, a: Comparison, b: Comparison) -> Comparison {
        Comparison::All(vec![a, b])
    }

    fn or(&self, a: Comparison, b: Comparison) -> Comparison {
        Comparison::Any(vec![a, b])
    }
}

/// The comparisons that would have to go for a version to be accepted: `ocaml < 5.0`. Of alternatives
/// those where the fewest would, and of these the last, which is for the newest versions. Without a
/// version all comparisons.
pub(crate) fn written(view: &View<'_>, package: PackageId, on: NameId, by: Option<PackageId>) -> String {
    let index = view.index();
    let by = by.map(|by| index.version(index.package_version(by)));
    let formula = comparison(view, package, on);
    let mut once: Vec<String> = Vec::new();
    for (op, bound) in formula.as_ref().map(|formula| unsatisfied(formula, by)).unwrap_or_default() {
        let text = format!("{} {bound}", op.as_str());
        if !once.contains(&text) {
            once.push(text);
        }
    }
    let name = index.name(on);
    if once.is_empty() { name.to_owned() } else { format!("{name} {}", once.join(" & ")) }
}

/// Whether versions of a name that are newer than what a package accepts are kept out, or older ones;
/// `None` if a version is accepted, or it cannot be told.
pub(crate) fn side(view: &View<'_>, package: PackageId, on: NameId, by: PackageId) -> Option<Ordering> {
    let index = view.index();
    let found = comparison(view, package, on)?;
    let text = index.version(index.package_version(by));
    let (op, bound) = unsatisfied(&found, Some(text)).into_iter().next()?;
    match op {
        RelOp::Lt | RelOp::Leq => Some(Ordering::Less),
        RelOp::Gt | RelOp::Geq => Some(Ordering::Greater),
        RelOp::Eq => Some(version::compare(bound.as_bytes(), text.as_bytes())),
        RelOp::Neq => None,
    }
}

/// What a package's dependencies say of a name.
fn comparison(view: &View<'_>, package: PackageId, on: NameId) -> Option<Comparison> {
    let index = view.index();
    let environment = view.environment(package, view.flags(package, None));
    let sets = Comparisons(index);
    let undefined_bound = UndefinedBound::False;
    let reduction = Reduction { index, environment: &environment, default: false, undefined_bound, sets: &sets };
    reduction.formula(index.depends(package)).and_then(|formula| only(formula, on))
}

/// What a formula says of one name; nothing if it does not mention it.
fn only(formula: Reduced<Comparison>, on: NameId) -> Option<Comparison> {
    let of = |parts: Vec<Reduced<Comparison>>| -> Vec<Comparison> {
        parts.into_iter().filter_map(|part| only(part, on)).collect()
    };
    match formula {
        Reduced::Atom(name, set) if name == on => Some(set.unwrap_or(Comparison::All(vec![]))),
        Reduced::Atom(..) => None,
        Reduced::All(parts) => Some(of(parts)).filter(|parts| !parts.is_empty()).map(Comparison::All),
        Reduced::Any(parts) => Some(of(parts)).filter(|parts| !parts.is_empty()).map(Comparison::Any),
    }
}

fn unsatisfied<'c>(comparison: &'c Comparison, by: Option<&str>) -> Vec<(RelOp, &'c str)> {
    match comparison {
        Comparison::One(op, bound) => {
            let holds = |by: &str| op.holds(version::compare(by.as_bytes(), bound.as_bytes()));
            if by.is_some_and(holds) { vec![] } else { vec![(*op, bound.as_str())] }
        }
        Comparison::All(parts) => parts.iter().flat_map(|part| unsatisfied(part, by)).collect(),
        Comparison::Any(parts) => {
            parts.iter().rev().map(|part| unsatisfied(part, by)).min_by_key(Vec::len).unwrap_or_default()
        }
    }
}
