//! Every row of `oracle/syntax.tsv`: what opam's parser accepts, and the tree it builds.

use bstr::ByteSlice;
use opam_parser::diagnostic::Severity;
use opam_parser::syntax::{self, ItemKind, Items, Value, ValueKind, Values};

fn join(values: Values<'_>, glue: &str) -> String {
    values.map(show).collect::<Vec<_>>().join(glue)
}

/// Chains of `&` and `|` are binary in the oracle, grouping to the left.
fn chain(name: &str, mut values: Values<'_>) -> String {
    let first = show(values.next().unwrap());
    values.fold(first, |left, right| format!("{name}({left},{})", show(right)))
}

fn relop(op: syntax::RelOp) -> &'static str {
    op.as_str()
}

/// A tree in the oracle's notation; strings as OCaml prints them.
pub(super) fn show(value: Value<'_>) -> String {
    match value.kind() {
        ValueKind::Bool(b) => format!("Bool({b})"),
        ValueKind::Int(i) => format!("Int({i})"),
        ValueKind::String(s) => format!("Str({})", ocaml_string(s)),
        ValueKind::Ident(s) => format!("Id({s})"),
        ValueKind::RelOp(op, a, b) => format!("Relop({},{},{})", relop(op), show(a), show(b)),
        ValueKind::PrefixRelOp(op, a) => format!("PRel({},{})", relop(op), show(a)),
        ValueKind::EnvOp(op, a, b) => format!("Env({},{},{})", show(a), op.as_str(), show(b)),
        ValueKind::And(values) => chain("And", values),
        ValueKind::Or(values) => chain("Or", values),
        ValueKind::Not(a) => format!("Not({})", show(a)),
        ValueKind::Defined(a) => format!("Def({})", show(a)),
        ValueKind::List(values) => format!("[{}]", join(values, "; ")),
        ValueKind::Group(values) => format!("({})", join(values, "; ")),
        ValueKind::Braced(a, options) => format!("Opt({},{{{}}})", show(a), join(options, "; ")),
    }
}

fn ocaml_string(text: &[u8]) -> String {
    let mut out = String::from("\"");
    for &b in text {
        match b {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            b'\r' => out.push_str("\\r"),
            8 => out.push_str("\\b"),
            b' '..=b'~' => out.push(b as char),
            _ => out.push_str(&format!("\\{b:03}")),
        }
    }
    out + "\""
}

pub(super) fn show_items(items: Items<'_>) -> String {
    items
        .map(|item| match item.kind() {
            ItemKind::Field(value) => format!("{} = {}", item.name(), show(value)),
            ItemKind::Section { title, items } => {
                let title = title.map_or("-".to_owned(), |t| ocaml_string(t));
                format!("section {} {title} {{ {} }}", item.name(), show_items(items))
            }
        })
        .collect::<Vec<_>>()
        .join(" ;; ")
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn every_row_is_read_as_opam_reads_it() {
    let path = caravan_tests::shared("oracle/syntax.tsv");
    let mut rows = 0;
    let mut wrong = Vec::new();
    for line in fs_err::read_to_string(path).unwrap().lines().filter(|line| !line.starts_with('#')) {
        let mut columns = line.split('\t');
        let (kind, hex, accepted) = (columns.next().unwrap(), columns.next().unwrap(), columns.next().unwrap());
        let expected = columns.next().unwrap_or_default();
        let source = unhex(hex);
        let (tree, mut diagnostics) = match kind {
            "v" => syntax::parse_value(&source),
            _ => syntax::parse_file(&source),
        };
        if kind == "f" {
            syntax::check_version(&tree, &mut diagnostics);
        }
        let ok = diagnostics.iter().all(|d| d.severity != Severity::Error);
        let got = match (ok, kind) {
            (false, _) => String::new(),
            (true, "v") => match tree.items().next().unwrap().kind() {
                ItemKind::Field(value) => show(value),
                ItemKind::Section { .. } => unreachable!(),
            },
            (true, _) => show_items(tree.items()),
        };
        rows += 1;
        if (accepted == "ok") != ok || got != expected {
            wrong.push(format!("{}\n  opam: {accepted} {expected}\n  ours: {ok} {got}", source.as_bstr()));
        }
    }
    assert!(rows >= 6000, "only {rows} rows");
    assert!(wrong.is_empty(), "{} of {rows} rows differ:\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
}
