//! Any filter: what partial evaluation finds must be what complete evaluation finds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use opam_parser::filter::eval::{Env, Scope, Value, eval};
use opam_parser::filter::{Filter, partial::partial, read_filter};
use opam_parser::syntax::{ItemKind, parse_value};

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

fuzz_target!(|source: &[u8]| {
    let (tree, diagnostics) = parse_value(source);
    if !diagnostics.is_empty() {
        return;
    }
    let Some(ItemKind::Field(value)) = tree.items().next().map(|item| item.kind()) else { return };
    let Ok(filter) = read_filter(value) else { return };
    let complete = eval(&filter, &Variables);
    if let Filter::Bool(b) = partial(&filter, &Variables) {
        assert_eq!(complete, Value::Bool(b), "{filter}");
    }
    let _ = filter.to_string();
});
