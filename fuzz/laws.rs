//! What must hold for any bytes. The fuzz targets look for inputs that break these laws; the test
//! `fuzz_regressions` checks them for every input that once did.

use opam_parser::file::OpamFile;
use opam_parser::filter::{Env, Filter, Scope, Value, eval, partial, read_filter};
use opam_parser::syntax::{ItemKind, parse_file, parse_value, print::print};
use opam_parser::version::compare;

/// Parsing, typing, printing and showing diagnostics never panic; what was accepted and printed is
/// accepted again, and prints the same.
pub fn parse(source: &[u8]) {
    let parsed = OpamFile::parse(source);
    for diagnostic in &parsed.diagnostics {
        let _ = diagnostic.render("opam", source, false);
    }
    let (tree, diagnostics) = parse_file(source);
    let printed = print(&tree);
    if diagnostics.is_empty() {
        let (again, diagnostics) = parse_file(&printed);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        assert_eq!(print(&again), printed);
    }
}

/// The order of any three texts, separated by newlines, is total.
pub fn versions(data: &[u8]) {
    let mut parts = data.splitn(3, |byte| *byte == b'\n');
    let mut part = || parts.next().unwrap_or_default();
    let (a, b, c) = (part(), part(), part());
    assert!(compare(a, a).is_eq());
    assert_eq!(compare(a, b), compare(b, a).reverse());
    if compare(a, b).is_le() && compare(b, c).is_le() {
        assert!(compare(a, c).is_le());
    }
}

struct Variables;

impl Env for Variables {
    fn variable(&self, scope: Scope<'_>, name: &str) -> Value<'_> {
        match (scope, name) {
            (Scope::Global, "t") => Value::Bool(true),
            (Scope::Global, "f") => Value::Bool(false),
            (Scope::Global, "s") => Value::str("hello"),
            (Scope::Global, "v") => Value::str("1.0"),
            (Scope::Global, "p") => Value::str("%{t}%"),
            (Scope::Package("a" | "b"), "installed") => Value::Bool(true),
            (Scope::Own, "x") => Value::str("own"),
            _ => Value::Undefined,
        }
    }
}

/// What partial evaluation finds to be a boolean is the same when evaluated completely.
///
/// Except below `?` with a string that holds an unknown variable: complete evaluation makes the
/// variable empty and the string defined, partial evaluation calls it undefined. opam does so too
/// (`?("%{undef}%")` in `oracle/filters.tsv`: partially false, completely true).
pub fn filters(source: &[u8]) {
    let (tree, diagnostics) = parse_value(source);
    if !diagnostics.is_empty() {
        return;
    }
    let Some(ItemKind::Field(value)) = tree.items().next().map(|item| item.kind()) else { return };
    let Ok(filter) = read_filter(value) else { return };
    let complete = eval(&filter, &Variables);
    let partial = partial(&filter, &Variables);
    let _ = (filter.to_string(), partial.to_string());
    if let Filter::Bool(b) = partial
        && !defined_of_string(&filter, false)
    {
        assert_eq!(complete, Value::Bool(b), "{filter}");
    }
}

fn defined_of_string(filter: &Filter, below: bool) -> bool {
    match filter {
        Filter::Bool(_) | Filter::Ident(_) => false,
        Filter::String(text) => below && text.windows(2).any(|pair| pair == b"%{"),
        Filter::RelOp(_, sides) => sides.iter().any(|side| defined_of_string(side, below)),
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(|part| defined_of_string(part, below)),
        Filter::Not(inner) => defined_of_string(inner, below),
        Filter::Defined(inner) => defined_of_string(inner, true),
    }
}
