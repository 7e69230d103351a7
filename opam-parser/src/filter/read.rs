//! Syntax to filters (opam, `OpamFormat.V.filter`).

use super::tree::{Filter, Ident};
use crate::diagnostic::Diagnostic;
use crate::syntax::{Value, ValueKind, Values};

/// Reads a value as a filter. An integer is the string of its digits; an empty list or group is
/// `true`.
///
/// # Errors
/// A warning that names the place: lists of several values, braces and version constraints are not
/// filters. The field it stands in is to be ignored (rule P9).
pub fn read_filter(value: Value<'_>) -> Result<Filter, Diagnostic> {
    let two = |left, right| Ok::<_, Diagnostic>(Box::new([read_filter(left)?, read_filter(right)?]));
    let all = |values: Values<'_>| values.map(read_filter).collect::<Result<Vec<_>, _>>();
    match value.kind() {
        ValueKind::Bool(b) => Ok(Filter::Bool(b)),
        ValueKind::Int(i) => Ok(Filter::String(i.to_string().into())),
        ValueKind::String(text) => Ok(Filter::String(text.to_owned())),
        ValueKind::Ident(name) => Ok(Filter::Ident(Ident::new(name))),
        ValueKind::RelOp(op, left, right) => Ok(Filter::RelOp(op, two(left, right)?)),
        ValueKind::And(values) => Ok(Filter::And(all(values)?)),
        ValueKind::Or(values) => Ok(Filter::Or(all(values)?)),
        ValueKind::Not(inner) => Ok(Filter::Not(Box::new(read_filter(inner)?))),
        ValueKind::Defined(inner) => Ok(Filter::Defined(Box::new(read_filter(inner)?))),
        ValueKind::Group(mut values) | ValueKind::List(mut values) => match (values.next(), values.next()) {
            (None, _) => Ok(Filter::Bool(true)),
            (Some(only), None) if !matches!(only.kind(), ValueKind::List(_)) => read_filter(only),
            (_, Some(second)) => Err(Diagnostic::warning(second.span(), "expected one filter, found several")
                .with_hint("join them with `&` or `|`")),
            (Some(inner), None) => Err(Diagnostic::warning(inner.span(), "expected a filter, found a list in a list")),
        },
        ValueKind::PrefixRelOp(..) => {
            Err(Diagnostic::warning(value.span(), "expected a filter, found a version constraint without a left side"))
        }
        ValueKind::Braced(..) => Err(Diagnostic::warning(value.span(), "expected a filter, found braces")),
        ValueKind::EnvOp(..) => {
            Err(Diagnostic::warning(value.span(), "expected a filter, found an environment update"))
        }
    }
}
