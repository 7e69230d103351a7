//! Trees as text, in opam's normal style: 80 columns, two blanks of indentation, one element a line
//! in lists of packages and commands, long strings between triple quotes.
//!
//! Reading the result gives the same tree (comments and layout are not part of it).

use super::tree::{Item, ItemKind, Items, SyntaxTree, Value, ValueKind, Values};
use bstr::{BStr, ByteSlice, ByteVec};
use std::fmt;

const WIDTH: usize = 80;

/// Writes a whole file.
pub fn print(tree: &SyntaxTree<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(tree.source().len());
    items(&mut out, tree.items(), 0);
    out
}

/// Writes one field or section.
pub fn print_item(one: Item<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    item(&mut out, one, 0);
    out
}

/// Writes one value on one line.
pub fn print_value(value: Value<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    flat(&mut out, value);
    out
}

fn indentation(out: &mut Vec<u8>, indent: usize) {
    out.resize(out.len() + indent, b' ');
}

fn items(out: &mut Vec<u8>, list: Items<'_>, indent: usize) {
    list.for_each(|one| item(out, one, indent));
}

fn item(out: &mut Vec<u8>, item: Item<'_>, indent: usize) {
    indentation(out, indent);
    out.push_str(item.name());
    match item.kind() {
        ItemKind::Field(value) => field(out, item, value, indent),
        ItemKind::Section { title, items: inner } => {
            if let Some(title) = title {
                out.push(b' ');
                string(out, title);
            }
            out.push_str(" {\n");
            items(out, inner, indent + 2);
            indentation(out, indent);
            out.push_str("}");
        }
    }
    out.push(b'\n');
}

fn field(out: &mut Vec<u8>, item: Item<'_>, value: Value<'_>, indent: usize) {
    out.push_str(": ");
    match value.kind() {
        ValueKind::String(text) if text.contains(&b'\n') => triple_quoted(out, text),
        ValueKind::List(values) if values.clone().any(is_structured) => broken_list(out, b"[", values, b"]", indent),
        _ => fitted(out, value, indent, indent + item.name().len() + 2),
    }
}

/// Elements that get a line of their own however short the list is.
fn is_structured(value: Value<'_>) -> bool {
    matches!(
        value.kind(),
        ValueKind::Braced(..) | ValueKind::List(_) | ValueKind::And(_) | ValueKind::Or(_) | ValueKind::Group(_)
    )
}

/// On one line if it fits from `column` on, else broken.
fn fitted(out: &mut Vec<u8>, value: Value<'_>, indent: usize, column: usize) {
    let start = out.len();
    flat(out, value);
    if column + (out.len() - start) <= WIDTH {
        return;
    }
    match value.kind() {
        ValueKind::List(values) => {
            out.truncate(start);
            broken_list(out, b"[", values, b"]", indent);
        }
        ValueKind::Group(values) => {
            out.truncate(start);
            broken_list(out, b"(", values, b")", indent);
        }
        ValueKind::And(values) => {
            out.truncate(start);
            broken_chain(out, values, b" &", indent);
        }
        ValueKind::Or(values) => {
            out.truncate(start);
            broken_chain(out, values, b" |", indent);
        }
        _ => {}
    }
}

fn broken_list(out: &mut Vec<u8>, open: &[u8], values: Values<'_>, close: &[u8], indent: usize) {
    out.extend_from_slice(open);
    out.push(b'\n');
    for value in values {
        indentation(out, indent + 2);
        fitted(out, value, indent + 2, indent + 2);
        out.push(b'\n');
    }
    indentation(out, indent);
    out.extend_from_slice(close);
}

fn broken_chain(out: &mut Vec<u8>, values: Values<'_>, operator: &[u8], indent: usize) {
    for (place, value) in values.enumerate() {
        if place > 0 {
            out.extend_from_slice(operator);
            out.push(b'\n');
            indentation(out, indent + 2);
        }
        fitted(out, value, indent + 2, indent + 2);
    }
}

fn sequence(out: &mut Vec<u8>, values: Values<'_>, glue: &str) {
    for (place, value) in values.enumerate() {
        if place > 0 {
            out.push_str(glue);
        }
        flat(out, value);
    }
}

fn flat(out: &mut Vec<u8>, value: Value<'_>) {
    match value.kind() {
        ValueKind::Bool(b) => out.push_str(if b { "true" } else { "false" }),
        ValueKind::Int(i) => out.push_str(i.to_string()),
        ValueKind::String(text) => string(out, text),
        ValueKind::Ident(name) => out.push_str(name),
        ValueKind::RelOp(op, left, right) => infix(out, left, op.as_str(), right),
        ValueKind::EnvOp(op, left, right) => infix(out, left, op.as_str(), right),
        ValueKind::PrefixRelOp(op, operand) => {
            out.push_str(op.as_str());
            out.push(b' ');
            flat(out, operand);
        }
        ValueKind::And(values) => sequence(out, values, " & "),
        ValueKind::Or(values) => sequence(out, values, " | "),
        ValueKind::Not(inner) => {
            out.push(b'!');
            flat(out, inner);
        }
        ValueKind::Defined(inner) => {
            out.push(b'?');
            flat(out, inner);
        }
        ValueKind::List(values) => {
            out.push(b'[');
            sequence(out, values, " ");
            out.push(b']');
        }
        ValueKind::Group(values) => {
            out.push(b'(');
            sequence(out, values, " ");
            out.push(b')');
        }
        ValueKind::Braced(inner, options) => {
            flat(out, inner);
            out.push_str(" {");
            sequence(out, options, " ");
            out.push(b'}');
        }
    }
}

fn infix(out: &mut Vec<u8>, left: Value<'_>, operator: &str, right: Value<'_>) {
    flat(out, left);
    out.push(b' ');
    out.push_str(operator);
    out.push(b' ');
    flat(out, right);
}

fn string(out: &mut Vec<u8>, text: &BStr) {
    out.push(b'"');
    for &byte in text.as_bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            // A carriage return before a newline would be lost (rule L14).
            b'\r' => out.push_str("\\r"),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// `"""\` and a newline, the text, and the quotes again: the text starts at the left margin.
fn triple_quoted(out: &mut Vec<u8>, text: &BStr) {
    out.push_str("\"\"\"\\\n");
    for (place, &byte) in text.as_bytes().iter().enumerate() {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\r' => out.push_str("\\r"),
            // A quote closes the string only beside others or at the end.
            b'"' if place + 1 == text.len() || text[place + 1] == b'"' => out.push_str("\\\""),
            // After the opening backslash-newline, leading blanks would be skipped (rule L16).
            b' ' if place == 0 => out.push_str("\\ "),
            b'\t' if place == 0 => out.push_str("\\t"),
            _ => out.push(byte),
        }
    }
    out.push_str("\"\"\"");
}

/// A string between quotes, as [`fmt::Display`].
pub(crate) fn quoted(text: &[u8]) -> impl fmt::Display + '_ {
    fmt::from_fn(move |f| {
        let mut out = Vec::with_capacity(text.len() + 2);
        string(&mut out, text.as_bstr());
        write!(f, "{}", out.as_bstr())
    })
}
