//! Whether a package has tests, and whether anybody keeps it up: what a file says between its fields.

use crate::syntax::{Item, ItemKind, SyntaxTree, Value, ValueKind};
use bstr::ByteSlice;

/// The variable that marks what is for tests.
const WITH_TEST: &str = "with-test";

/// Whether there are commands for tests, or anything at all that depends on the variable `with-test`
/// (opam-repo-ci, `has_tests`).
pub(super) fn has_tests(tree: &SyntaxTree<'_>) -> bool {
    // Most files without tests are known by this alone.
    let hints = [WITH_TEST, "run-test", "build-test"];
    hints.iter().any(|hint| memchr::memmem::find(tree.source(), hint.as_bytes()).is_some())
        && tree.items().any(item_has_tests)
}

fn item_has_tests(item: Item<'_>) -> bool {
    match item.kind() {
        ItemKind::Field(value) => match (item.name(), value.kind()) {
            ("run-test" | "build-test", ValueKind::List(mut values)) => values.next().is_some(),
            _ => mentions_tests(value),
        },
        ItemKind::Section { mut items, .. } => items.any(item_has_tests),
    }
}

fn mentions_tests(value: Value<'_>) -> bool {
    match value.kind() {
        ValueKind::Ident(name) => name == WITH_TEST,
        ValueKind::String(text) => text.contains_str("%{with-test}%"),
        ValueKind::Bool(_) | ValueKind::Int(_) => false,
        ValueKind::RelOp(_, a, b) | ValueKind::EnvOp(_, a, b) => mentions_tests(a) || mentions_tests(b),
        ValueKind::PrefixRelOp(_, a) | ValueKind::Not(a) | ValueKind::Defined(a) => mentions_tests(a),
        ValueKind::And(mut values)
        | ValueKind::Or(mut values)
        | ValueKind::List(mut values)
        | ValueKind::Group(mut values) => values.any(mentions_tests),
        ValueKind::Braced(value, mut options) => mentions_tests(value) || options.any(mentions_tests),
    }
}

/// Whether its maintainers say that nobody maintains it (`x-maintenance-intent`), or it lies in an archive
/// (`x-reason-for-archiving`).
pub(super) fn is_abandoned(tree: &SyntaxTree<'_>) -> bool {
    tree.items().any(|item| match (item.name(), item.kind()) {
        ("x-reason-for-archiving", _) => true,
        ("x-maintenance-intent", ItemKind::Field(value)) => match value.kind() {
            ValueKind::List(values) => {
                let mut values = values.peekable();
                values.peek().is_some() && values.all(is_none)
            }
            _ => is_none(value),
        },
        _ => false,
    })
}

/// The policy of opam-repository writes `(none)`; some files leave the parentheses out.
fn is_none(value: Value<'_>) -> bool {
    matches!(value.kind(), ValueKind::String(text) if text == "(none)" || text == "none")
}

#[cfg(test)]
mod tests {
    use crate::file::OpamFile;

    fn read(body: &str) -> OpamFile {
        let text = format!("opam-version: \"2.0\"\n{body}\n");
        OpamFile::parse(text.as_bytes()).file.unwrap_or_default()
    }

    #[test]
    fn tests_are_commands_or_whatever_asks_for_them() {
        assert!(read("run-test: [make \"test\"]").has_tests);
        assert!(read("build: [[\"dune\" \"runtest\"] {with-test}]").has_tests);
        assert!(read("depends: [\"alcotest\" {>= \"1\" & with-test}]").has_tests);
        assert!(read("build: [[\"make\" \"%{with-test}%\"]]").has_tests);
        assert!(!read("run-test: []").has_tests);
        assert!(!read("description: \"no with-test here\"").has_tests);
        assert!(!read("depends: [\"a\" {with-test:enable}]").has_tests);
    }

    #[test]
    fn only_none_at_all_is_abandoned() {
        assert!(read("x-maintenance-intent: [\"(none)\"]").abandoned);
        assert!(read("x-maintenance-intent: \"none\"").abandoned);
        assert!(read("x-reason-for-archiving: [\"ocaml-version\"]").abandoned);
        assert!(!read("x-maintenance-intent: []").abandoned);
        assert!(!read("x-maintenance-intent: [\"(latest)\" \"(none)\"]").abandoned);
    }
}
