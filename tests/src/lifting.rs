//! Opam files without some of their bounds, edited as a person would.

use opam_parser::syntax::{ItemKind, Value, ValueKind, parse_file};
use opam_parser::version;

/// A package's opam file, in which comparisons on another package that a version of it does not satisfy are
/// replaced by what is always true; `None` if `depends` has none. `own` is the file's version.
pub fn lifted(source: &[u8], own: &str, on: &str, by: &str) -> Option<Vec<u8>> {
    let (tree, _) = parse_file(source);
    let mut search = Search { own, on, by, spans: Vec::new() };
    for item in tree.items().filter(|item| item.name() == "depends") {
        if let ItemKind::Field(value) = item.kind() {
            search.look(value, false);
        }
    }
    search.spans.sort_unstable();
    let mut text = source.to_vec();
    for (start, end) in search.spans.iter().rev() {
        text.splice(*start..*end, b"os != \"nowhere\"".iter().copied());
    }
    (!search.spans.is_empty()).then_some(text)
}

struct Search<'s> {
    own: &'s str,
    on: &'s str,
    by: &'s str,
    spans: Vec<(usize, usize)>,
}

impl Search<'_> {
    fn look(&mut self, value: Value<'_>, inside: bool) {
        match value.kind() {
            ValueKind::PrefixRelOp(op, operand) if inside => {
                let bound = match operand.kind() {
                    ValueKind::String(bound) => bound.to_vec(),
                    ValueKind::Ident("version") => self.own.as_bytes().to_vec(),
                    _ => return,
                };
                if !op.holds(version::compare(self.by.as_bytes(), &bound)) {
                    self.spans.push((value.span().start as usize, value.span().end as usize));
                }
            }
            ValueKind::Braced(package, options) => {
                let it = matches!(package.kind(), ValueKind::String(text) if text == self.on);
                options.for_each(|option| self.look(option, it));
            }
            ValueKind::And(parts) | ValueKind::Or(parts) | ValueKind::List(parts) | ValueKind::Group(parts) => {
                parts.for_each(|part| self.look(part, inside));
            }
            _ => {}
        }
    }
}
