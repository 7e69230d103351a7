//! Packed expressions as opam writes them, for people.

use super::ids::NameId;
use super::packed::{ConditionNode, ConditionRef, FilterRef, FormulaNode, FormulaRef, Op, Words, operands};
use super::storage::Index;
use crate::filter::{Filter, Ident};
use std::fmt;

impl FilterRef<'_> {
    /// The filter as a tree.
    pub fn to_filter(self) -> Filter {
        self.0.to_filter()
    }
}

impl<'i> Words<'i> {
    fn to_filter(self) -> Filter {
        let all = |words: Words<'i>| operands(words).map(Words::to_filter).collect();
        match self.op() {
            Op::Bool(b) => Filter::Bool(b),
            Op::String(id) => Filter::String(self.index().string(id).to_owned()),
            Op::Variable(id) => Filter::Ident(Ident::new(self.index().variable(id))),
            Op::All(_) => Filter::And(all(self.after())),
            Op::Any(_) => Filter::Or(all(self.after())),
            Op::Not => Filter::Not(Box::new(self.after().to_filter())),
            Op::Defined => Filter::Defined(Box::new(self.after().to_filter())),
            Op::Relation(op, _) => {
                let mut sides = operands(self.after()).map(Words::to_filter);
                let mut side = || sides.next().unwrap_or(Filter::Bool(false));
                Filter::RelOp(op, Box::new([side(), side()]))
            }
            _ => Filter::Bool(false),
        }
    }
}

impl Index {
    /// A formula as it would be written in an opam file: `"a" & ("b" {>= "1"} | "c")`.
    pub fn show_formula(&self, formula: FormulaRef<'_>) -> String {
        fmt::from_fn(|f| write_formula(self, f, formula, false)).to_string()
    }

    /// A package with a condition as it would be written: `"a" {>= "1"}`.
    pub fn show_atom(&self, name: NameId, condition: ConditionRef<'_>) -> String {
        fmt::from_fn(|f| write_atom(self, f, name, condition)).to_string()
    }
}

fn write_joined<T>(
    f: &mut fmt::Formatter<'_>,
    parts: impl Iterator<Item = T>,
    glue: &str,
    mut write: impl FnMut(&mut fmt::Formatter<'_>, T) -> fmt::Result,
) -> fmt::Result {
    for (place, part) in parts.enumerate() {
        if place > 0 {
            f.write_str(glue)?;
        }
        write(f, part)?;
    }
    Ok(())
}

fn write_formula(index: &Index, f: &mut fmt::Formatter<'_>, formula: FormulaRef<'_>, inside_and: bool) -> fmt::Result {
    match formula.node() {
        FormulaNode::Atom(name, condition) => write_atom(index, f, name, condition),
        FormulaNode::All(parts) => write_joined(f, parts, " & ", |f, part| write_formula(index, f, part, true)),
        FormulaNode::Any(parts) => {
            f.write_str(if inside_and { "(" } else { "" })?;
            write_joined(f, parts, " | ", |f, part| write_formula(index, f, part, true))?;
            f.write_str(if inside_and { ")" } else { "" })
        }
    }
}

fn write_atom(index: &Index, f: &mut fmt::Formatter<'_>, name: NameId, condition: ConditionRef<'_>) -> fmt::Result {
    write!(f, "\"{}\"", index.name(name))?;
    if let ConditionNode::Any = condition.node() {
        return Ok(());
    }
    f.write_str(" {")?;
    write_condition(index, f, condition, false)?;
    f.write_str("}")
}

fn write_condition(
    index: &Index,
    f: &mut fmt::Formatter<'_>,
    condition: ConditionRef<'_>,
    inside_and: bool,
) -> fmt::Result {
    match condition.node() {
        ConditionNode::Any => Ok(()),
        ConditionNode::Version(op, version) => write!(f, "{} \"{}\"", op.as_str(), index.version(version)),
        ConditionNode::Expanded(op, filter) => write!(f, "{} {}", op.as_str(), filter.to_filter()),
        ConditionNode::Filter(filter) => {
            let filter = filter.to_filter();
            let parentheses = inside_and && matches!(filter, Filter::Or(_));
            if parentheses { write!(f, "({filter})") } else { write!(f, "{filter}") }
        }
        ConditionNode::All(parts) => write_joined(f, parts, " & ", |f, part| write_condition(index, f, part, true)),
        ConditionNode::AnyOf(parts) => {
            f.write_str(if inside_and { "(" } else { "" })?;
            write_joined(f, parts, " | ", |f, part| write_condition(index, f, part, true))?;
            f.write_str(if inside_and { ")" } else { "" })
        }
    }
}
