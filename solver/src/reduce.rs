//! Formulas with their filters evaluated.
//!
//! A filter leaf is true or false (undefined counts as the default), a version constraint stays. In a
//! conjunction false dominates and true is neutral; in a disjunction *true dominates*, so that no
//! restriction is left, and false is neutral (rule F21). An atom whose condition is false vanishes
//! from its conjunction and from its disjunction alike, and what becomes empty vanishes too (rules F22
//! and F23).

use crate::environment::Environment;
use opam_parser::filter::{eval, eval_to_bool};
use opam_parser::index::{ConditionNode, ConditionRef, FilterRef, FormulaNode, FormulaRef, Index, NameId};
use opam_parser::syntax::RelOp;

/// A representation of version constraints.
pub trait Sets {
    /// A set of versions of one name.
    type Set;

    /// The versions that stand in relation `op` to the given one.
    fn constraint(&self, name: NameId, op: RelOp, version: Bound<'_>) -> Self::Set;

    /// What is in both.
    fn and(&self, a: Self::Set, b: Self::Set) -> Self::Set;

    /// What is in one of them.
    fn or(&self, a: Self::Set, b: Self::Set) -> Self::Set;
}

/// The right side of a constraint.
#[derive(Clone, Copy, Debug)]
pub enum Bound<'b> {
    /// A version of the index, which compares by its rank.
    Known(opam_parser::index::VersionId),
    /// A text that was made by evaluating variables.
    Text(&'b str),
}

/// A formula without filters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reduced<S> {
    /// A package and its versions; `None`: any.
    Atom(NameId, Option<S>),
    /// All of them.
    All(Vec<Reduced<S>>),
    /// At least one of them, the earlier preferred.
    Any(Vec<Reduced<S>>),
}

/// What an undefined operand of a constraint does (rules F29 to F32 of `docs/semantics.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndefinedBound {
    /// As in `depends`: the constraint is false.
    False,
    /// As in `conflicts`: the constraint is dropped.
    Dropped,
}

/// How a formula is evaluated.
pub struct Reduction<'r, 'i, S> {
    /// Where the formula is from.
    pub index: &'i Index,
    /// The variables.
    pub environment: &'r Environment<'r, 'i>,
    /// The value of undefined filters (rule F25).
    pub default: bool,
    /// What an undefined version bound does.
    pub undefined_bound: UndefinedBound,
    /// The representation of constraints.
    pub sets: &'r S,
}

enum Evaluated<S> {
    True,
    False,
    Constraint(S),
}

impl<S: Sets> Reduction<'_, '_, S> {
    /// Evaluates a formula; `None` if nothing is left of it.
    pub fn formula(&self, formula: FormulaRef<'_>) -> Option<Reduced<S::Set>> {
        match formula.node() {
            FormulaNode::Atom(name, condition) => match self.condition(name, condition) {
                Evaluated::True => Some(Reduced::Atom(name, None)),
                Evaluated::False => None,
                Evaluated::Constraint(set) => Some(Reduced::Atom(name, Some(set))),
            },
            FormulaNode::All(parts) => {
                let parts: Vec<_> = parts.filter_map(|part| self.formula(part)).collect();
                several(parts, Reduced::All)
            }
            FormulaNode::Any(parts) => {
                let parts: Vec<_> = parts.filter_map(|part| self.formula(part)).collect();
                several(parts, Reduced::Any)
            }
        }
    }

    fn condition(&self, name: NameId, condition: ConditionRef<'_>) -> Evaluated<S::Set> {
        match condition.node() {
            ConditionNode::Any => Evaluated::True,
            ConditionNode::Version(op, version) => {
                Evaluated::Constraint(self.sets.constraint(name, op, Bound::Known(version)))
            }
            ConditionNode::Expanded(op, bound) => self.expanded(name, op, bound),
            ConditionNode::Filter(filter) => {
                if eval_to_bool(filter, self.environment, self.default) {
                    Evaluated::True
                } else {
                    Evaluated::False
                }
            }
            ConditionNode::All(parts) => {
                let mut result = Evaluated::True;
                for part in parts {
                    result = match (result, self.condition(name, part)) {
                        (_, Evaluated::False) => return Evaluated::False,
                        (result, Evaluated::True) => result,
                        (Evaluated::Constraint(a), Evaluated::Constraint(b)) => {
                            Evaluated::Constraint(self.sets.and(a, b))
                        }
                        (_, constraint) => constraint,
                    };
                }
                result
            }
            ConditionNode::AnyOf(parts) => {
                let mut result = Evaluated::False;
                for part in parts {
                    result = match (result, self.condition(name, part)) {
                        (_, Evaluated::True) => return Evaluated::True,
                        (result, Evaluated::False) => result,
                        (Evaluated::Constraint(a), Evaluated::Constraint(b)) => {
                            Evaluated::Constraint(self.sets.or(a, b))
                        }
                        (_, constraint) => constraint,
                    };
                }
                result
            }
        }
    }

    fn expanded(&self, name: NameId, op: RelOp, bound: FilterRef<'_>) -> Evaluated<S::Set> {
        let value = eval(bound, self.environment);
        match value.to_bytes().map(std::str::from_utf8) {
            Some(Ok(text)) if opam_parser::version::is_valid(text.as_bytes()) => {
                Evaluated::Constraint(self.sets.constraint(name, op, Bound::Text(text)))
            }
            _ if self.undefined_bound == UndefinedBound::Dropped => Evaluated::True,
            _ => Evaluated::False,
        }
    }
}

fn several<S>(mut parts: Vec<Reduced<S>>, join: fn(Vec<Reduced<S>>) -> Reduced<S>) -> Option<Reduced<S>> {
    match parts.len() {
        0 => None,
        1 => parts.pop(),
        _ => Some(join(parts)),
    }
}
