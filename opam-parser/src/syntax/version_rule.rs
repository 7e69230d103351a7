//! What the `opam-version` field demands of the rest of the file.

use super::tree::{ItemKind, SyntaxTree, ValueKind};
use crate::diagnostic::{Diagnostic, Severity};
use crate::version;
use std::cmp::Ordering;

/// The newest format that this parser knows.
pub const FORMAT_VERSION: &str = "2.2";

fn later_than(value: &[u8], limit: &str) -> bool {
    version::compare(value, limit.as_bytes()) == Ordering::Greater
}

/// The value of the first item if that is `opam-version: "V"`.
pub fn announced_version<'t>(tree: &'t SyntaxTree<'_>) -> Option<&'t [u8]> {
    let item = tree.items().next().filter(|item| item.name() == "opam-version")?;
    match item.kind() {
        ItemKind::Field(value) => match value.kind() {
            ValueKind::String(text) => Some(text),
            _ => None,
        },
        ItemKind::Section { .. } => None,
    }
}

/// Applies the file format's own rules about `opam-version` to a parsed file (rules P4 and P5):
/// a version after 2.0 must come first and only once; a file that announces a format newer than
/// [`FORMAT_VERSION`] may contain anything, so its errors are dropped.
pub fn check_version(tree: &SyntaxTree<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let announced = announced_version(tree);
    if announced.is_some_and(|version| later_than(version, FORMAT_VERSION)) {
        diagnostics.retain(|found| found.severity != Severity::Error);
        return;
    }
    let at_least_2_1 = announced.is_some_and(|v| version::compare(v, b"2.1") != Ordering::Less);
    for (place, item) in tree.items().enumerate() {
        let ItemKind::Field(value) = item.kind() else { continue };
        let ValueKind::String(text) = value.kind() else { continue };
        if item.name() != "opam-version" || place == 0 {
            continue;
        }
        if at_least_2_1 {
            diagnostics.push(Diagnostic::error(item.name_span(), "`opam-version` cannot be set twice"));
        } else if later_than(text, "2.0") {
            let found = Diagnostic::error(item.name_span(), "`opam-version` must be the first field of the file")
                .with_hint("move it to the first line");
            diagnostics.push(found);
        }
    }
}
