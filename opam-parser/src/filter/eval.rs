//! Evaluation of filters, three-valued as opam does it (`docs/semantics.md`, rules F1 to F9).
//!
//! A filter's value is a boolean, a string, or nothing (*undefined*). The same code evaluates the
//! tree ([`Filter`]) and the index's packed form, through [`Expr`].

use super::interpolate;
use super::lookup::lookup;
use super::tree::Filter;
use super::value::{Env, Value};
use crate::syntax::RelOp;
use crate::version;
use bstr::{BStr, ByteSlice};
use std::borrow::Cow;

/// A filter in any form.
pub trait Expr<'e, E: ?Sized>: Copy {
    /// The operands of a conjunction or disjunction.
    type Operands: Iterator<Item = Self>;

    /// The outermost operation.
    fn node(self) -> Node<'e, Self, Self::Operands>;

    /// The value of the variable that this node is ([`Node::Variable`]).
    fn variable(self, env: &'e E) -> Value<'e>;
}

/// The outermost operation of an [`Expr`].
pub enum Node<'e, X, L> {
    /// `true` or `false`
    Bool(bool),
    /// A string, perhaps with variables in it.
    String(&'e BStr),
    /// A variable; ask [`Expr::variable`].
    Variable,
    /// A comparison.
    RelOp(RelOp, X, X),
    /// All of them.
    And(L),
    /// At least one of them.
    Or(L),
    /// Not this one.
    Not(X),
    /// Whether this one has a value.
    Defined(X),
}

impl<'e, E: Env + ?Sized> Expr<'e, E> for &'e Filter {
    type Operands = std::slice::Iter<'e, Filter>;

    fn node(self) -> Node<'e, Self, Self::Operands> {
        match self {
            Filter::Bool(b) => Node::Bool(*b),
            Filter::String(text) => Node::String(text.as_bstr()),
            Filter::Ident(_) => Node::Variable,
            Filter::RelOp(op, sides) => Node::RelOp(*op, &sides[0], &sides[1]),
            Filter::And(parts) => Node::And(parts.iter()),
            Filter::Or(parts) => Node::Or(parts.iter()),
            Filter::Not(inner) => Node::Not(inner),
            Filter::Defined(inner) => Node::Defined(inner),
        }
    }

    fn variable(self, env: &'e E) -> Value<'e> {
        match self {
            Filter::Ident(ident) => lookup(ident, env),
            _ => Value::Undefined,
        }
    }
}

/// Evaluates a filter completely: in strings, undefined variables are empty (rule F13).
pub fn eval<'e, E: Env + ?Sized, X: Expr<'e, E>>(filter: X, env: &'e E) -> Value<'e> {
    match value(filter, env) {
        // A variable whose own value holds `%{…}%` is expanded once more, but only when it is the
        // whole filter (rule F15).
        Value::String(text) if matches!(filter.node(), Node::Variable) && text.contains_str("%{") => {
            Value::String(Cow::Owned(interpolate::expand(&text, env).into()))
        }
        value => value,
    }
}

fn value<'e, E: Env + ?Sized, X: Expr<'e, E>>(filter: X, env: &'e E) -> Value<'e> {
    match filter.node() {
        Node::Bool(b) => Value::Bool(b),
        Node::String(text) if memchr::memchr(b'%', text).is_none() => Value::String(Cow::Borrowed(text)),
        Node::String(text) => Value::String(Cow::Owned(interpolate::expand(text, env).into())),
        Node::Variable => filter.variable(env),
        Node::RelOp(op, left, right) => {
            let (left, right) = (value(left, env), value(right, env));
            match (left.to_bytes(), right.to_bytes()) {
                (Some(left), Some(right)) => Value::Bool(op.holds(version::compare(left, right))),
                _ => Value::Undefined,
            }
        }
        Node::And(parts) => combine(parts.map(|part| value(part, env)), false),
        Node::Or(parts) => combine(parts.map(|part| value(part, env)), true),
        Node::Not(inner) => match value(inner, env).to_bool() {
            Some(b) => Value::Bool(!b),
            None => Value::Undefined,
        },
        Node::Defined(inner) => Value::Bool(value(inner, env) != Value::Undefined),
    }
}

/// A conjunction (`absorbing` is false) or disjunction (true), grouping from the left: a real
/// boolean that absorbs decides before anything is coerced; then anything that is no boolean makes
/// the pair undefined (rules F2 and F3).
pub(super) fn combine<'v>(values: impl Iterator<Item = Value<'v>>, absorbing: bool) -> Value<'v> {
    let absorbs = Value::Bool(absorbing);
    let pair = |left: Value<'v>, right: Value<'v>| {
        if left == absorbs || right == absorbs {
            return Value::Bool(absorbing);
        }
        match (left.to_bool(), right.to_bool()) {
            (Some(left), Some(right)) if left == absorbing || right == absorbing => Value::Bool(absorbing),
            (Some(_), Some(_)) => Value::Bool(!absorbing),
            _ => Value::Undefined,
        }
    };
    values.reduce(pair).unwrap_or(Value::Bool(!absorbing))
}

/// A filter as a boolean; `default` stands for undefined and for strings that are no boolean
/// (rule F7).
pub fn eval_to_bool<'e, E: Env + ?Sized, X: Expr<'e, E>>(filter: X, env: &'e E, default: bool) -> bool {
    eval(filter, env).to_bool().unwrap_or(default)
}
