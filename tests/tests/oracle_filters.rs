//! Every row and column of `oracle/filters.tsv`: evaluation of filters, complete and partial.

use opam_parser::filter::{self, Env, Filter, Scope, Value, eval, partial};
use opam_parser::syntax::{self, ItemKind};

/// The variables of the oracle (see its README).
pub(super) struct Oracle;

impl Env for Oracle {
    fn variable(&self, scope: Scope<'_>, name: &str) -> Value<'_> {
        match (scope, name) {
            (Scope::Global, "t") => Value::Bool(true),
            (Scope::Global, "f") => Value::Bool(false),
            (Scope::Global, "st") => Value::str("true"),
            (Scope::Global, "sf") => Value::str("false"),
            (Scope::Global, "s") => Value::str("hello"),
            (Scope::Global, "v1") => Value::str("1.0"),
            (Scope::Global, "v10") => Value::str("1.10"),
            (Scope::Global, "e") => Value::str(""),
            (Scope::Global, "os") => Value::str("linux"),
            (Scope::Global, "version") => Value::str("2.0"),
            (Scope::Global, "perc") => Value::str("%{t}%"),
            (Scope::Package("pkg"), "installed") => Value::Bool(true),
            (Scope::Package("pkg2"), "installed") => Value::Bool(false),
            (Scope::Package("ocaml"), "version") => Value::str("4.14.1"),
            (Scope::Package("g++"), "v") => Value::str("gplus"),
            (Scope::Own, "x") => Value::str("self-x"),
            _ => Value::Undefined,
        }
    }
}

/// The filter that a text is, or `None` where opam's lexer refuses it.
pub(super) fn read(text: &str) -> Option<Filter> {
    let (tree, diagnostics) = syntax::parse_value(text.as_bytes());
    if !diagnostics.is_empty() {
        return None;
    }
    match tree.items().next()?.kind() {
        ItemKind::Field(value) => filter::read_filter(value).ok(),
        ItemKind::Section { .. } => None,
    }
}

fn show_partial(filter: &Filter) -> String {
    match partial(filter, &Oracle) {
        Filter::Bool(b) => format!("B {b}"),
        whole @ Filter::String(_) => format!("S {whole}"),
        rest => format!("? {rest}"),
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn every_row_evaluates_as_in_opam() {
    let path = caravan_tests::shared("oracle/filters.tsv");
    let text = fs_err::read_to_string(path).unwrap();
    let rows: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(rows.len() >= 4000);
    let mut wrong = Vec::new();
    for row in &rows {
        let columns: Vec<_> = row.split('\t').collect();
        let Some(filter) = read(columns[0]) else {
            if columns[1] != "LEXERROR" {
                wrong.push(format!("{row}\n  ours: refused"));
            }
            continue;
        };
        let value = eval(&filter, &Oracle);
        let shown = |default: Option<bool>| match value.to_bool().or(default) {
            Some(b) => b.to_string(),
            None => "error".to_owned(),
        };
        let string = Filter::String(value.to_bytes().unwrap_or_default().into()).to_string();
        let ours = [show_partial(&filter), shown(Some(false)), shown(Some(true)), shown(None), string];
        if ours[..] != columns[1..] {
            wrong.push(format!("{row}\n  ours: {}", ours.join("\t")));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} rows differ:\n{}",
        wrong.len(),
        rows.len(),
        wrong[..wrong.len().min(15)].join("\n")
    );
}
