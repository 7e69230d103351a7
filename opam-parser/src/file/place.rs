//! Where something stands in an opam file, for those who only know what it says.

use crate::syntax::{Item, ItemKind, Value, ValueKind, parse_file};

/// The line, from 1, of a field, or of the first string in it that is `mention`. `None` if the file
/// has no such field.
pub fn field_line(source: &[u8], field: &str, mention: Option<&str>) -> Option<u32> {
    let (tree, _) = parse_file(source);
    let item: Item<'_> = tree.items().find(|item| item.name() == field)?;
    let found = match (item.kind(), mention) {
        (ItemKind::Field(value), Some(mention)) => find(value, mention.as_bytes()),
        _ => None,
    };
    let offset = found.unwrap_or(item.name_span().start) as usize;
    Some(memchr::memchr_iter(b'\n', &source[..offset.min(source.len())]).count() as u32 + 1)
}

/// The offset of the first string that is the given one.
fn find(value: Value<'_>, text: &[u8]) -> Option<u32> {
    match value.kind() {
        ValueKind::String(found) => (found == text).then(|| value.span().start),
        ValueKind::Bool(_) | ValueKind::Int(_) | ValueKind::Ident(_) => None,
        ValueKind::RelOp(_, a, b) | ValueKind::EnvOp(_, a, b) => find(a, text).or_else(|| find(b, text)),
        ValueKind::PrefixRelOp(_, a) | ValueKind::Not(a) | ValueKind::Defined(a) => find(a, text),
        ValueKind::And(mut values)
        | ValueKind::Or(mut values)
        | ValueKind::List(mut values)
        | ValueKind::Group(mut values) => values.find_map(|value| find(value, text)),
        // A constraint's versions are no packages.
        ValueKind::Braced(value, _) => find(value, text),
    }
}

#[cfg(test)]
mod tests {
    use super::field_line;

    #[test]
    fn a_dependency_has_a_line() {
        let source = b"opam-version: \"2.0\"\ndepends: [\n  \"a\" {= \"b\"}\n  (\"c\" | \"b\")\n]\n";
        assert_eq!(field_line(source, "depends", Some("b")), Some(4));
        assert_eq!(field_line(source, "depends", Some("d")), Some(2));
        assert_eq!(field_line(source, "depends", None), Some(2));
        assert_eq!(field_line(source, "available", None), None);
    }
}
