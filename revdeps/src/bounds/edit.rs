//! Edits of opam files that keep everything else as it is: comments, layout, order.

use opam_parser::syntax::{Item, ItemKind, RelOp, Value, ValueKind, parse_file};
use opam_parser::version;

/// A bound on the versions of a package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bound {
    /// Only versions below it, or, with `only_this`, any other version.
    pub version: String,
    /// Newer versions are fine: only this one is not.
    pub only_this: bool,
}

impl Bound {
    /// As a constraint of `depends`: `< "2.0"`
    fn allowed(&self) -> String {
        format!("{} \"{}\"", if self.only_this { "!=" } else { "<" }, self.version)
    }

    /// As a constraint of `conflicts`: `>= "2.0"`
    fn refused(&self) -> String {
        format!("{} \"{}\"", if self.only_this { "=" } else { ">=" }, self.version)
    }
}

/// A replacement of a part of the text.
struct TextEdit {
    start: usize,
    end: usize,
    text: String,
}

fn apply(source: &[u8], mut edits: Vec<TextEdit>) -> Vec<u8> {
    edits.sort_by_key(|edit| std::cmp::Reverse((edit.start, edit.end)));
    let mut text = source.to_vec();
    for edit in edits {
        text.splice(edit.start..edit.end, edit.text.into_bytes());
    }
    text
}

fn field<'t>(mut items: impl Iterator<Item = Item<'t>>, name: &str) -> Option<(Item<'t>, Value<'t>)> {
    items.find_map(|item| match item.kind() {
        ItemKind::Field(value) if item.name() == name => Some((item, value)),
        _ => None,
    })
}

/// Bounds every mention of a package in `depends`. `None` if there is none.
pub(super) fn bound_dependency(source: &[u8], package: &str, bound: &Bound) -> Option<Vec<u8>> {
    let (tree, _) = parse_file(source);
    let (_, value) = field(tree.items(), "depends")?;
    let mut edits = Vec::new();
    bound_in(value, package, bound, &mut edits);
    (!edits.is_empty()).then(|| apply(source, edits))
}

fn bound_in(value: Value<'_>, package: &str, bound: &Bound, edits: &mut Vec<TextEdit>) {
    let is_it = |value: Value<'_>| matches!(value.kind(), ValueKind::String(text) if text == package);
    match value.kind() {
        ValueKind::String(_) if is_it(value) => {
            let end = value.span().end as usize;
            edits.push(TextEdit { start: end, end, text: format!(" {{{}}}", bound.allowed()) });
        }
        ValueKind::Braced(name, options) if is_it(name) => {
            let options: Vec<Value<'_>> = options.collect();
            match options.as_slice() {
                [] => {
                    let (start, end) = (name.span().end as usize, value.span().end as usize);
                    edits.push(TextEdit { start, end, text: format!(" {{{}}}", bound.allowed()) });
                }
                [.., last] => bound_condition(*last, bound, edits),
            }
        }
        ValueKind::And(values) | ValueKind::Or(values) | ValueKind::List(values) | ValueKind::Group(values) => {
            values.for_each(|value| bound_in(value, package, bound, edits));
        }
        _ => {}
    }
}

/// An upper bound that is there and higher is lowered; else the new one is added.
fn bound_condition(condition: Value<'_>, bound: &Bound, edits: &mut Vec<TextEdit>) {
    let conjuncts: Vec<Value<'_>> = match condition.kind() {
        ValueKind::And(values) => values.collect(),
        _ => vec![condition],
    };
    let higher = |value: &&Value<'_>| match value.kind() {
        ValueKind::PrefixRelOp(RelOp::Lt | RelOp::Leq, operand) => match operand.kind() {
            ValueKind::String(text) => version::compare(bound.version.as_bytes(), text).is_le(),
            _ => false,
        },
        _ => false,
    };
    let (start, end) = (condition.span().start as usize, condition.span().end as usize);
    match (conjuncts.iter().find(higher).filter(|_| !bound.only_this), condition.kind()) {
        (Some(found), _) => {
            let span = found.span();
            edits.push(TextEdit { start: span.start as usize, end: span.end as usize, text: bound.allowed() });
        }
        (None, ValueKind::Or(_)) => {
            edits.push(TextEdit { start, end: start, text: "(".to_owned() });
            edits.push(TextEdit { start: end, end, text: format!(") & {}", bound.allowed()) });
        }
        (None, _) => edits.push(TextEdit { start: end, end, text: format!(" & {}", bound.allowed()) }),
    }
}

/// Adds a conflict with the versions of a package that a bound refuses. `None` if the file has neither
/// `conflicts` nor `depends` beside which it could stand.
pub(super) fn add_conflict(source: &[u8], package: &str, bound: &Bound) -> Option<Vec<u8>> {
    let (tree, _) = parse_file(source);
    let conflict = format!("\"{package}\" {{{}}}", bound.refused());
    if let Some((_, value)) = field(tree.items(), "conflicts") {
        let (start, end) = (value.span().start as usize, value.span().end as usize);
        let ValueKind::List(values) = value.kind() else {
            let old = String::from_utf8_lossy(&source[start..end]).into_owned();
            return Some(apply(source, vec![TextEdit { start, end, text: format!("[{old} {conflict}]") }]));
        };
        // As the last of them stands: on a line of its own, or not.
        let Some(last) = values.last().map(|last| last.span()) else {
            return Some(apply(source, vec![TextEdit { start, end, text: format!("[{conflict}]") }]));
        };
        let (at, line) = (last.end as usize, line_start(source, last.start as usize));
        let before = &source[line..last.start as usize];
        let text = match before.iter().all(u8::is_ascii_whitespace) {
            true => format!("\n{}{conflict}", String::from_utf8_lossy(before)),
            false => format!(" {conflict}"),
        };
        return Some(apply(source, vec![TextEdit { start: at, end: at, text }]));
    }
    let beside = field(tree.items(), "depopts").or_else(|| field(tree.items(), "depends"))?;
    let at = beside.0.span().end as usize;
    Some(apply(source, vec![TextEdit { start: at, end: at, text: format!("\nconflicts: [\n  {conflict}\n]") }]))
}

fn line_start(source: &[u8], offset: usize) -> usize {
    memchr::memrchr(b'\n', &source[..offset]).map_or(0, |newline| newline + 1)
}

#[cfg(test)]
mod tests {
    use super::{Bound, add_conflict, bound_dependency};

    fn bounded(text: &str) -> String {
        let bound = Bound { version: "2.0".into(), only_this: false };
        let edited = bound_dependency(text.as_bytes(), "p", &bound).map(String::from_utf8);
        edited.map_or_else(String::new, |text| text.unwrap_or_default())
    }

    #[test]
    fn bounds_stand_where_people_write_them() {
        assert_eq!(bounded("depends: [\"p\" \"q\"]"), "depends: [\"p\" {< \"2.0\"} \"q\"]");
        assert_eq!(bounded("depends: [\"p\" {>= \"1.0\"}]"), "depends: [\"p\" {>= \"1.0\" & < \"2.0\"}]");
        assert_eq!(bounded("depends: [\"p\" {}]"), "depends: [\"p\" {< \"2.0\"}]");
        assert_eq!(
            bounded("depends: [\n  \"p\" {with-test} # why\n]"),
            "depends: [\n  \"p\" {with-test & < \"2.0\"} # why\n]"
        );
        assert_eq!(bounded("depends: [\"p\" {>= \"1\" & < \"3\"}]"), "depends: [\"p\" {>= \"1\" & < \"2.0\"}]");
        assert_eq!(bounded("depends: [\"p\" {< \"1.5\"}]"), "depends: [\"p\" {< \"1.5\" & < \"2.0\"}]");
        assert_eq!(
            bounded("depends: [\"p\" {= \"1\" | > \"1.5\"}]"),
            "depends: [\"p\" {(= \"1\" | > \"1.5\") & < \"2.0\"}]"
        );
        assert_eq!(
            bounded("depends: [(\"p\" | \"q\") \"p\" {build}]"),
            "depends: [(\"p\" {< \"2.0\"} | \"q\") \"p\" {build & < \"2.0\"}]"
        );
        assert_eq!(bounded("depends: [\"q\" {= \"p\"}]"), "");
    }

    #[test]
    fn one_version_alone_is_left_out() {
        let bound = Bound { version: "2.0".into(), only_this: true };
        let edited = bound_dependency(b"depends: [\"p\" {>= \"1\" & < \"3\"}]", "p", &bound);
        assert_eq!(edited.as_deref(), Some(&b"depends: [\"p\" {>= \"1\" & < \"3\" & != \"2.0\"}]"[..]));
    }

    #[test]
    fn conflicts_join_those_that_are_there() {
        let conflict = |text: &str| {
            let bound = Bound { version: "2.0".into(), only_this: false };
            let edited = add_conflict(text.as_bytes(), "p", &bound).map(String::from_utf8);
            edited.map_or_else(String::new, |text| text.unwrap_or_default())
        };
        assert_eq!(conflict("conflicts: [\"q\"]"), "conflicts: [\"q\" \"p\" {>= \"2.0\"}]");
        assert_eq!(conflict("conflicts: \"q\" {< \"1\"}"), "conflicts: [\"q\" {< \"1\"} \"p\" {>= \"2.0\"}]");
        assert_eq!(conflict("conflicts: []"), "conflicts: [\"p\" {>= \"2.0\"}]");
        assert_eq!(conflict("conflicts: [\n  \"q\" # why\n]"), "conflicts: [\n  \"q\"\n  \"p\" {>= \"2.0\"} # why\n]");
        assert_eq!(
            conflict("depends: [\"a\"]\nbuild: []"),
            "depends: [\"a\"]\nconflicts: [\n  \"p\" {>= \"2.0\"}\n]\nbuild: []"
        );
        assert_eq!(conflict("build: []"), "");
    }
}
