//! What facts say, in a form that can be reasoned about.

use super::derivation::Source;
use crate::mask::Mask;
use opam_parser::index::NameId;

/// If the subject, a name, has one of some versions, then a formula has to hold.
#[derive(Clone, Debug)]
pub(super) struct Clause {
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

impl Formula {
    pub(super) fn each_atom(&self, f: &mut impl FnMut(Key, &Mask)) {
        match self {
            Formula::Atom(key, mask) => f(*key, mask),
            Formula::All(parts) | Formula::Any(parts) => parts.iter().for_each(|part| part.each_atom(f)),
        }
    }

    /// What both have in common: a formula that each of them implies, if they have the same shape.
    pub(super) fn weaker(&self, other: &Self) -> Option<Self> {
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

/// The places of clauses, each after one that mentions its subject.
pub(super) fn from_the_question(clauses: &[Clause]) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    let mut reached: Vec<Option<NameId>> = vec![None];
    let mut next = 0;
    while let Some(subject) = reached.get(next).copied() {
        next += 1;
        for (place, clause) in clauses.iter().enumerate() {
            if clause.subject.as_ref().map(|(name, _)| *name) != subject {
                continue;
            }
            order.push(place);
            clause.formula.each_atom(&mut |key, _| {
                if let Key::Name(name) = key
                    && !reached.contains(&Some(name))
                {
                    reached.push(Some(name));
                }
            });
        }
    }
    // What nothing leads to: the other sides of conflicts within classes.
    order.extend((0..clauses.len()).filter(|place| !order.contains(place)).collect::<Vec<_>>());
    order
}
