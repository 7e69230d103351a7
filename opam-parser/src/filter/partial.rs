//! Partial evaluation: what is left of a filter once the known variables are replaced (opam,
//! `OpamFilter.partial_eval`).

use super::eval::combine;
use super::interpolate;
use super::lookup::lookup;
use super::tree::Filter;
use super::value::{Env, Value};
use crate::version;
use bstr::ByteSlice;
use std::borrow::Cow;

/// Replaces the variables that have a value. What is determined becomes a boolean or a string; the
/// rest keeps its shape, so that it can be evaluated later.
pub fn partial<E: Env + ?Sized>(filter: &Filter, env: &E) -> Filter {
    reduce(filter, env).filter
}

struct Reduced {
    filter: Filter,
    /// The filter has a value: it is not waiting for a variable.
    known: bool,
}

impl Reduced {
    fn bool(b: bool) -> Self {
        Self { filter: Filter::Bool(b), known: true }
    }

    fn value(&self) -> Value<'_> {
        match &self.filter {
            _ if !self.known => Value::Undefined,
            Filter::Bool(b) => Value::Bool(*b),
            // What was expanded holds no variable any more, only doubled percent signs.
            Filter::String(text) if memchr::memchr(b'%', text).is_some() => {
                Value::String(Cow::Owned(text.replace("%%", "%").into()))
            }
            Filter::String(text) => Value::String(Cow::Borrowed(text.as_bstr())),
            _ => Value::Undefined,
        }
    }

    /// As an operand of `&`, `|` or `!`, where opam puts a string's final value.
    fn operand(self) -> Filter {
        match self.value() {
            Value::String(text) => Filter::String(text.into_owned()),
            _ => self.filter,
        }
    }
}

fn reduce<E: Env + ?Sized>(filter: &Filter, env: &E) -> Reduced {
    let unchanged = || Reduced { filter: filter.clone(), known: false };
    match filter {
        Filter::Bool(b) => Reduced::bool(*b),
        Filter::String(text) => {
            let (text, unknown) = interpolate::expand_partially(text, env);
            Reduced { filter: Filter::String(text.into()), known: !unknown }
        }
        Filter::Ident(ident) => match lookup(ident, env) {
            Value::Undefined => unchanged(),
            Value::Bool(b) => Reduced::bool(b),
            Value::String(text) => Reduced { filter: Filter::String(text.replace("%", "%%").into()), known: true },
        },
        Filter::RelOp(op, sides) => {
            let (left, right) = (reduce(&sides[0], env), reduce(&sides[1], env));
            match (left.value().to_bytes(), right.value().to_bytes()) {
                (Some(l), Some(r)) => Reduced::bool(op.holds(version::compare(l, r))),
                _ => Reduced { filter: Filter::RelOp(*op, Box::new([left.filter, right.filter])), known: false },
            }
        }
        Filter::And(parts) => chain(parts, env, false, Filter::And),
        Filter::Or(parts) => chain(parts, env, true, Filter::Or),
        Filter::Not(inner) => {
            let inner = reduce(inner, env);
            match inner.value().to_bool() {
                Some(b) => Reduced::bool(!b),
                None => Reduced { filter: Filter::Not(Box::new(inner.operand())), known: false },
            }
        }
        Filter::Defined(inner) => Reduced::bool(reduce(inner, env).known),
    }
}

/// A chain groups from the left: `a & b & c` is `(a & b) & c`, and what `a & b` is worth replaces it.
fn chain<E: Env + ?Sized>(parts: &[Filter], env: &E, absorbing: bool, rebuild: fn(Vec<Filter>) -> Filter) -> Reduced {
    let mut rest = parts.iter().map(|part| reduce(part, env));
    let mut left = rest.next().unwrap_or_else(|| Reduced::bool(!absorbing));
    for right in rest {
        left = match combine([left.value(), right.value()].into_iter(), absorbing) {
            Value::Bool(b) => Reduced::bool(b),
            _ => Reduced { filter: rebuild(vec![left.operand(), right.operand()]), known: false },
        };
    }
    left
}
