//! What of an opam file decides what a build does.

use opam_parser::syntax::print::{print_item, print_value};
use opam_parser::syntax::{Item, ItemKind, ValueKind, parse_file};
use xxhash_rust::xxh3::xxh3_128;

/// Fields that say what is done, or what it is done with. Not `depends` and its like: what a build is built
/// with is known by the time that it is one. Not what is only for people.
const FIELDS: [&str; 14] = [
    "build",
    "build-doc",
    "build-env",
    "build-test",
    "depexts",
    "extra-files",
    "features",
    "install",
    "patches",
    "remove",
    "run-test",
    "setenv",
    "substs",
    "x-env-path-rewrite",
];

/// A hash of what of an opam file decides what a build does. Layout, comments, the order of fields and
/// mirrors make no difference, and of an archive with a checksum neither does where it lies.
pub fn fingerprint(source: &[u8]) -> u128 {
    let (tree, _) = parse_file(source);
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for item in tree.items() {
        match item.kind() {
            ItemKind::Field(_) if FIELDS.contains(&item.name()) => parts.push(print_item(item)),
            ItemKind::Field(_) => {}
            ItemKind::Section { title, items } if matches!(item.name(), "url" | "extra-source") => {
                let mut part = format!("{} {:?} ", item.name(), title).into_bytes();
                part.extend(contents(items));
                parts.push(part);
            }
            ItemKind::Section { .. } => {}
        }
    }
    parts.sort_unstable();
    let mut text = Vec::new();
    for part in parts {
        text.extend((part.len() as u64).to_le_bytes());
        text.extend(part);
    }
    xxh3_128(&text)
}

/// What is fetched: the first checksum says it; where there is none, the place does.
fn contents<'t>(items: impl Iterator<Item = Item<'t>> + Clone) -> Vec<u8> {
    let value = |wanted: &[&str]| {
        items.clone().find_map(|item| match item.kind() {
            ItemKind::Field(value) if wanted.contains(&item.name()) => Some(value),
            _ => None,
        })
    };
    match value(&["checksum"]).map(|value| (value, value.kind())) {
        Some((_, ValueKind::List(mut all))) if all.clone().next().is_some() => {
            all.next().map(print_value).unwrap_or_default()
        }
        Some((one, ValueKind::String(_))) => print_value(one),
        _ => value(&["src", "http", "archive", "git"]).map(print_value).unwrap_or_default(),
    }
}
