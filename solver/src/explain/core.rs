//! From the facts of a derivation to the few that matter: facts about many versions become one where
//! the contradiction stays, and what it does without is left out.
//!
//! Each trial is decided by a small solver of its own, over nothing but the facts at hand.

use super::derivation::Source;
use super::trial::{domains, satisfiable};
use crate::mask::Mask;
use crate::question::Question;
use crate::solve::search::Placed;
use crate::stop::Stop;
use crate::view::{Compiled, Requirement};
use opam_parser::index::{NameId, PackageId};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

/// Packages of a subject → what has to hold then.
#[derive(Clone, Debug)]
pub(super) struct Constraint {
    /// A name and some of its versions; `None`: the question.
    pub(super) subject: Option<(NameId, Mask)>,
    pub(super) formula: Formula,
    pub(super) kind: Kind,
    /// The facts it was made of, in order.
    pub(super) sources: Vec<Source>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    Root,
    Requires,
    Conflicts,
    Class,
    Impossible,
    Unavailable,
    Cycle,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Formula {
    /// The name has one of these versions, or is not there if that is among them.
    Atom(Key, Mask),
    All(Vec<Formula>),
    Any(Vec<Formula>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Key {
    Name(NameId),
    /// A conflict class; its values are its members.
    Class(NameId),
}

/// How many steps a trial may take; a trial that takes more counts as failed.
const BUDGET: u32 = 20_000;

/// The few constraints that exclude an answer, in the order of the facts.
pub(super) fn core(
    question: &Question<'_, '_>,
    cycles: &[Vec<Placed>],
    sources: &FxHashSet<Source>,
    stop: &Stop,
) -> Vec<Constraint> {
    let mut constraints = constraints(question, cycles, sources);
    let domains = domains(question, &constraints);
    let contradictory = |constraints: &[Constraint]| {
        let mut budget = if stop.asked() { 0 } else { BUDGET };
        !satisfiable(constraints, domains.clone(), &mut budget)
    };
    if !contradictory(&constraints) {
        // Too much to find out. The derivation's facts are a contradiction all the same.
        return constraints;
    }
    merge(&mut constraints, &contradictory);
    reduce(&mut constraints, &contradictory);
    // With less left, more may go together.
    merge(&mut constraints, &contradictory);
    trim(&mut constraints, &contradictory);
    constraints
}

fn constraints(question: &Question<'_, '_>, cycles: &[Vec<Placed>], sources: &FxHashSet<Source>) -> Vec<Constraint> {
    let side = &question.sides[0];
    let index = side.view.index();
    let versions = |name: NameId| index.package_range(name).len();
    let mut sources: Vec<Source> = sources.iter().copied().collect();
    sources.sort_unstable();
    let mut classes: BTreeMap<NameId, Vec<NameId>> = BTreeMap::new();
    for source in &sources {
        if let Source::Class(package, place) = source {
            let class = side.compiled(*package).classes[*place as usize];
            let (members, name) = (classes.entry(class).or_default(), index.package_name(*package));
            if !members.contains(&name) {
                members.push(name);
            }
        }
    }
    let mut made: Vec<Constraint> = Vec::new();
    for source in sources {
        let subject = |package: PackageId| {
            let name = index.package_name(package);
            let mut mask = Mask::empty(versions(name));
            mask.insert((package.0 - index.package_range(name).start) as usize);
            Some((name, mask))
        };
        let never = |package| match subject(package) {
            Some((name, mask)) => Formula::Atom(Key::Name(name), mask.complement(versions(name))),
            None => Formula::All(vec![]),
        };
        let (kind, subject, formula) = match source {
            Source::Root(place) => {
                let root = &side.roots[place as usize];
                (Kind::Root, None, Formula::Atom(Key::Name(root.name), root.mask.clone()))
            }
            Source::Requires(package, place) => {
                let compiled = side.compiled(package);
                let branches = &question.branches;
                let formula = requirement(package, compiled, &compiled.requires[place as usize], branches);
                (Kind::Requires, subject(package), formula)
            }
            Source::Conflicts(package, place) => {
                let (name, mask) = &side.compiled(package).conflicts[place as usize];
                let rest = mask.complement(versions(*name));
                (Kind::Conflicts, subject(package), Formula::Atom(Key::Name(*name), rest))
            }
            Source::Class(package, place) => {
                let class = side.compiled(package).classes[place as usize];
                let members = &classes[&class];
                let mut own = Mask::empty(members.len());
                if let Some(member) = members.iter().position(|member| *member == index.package_name(package)) {
                    own.insert(member);
                }
                (Kind::Class, subject(package), Formula::Atom(Key::Class(class), own))
            }
            Source::Impossible(package) => (Kind::Impossible, subject(package), never(package)),
            Source::Unavailable(package) => (Kind::Unavailable, subject(package), never(package)),
            Source::Cycle(cycle) => {
                let packages = cycles[cycle as usize].iter().map(|(_, package)| never(*package));
                (Kind::Cycle, None, Formula::Any(packages.collect()))
            }
        };
        made.push(Constraint { subject, formula, kind, sources: vec![source] });
    }
    // The same for several versions is one.
    let mut joined: Vec<Constraint> = Vec::new();
    for constraint in made {
        let same = |known: &&mut Constraint| {
            known.kind == constraint.kind
                && known.subject.as_ref().map(|(name, _)| *name) == constraint.subject.as_ref().map(|(name, _)| *name)
                && match constraint.kind {
                    // These exclude the subject itself.
                    Kind::Unavailable | Kind::Impossible => true,
                    _ => known.subject.is_some() && known.formula == constraint.formula,
                }
        };
        match joined.iter_mut().find(same) {
            Some(known) => {
                if let (Some((_, mask)), Some((_, more))) = (&mut known.subject, &constraint.subject) {
                    mask.unite(more);
                }
                if matches!(constraint.kind, Kind::Unavailable | Kind::Impossible)
                    && let (Formula::Atom(_, mask), Formula::Atom(_, rest)) = (&mut known.formula, &constraint.formula)
                {
                    mask.intersect(rest);
                }
                known.sources.extend(constraint.sources);
            }
            None => joined.push(constraint),
        }
    }
    joined
}

fn requirement(
    package: PackageId,
    compiled: &Compiled,
    requirement: &Requirement,
    fixed: &FxHashMap<(PackageId, u32), u32>,
) -> Formula {
    match requirement {
        Requirement::Package(name, mask) => Formula::Atom(Key::Name(*name), mask.clone()),
        Requirement::Choice(choice) => {
            let branch = |branch: &Vec<Requirement>| match branch.as_slice() {
                [only] => self::requirement(package, compiled, only, fixed),
                parts => {
                    Formula::All(parts.iter().map(|part| self::requirement(package, compiled, part, fixed)).collect())
                }
            };
            let branches = &compiled.choices[*choice as usize].branches;
            match fixed.get(&(package, *choice)) {
                Some(chosen) => branch(&branches[*chosen as usize]),
                None => Formula::Any(branches.iter().map(branch).collect()),
            }
        }
    }
}

impl Formula {
    pub(super) fn each_atom(&self, f: &mut impl FnMut(Key, &Mask)) {
        match self {
            Formula::Atom(key, mask) => f(*key, mask),
            Formula::All(parts) | Formula::Any(parts) => parts.iter().for_each(|part| part.each_atom(f)),
        }
    }

    /// What both have in common: a formula that each of them implies, if they have the same shape.
    fn weaker(&self, other: &Self) -> Option<Self> {
        let parts = |a: &[Formula], b: &[Formula]| {
            (a.len() == b.len()).then(|| a.iter().zip(b).map(|(a, b)| a.weaker(b)).collect::<Option<Vec<_>>>())?
        };
        match (self, other) {
            (Formula::Atom(a, mask), Formula::Atom(b, more)) if a == b => {
                let mut mask = mask.clone();
                mask.unite(more);
                Some(Formula::Atom(*a, mask))
            }
            (Formula::All(a), Formula::All(b)) => parts(a, b).map(Formula::All),
            (Formula::Any(a), Formula::Any(b)) => parts(a, b).map(Formula::Any),
            _ => None,
        }
    }
}

/// Makes one constraint of several that say similar things about versions of one name, as long as the
/// contradiction stays.
fn merge(constraints: &mut Vec<Constraint>, contradictory: &impl Fn(&[Constraint]) -> bool) {
    let mut groups: BTreeMap<(Kind, NameId), Vec<usize>> = BTreeMap::new();
    for (place, constraint) in constraints.iter().enumerate() {
        if let Some((name, _)) = &constraint.subject {
            groups.entry((constraint.kind, *name)).or_default().push(place);
        }
    }
    let mut gone = vec![false; constraints.len()];
    for places in groups.values() {
        for (nth, first) in places.iter().enumerate() {
            if gone[*first] {
                continue;
            }
            // All at once is what most often works, and saves trying one after the other.
            let alike: Vec<usize> = places[nth + 1..]
                .iter()
                .copied()
                .filter(|other| !gone[*other] && both(&constraints[*first], &constraints[*other]).is_some())
                .collect();
            let mut attempts = vec![alike.clone()];
            attempts.extend(alike.iter().map(|other| vec![*other]));
            for others in attempts {
                if others.is_empty() || others.iter().any(|other| gone[*other]) {
                    continue;
                }
                let joined = others.iter().try_fold(constraints[*first].clone(), |a, b| both(&a, &constraints[*b]));
                let Some(joined) = joined else { continue };
                let mut trial: Vec<Constraint> = Vec::with_capacity(constraints.len());
                for (place, constraint) in constraints.iter().enumerate() {
                    if place == *first {
                        trial.push(joined.clone());
                    } else if !gone[place] && !others.contains(&place) {
                        trial.push(constraint.clone());
                    }
                }
                if contradictory(&trial) {
                    constraints[*first] = joined;
                    others.iter().for_each(|other| gone[*other] = true);
                }
            }
        }
    }
    let mut place = 0;
    constraints.retain(|_| {
        place += 1;
        !gone[place - 1]
    });
}

/// One constraint that two others imply.
fn both(a: &Constraint, b: &Constraint) -> Option<Constraint> {
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
    Some(Constraint { subject: Some((*name, mask)), formula, kind: a.kind, sources })
}

/// Leaves out what the contradiction does without, what is farthest from the question first.
fn reduce(constraints: &mut Vec<Constraint>, contradictory: &impl Fn(&[Constraint]) -> bool) {
    let order = from_the_question(constraints);
    for place in order.into_iter().rev() {
        let mut trial = constraints.clone();
        // A subject that excludes nothing.
        trial[place].formula = Formula::All(vec![]);
        if contradictory(&trial) {
            *constraints = trial;
        }
    }
    constraints.retain(|constraint| constraint.formula != Formula::All(vec![]));
}

/// Says of a package only what concerns the versions that other facts lead to.
fn trim(constraints: &mut Vec<Constraint>, contradictory: &impl Fn(&[Constraint]) -> bool) {
    for place in 0..constraints.len() {
        let Some((name, mask)) = constraints[place].subject.clone() else { continue };
        let mut led_to = Mask::empty(mask.words().len() * 64 - 1);
        for other in constraints.iter().filter(|other| matches!(other.kind, Kind::Root | Kind::Requires)) {
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
        let mut trial = constraints.clone();
        trial[place].subject = Some((name, led_to));
        if contradictory(&trial) {
            *constraints = trial;
        }
    }
}

/// The places of constraints, each after what mentions its subject.
pub(super) fn from_the_question(constraints: &[Constraint]) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    let mut reached: Vec<Option<NameId>> = vec![None];
    let mut next = 0;
    while let Some(subject) = reached.get(next).copied() {
        next += 1;
        for (place, constraint) in constraints.iter().enumerate() {
            if constraint.subject.as_ref().map(|(name, _)| *name) != subject {
                continue;
            }
            order.push(place);
            constraint.formula.each_atom(&mut |key, _| {
                if let Key::Name(name) = key
                    && !reached.contains(&Some(name))
                {
                    reached.push(Some(name));
                }
            });
        }
    }
    // What nothing leads to: the other sides of conflicts within classes.
    order.extend((0..constraints.len()).filter(|place| !order.contains(place)).collect::<Vec<_>>());
    order
}
