//! Formulas over packages: `depends`, `depopts`, `conflicts` (`docs/semantics.md`, rules F16 to F25; the opam
//! manual, "Filtered package formulas").

use crate::diagnostic::Diagnostic;
use crate::filter::{Filter, Ident, read_filter};
use crate::name::PackageName;
use crate::syntax::{RelOp, Value, ValueKind, Values};
use crate::version::{self, Version};
use bstr::ByteSlice;

/// A boolean formula over `T`, without negation.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Formula<T> {
    /// No condition at all.
    #[default]
    Empty,
    /// One atom.
    Atom(T),
    /// All of them.
    And(Vec<Formula<T>>),
    /// At least one of them.
    Or(Vec<Formula<T>>),
}

/// A file with a formula of more atoms is set aside, so that what takes time with the square of their number stays
/// harmless. The largest real one has 74.
pub const MAX_ATOMS: usize = 10_000;

impl<T> Formula<T> {
    /// How many atoms it has.
    pub fn atom_count(&self) -> usize {
        match self {
            Formula::Empty => 0,
            Formula::Atom(_) => 1,
            Formula::And(parts) | Formula::Or(parts) => parts.iter().map(Self::atom_count).sum(),
        }
    }
}

/// A package and the condition in braces after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The package.
    pub name: PackageName,
    /// What is between the braces.
    pub condition: Condition,
}

/// What the braces after a package hold: version constraints and filters, mixed. Negations are
/// already pushed to the leaves (rule F19).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Nothing: any version.
    Any,
    /// `>= "1.2"`
    Constraint(RelOp, Operand),
    /// A leaf that is a filter (rule F20).
    Filter(Filter),
    /// All of them.
    And(Vec<Condition>),
    /// At least one of them.
    Or(Vec<Condition>),
}

/// The right side of a version constraint (rule F18).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A version.
    Version(Version),
    /// A variable or a string with variables in it.
    Expanded(Filter),
}

/// How juxtaposed elements of a list or group are joined (rule F16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// As in `depends`.
    And,
    /// As in `depopts` and `conflicts`.
    Or,
}

type Read<T> = Result<T, Diagnostic>;

/// Reads a value as a package formula.
///
/// # Errors
/// A warning at the first element that is none; the whole field is to be ignored (rule P17). An error if it has
/// more than [`MAX_ATOMS`].
pub fn read_formula(value: Value<'_>, join: Join) -> Read<Formula<Dependency>> {
    let formula = match value.kind() {
        ValueKind::List(values) => joined(values, join)?,
        _ => element(value, join)?,
    };
    if formula.atom_count() > MAX_ATOMS {
        // Without the formula the package would seem to need nothing.
        let message = format!("more than {MAX_ATOMS} packages in one formula, which is the limit");
        return Err(Diagnostic::error(value.span(), message));
    }
    Ok(formula)
}

fn make<T>(mut parts: Vec<Formula<T>>, join: Join) -> Formula<T> {
    parts.retain(|part| !matches!(part, Formula::Empty));
    match (parts.len(), join) {
        (0, _) => Formula::Empty,
        (1, _) => parts.pop().unwrap_or(Formula::Empty),
        (_, Join::And) => Formula::And(parts),
        (_, Join::Or) => Formula::Or(parts),
    }
}

fn joined(values: Values<'_>, join: Join) -> Read<Formula<Dependency>> {
    Ok(make(values.map(|value| element(value, join)).collect::<Read<_>>()?, join))
}

fn element(value: Value<'_>, join: Join) -> Read<Formula<Dependency>> {
    let all = |values: Values<'_>| values.map(|value| element(value, join)).collect::<Read<Vec<_>>>();
    match value.kind() {
        ValueKind::String(_) => Ok(Formula::Atom(Dependency { name: name(value)?, condition: Condition::Any })),
        ValueKind::Braced(package, options) => {
            Ok(Formula::Atom(Dependency { name: name(package)?, condition: conjunction(options, false)? }))
        }
        ValueKind::Group(values) => joined(values, join),
        ValueKind::And(values) => Ok(make(all(values)?, Join::And)),
        ValueKind::Or(values) => Ok(make(all(values)?, Join::Or)),
        ValueKind::Ident(_) => Err(Diagnostic::warning(value.span(), "expected a package name between quotes")
            .with_hint("write the name as a string: `\"name\"`")),
        ValueKind::List(_) => Err(Diagnostic::warning(value.span(), "a list cannot stand in a list of packages")
            .with_hint("group alternatives with parentheses")),
        _ => Err(Diagnostic::warning(value.span(), "expected a package: `\"name\"` or `\"name\" {condition}`")),
    }
}

fn name(value: Value<'_>) -> Read<PackageName> {
    let ValueKind::String(text) = value.kind() else {
        return Err(Diagnostic::warning(value.span(), "expected a package name between quotes"));
    };
    let name = text.to_str().ok().and_then(PackageName::new);
    name.ok_or_else(|| {
        let found = Diagnostic::warning(value.span(), "this is not a package name");
        found.with_hint("names have letters, digits, `_`, `+` and `-`, and at least one letter; a version goes between braces: `\"name\" {= \"1.0\"}`")
    })
}

fn conjunction(values: Values<'_>, negated: bool) -> Read<Condition> {
    let parts = values.map(|value| condition(value, negated)).collect::<Read<Vec<_>>>()?;
    Ok(if negated { any_of(parts) } else { all_of(parts) })
}

fn all_of(mut parts: Vec<Condition>) -> Condition {
    match parts.len() {
        0 => Condition::Any,
        1 => parts.pop().unwrap_or(Condition::Any),
        _ => Condition::And(parts),
    }
}

fn any_of(mut parts: Vec<Condition>) -> Condition {
    match parts.len() {
        0 => Condition::Any,
        1 => parts.pop().unwrap_or(Condition::Any),
        _ => Condition::Or(parts),
    }
}

fn condition(value: Value<'_>, negated: bool) -> Read<Condition> {
    let all = |values: Values<'_>| values.map(|value| condition(value, negated)).collect::<Read<Vec<_>>>();
    match value.kind() {
        ValueKind::PrefixRelOp(op, operand) => {
            let op = if negated { op.negate() } else { op };
            Ok(Condition::Constraint(op, read_operand(operand)?))
        }
        ValueKind::Group(values) => conjunction(values, negated),
        ValueKind::And(values) if negated => Ok(any_of(all(values)?)),
        ValueKind::And(values) => Ok(all_of(all(values)?)),
        ValueKind::Or(values) if negated => Ok(all_of(all(values)?)),
        ValueKind::Or(values) => Ok(any_of(all(values)?)),
        ValueKind::Not(inner) => condition(inner, !negated),
        _ => {
            let filter = read_filter(value)?;
            Ok(Condition::Filter(if negated { Filter::Not(Box::new(filter)) } else { filter }))
        }
    }
}

fn read_operand(value: Value<'_>) -> Read<Operand> {
    match value.kind() {
        ValueKind::Ident(text) => Ok(Operand::Expanded(Filter::Ident(Ident::new(text)))),
        ValueKind::String(text) if text.contains(&b'%') => Ok(Operand::Expanded(Filter::String(text.to_owned()))),
        ValueKind::String(text) => {
            let version = text.to_str().ok().filter(|text| version::is_valid(text.as_bytes()));
            version.and_then(Version::new).map(Operand::Version).ok_or_else(|| {
                Diagnostic::warning(value.span(), "this is not a version")
                    .with_hint("versions have letters, digits and `. _ + ~ -`")
            })
        }
        _ => Err(Diagnostic::warning(value.span(), "expected a version between quotes, or a variable")),
    }
}
