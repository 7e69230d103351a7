//! What a person who uses opam already has: the repositories in opam's root (`~/.opam`).
//!
//! `repo/repos-config` says which there are, `config` in which order they count; each lies below
//! `repo/` as a directory or as `NAME.tar.gz`.

use crate::syntax::{self, ItemKind, ValueKind};
use bstr::ByteSlice;
use std::path::{Path, PathBuf};

/// A repository in opam's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootRepository {
    /// What opam calls it.
    pub name: String,
    /// The directory or archive.
    pub path: PathBuf,
}

/// opam's root: `OPAMROOT`, else `~/.opam`.
pub fn location() -> Option<PathBuf> {
    let named = std::env::var_os("OPAMROOT").filter(|root| !root.is_empty()).map(PathBuf::from);
    named.or_else(|| Some(std::env::home_dir().filter(|home| home.is_absolute())?.join(".opam")))
}

/// The repositories of a root, the one with the highest priority first; none if it is no root.
pub fn repositories(root: &Path) -> Vec<RootRepository> {
    let listed = strings_of(&root.join("config"), "repositories");
    let names = if listed.is_empty() { vec!["default".to_owned()] } else { listed };
    let found = names.into_iter().filter_map(|name| {
        let directory = root.join("repo").join(&name);
        let archive = root.join("repo").join(format!("{name}.tar.gz"));
        let path = if directory.join("packages").is_dir() { directory } else { archive };
        path.exists().then_some(RootRepository { name, path })
    });
    found.collect()
}

/// What changes whenever opam writes to its root: `opam update` removes and rewrites the cache of
/// its state beside the repositories, so nothing below them has to be looked at. `None` if there
/// is no such cache; then they are to be treated as any directory.
pub fn update_marks(root: &Path) -> Option<Vec<PathBuf>> {
    let entries = fs_err::read_dir(root.join("repo")).ok()?;
    let mut marks: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    marks.sort();
    let is_state = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("state-") && name.ends_with(".cache")
    };
    marks.iter().any(is_state).then_some(marks)
}

/// A field of strings of one of opam's own files; empty where it cannot be read.
fn strings_of(path: &Path, field: &str) -> Vec<String> {
    let Ok(source) = fs_err::read(path) else { return vec![] };
    let (tree, _) = syntax::parse_file(&source);
    let item = tree.items().find(|item| item.name() == field);
    let Some(ItemKind::Field(value)) = item.map(syntax::Item::kind) else { return vec![] };
    let string = |value: syntax::Value<'_>| match value.kind() {
        ValueKind::String(text) => text.to_str().ok().map(str::to_owned),
        _ => None,
    };
    match value.kind() {
        ValueKind::List(values) => values.filter_map(string).collect(),
        _ => string(value).into_iter().collect(),
    }
}
