//! No circle among the modules of a crate: if one module uses another, that one uses nothing of the first,
//! not through others either. A parent counts like any module, by what its own file defines; what it only
//! re-exports belongs to the child that defines it.
//!
//! The modules are read as text: `use` declarations and paths in code outside of tests, each followed to the
//! file that defines what it names. Methods are not followed. Generated code is left out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use syn::visit::{self, Visit};

/// Crates by their folders, each with the text of its files below `src`, by path.
type Files = BTreeMap<String, String>;

/// From one file to another: the path that makes it.
type Arrows = BTreeMap<String, BTreeMap<String, String>>;

#[test]
fn no_module_uses_itself_through_others() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut circles = Vec::new();
    for entry in fs_err::read_dir(&workspace).unwrap() {
        let folder = entry.unwrap().path();
        let source = folder.join("src");
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        // The fuzz crate is a workspace of its own.
        if name == "fuzz" || !folder.join("Cargo.toml").is_file() || !source.is_dir() {
            continue;
        }
        let mut files = Files::new();
        read(&source, "", &mut files);
        circles.extend(found_in(&files).into_iter().map(|circle| format!("{name}/src: {circle}")));
    }
    assert!(circles.is_empty(), "modules use each other:\n{}", circles.join("\n"));
}

#[test]
fn a_circle_is_found_where_there_is_one() {
    let files = |texts: &[(&str, &str)]| -> Files {
        texts.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    };
    // A parent that only re-exports is no part of a circle.
    let fine = files(&[
        ("lib.rs", "mod a; pub mod b; pub use a::Made;"),
        ("a.rs", "use crate::b::Word; pub struct Made(Word);"),
        ("b/mod.rs", "mod word; mod maker; pub use word::Word; pub use maker::make;"),
        ("b/word.rs", "pub struct Word; #[cfg(test)] mod tests { use super::super::maker::make; }"),
        ("b/maker.rs", "use super::Word; pub fn make() -> Word { Word }"),
    ]);
    assert_eq!(found_in(&fine), Vec::<String>::new());
    // Through a re-export, and through a path in a macro.
    let through = files(&[
        ("lib.rs", "mod a; pub mod b; pub use a::Made;"),
        ("a.rs", "use crate::b; pub struct Made; fn f() { drop(vec![b::make()]) }"),
        ("b/mod.rs", "mod maker; pub use maker::make;"),
        ("b/maker.rs", "pub fn make() -> crate::Made { crate::Made }"),
    ]);
    assert_eq!(found_in(&through), ["a.rs → b/maker.rs (b::make) → a.rs (crate::Made)"]);
    // A parent that defines what its child uses.
    let parent = files(&[
        ("lib.rs", "mod a;"),
        ("a/mod.rs", "mod child; pub use child::Child; pub struct Thing; fn f(_: &Child) {}"),
        ("a/child.rs", "use super::Thing; pub struct Child(Thing);"),
    ]);
    assert_eq!(found_in(&parent), ["a/child.rs → a/mod.rs (super::Thing) → a/child.rs (Child)"]);
}

/// The Rust files below a folder.
fn read(folder: &Path, prefix: &str, files: &mut Files) {
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "generated" {
            read(&path, &format!("{prefix}{name}/"), files);
        } else if name.ends_with(".rs") {
            files.insert(format!("{prefix}{name}"), fs_err::read_to_string(&path).unwrap());
        }
    }
}

/// The circles among the files of a crate: for each file that is in one, one of the shortest.
fn found_in(files: &Files) -> Vec<String> {
    let mut arrows = Arrows::new();
    let is_root = |path: &&String| *path == "lib.rs" || *path == "main.rs" || path.starts_with("bin/");
    for root in files.keys().filter(is_root) {
        let mut modules = Modules { files, all: BTreeMap::new() };
        modules.add_file(vec![], root);
        for (path, module) in &modules.all {
            for (name, is_use) in &module.mentioned {
                let target = modules.defining(path, name, *is_use);
                if let Some(target) = target.filter(|target| *target != module.file) {
                    let names = arrows.entry(module.file.clone()).or_default();
                    // The longest says best where it is from.
                    let name = name.join("::");
                    let known = names.entry(target).or_default();
                    if name.len() > known.len() {
                        *known = name;
                    }
                }
            }
        }
    }
    let mut circles: Vec<Vec<String>> = arrows.keys().filter_map(|file| circle_from(&arrows, file)).collect();
    circles.sort_by_key(Vec::len);
    let mut seen = BTreeSet::new();
    // A circle is told once, not from each of its files.
    circles.retain(|circle| seen.insert(circle.iter().cloned().collect::<BTreeSet<String>>()));
    circles.iter().map(|circle| shown(&arrows, circle)).collect()
}

/// The shortest way from a file back to it.
fn circle_from(arrows: &Arrows, start: &String) -> Option<Vec<String>> {
    let mut before: BTreeMap<&String, &String> = BTreeMap::new();
    let mut waiting = VecDeque::from([start]);
    while let Some(file) = waiting.pop_front() {
        for next in arrows.get(file).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                let mut way = vec![file.clone()];
                while let Some(earlier) = before.get(&way[way.len() - 1]) {
                    way.push((*earlier).clone());
                }
                way.reverse();
                return Some(way);
            }
            if !before.contains_key(next) {
                before.insert(next, file);
                waiting.push_back(next);
            }
        }
    }
    None
}

fn shown(arrows: &Arrows, circle: &[String]) -> String {
    let mut text = circle[0].clone();
    for (place, file) in circle.iter().enumerate() {
        let next = &circle[(place + 1) % circle.len()];
        text.push_str(&format!(" → {next} ({})", arrows[file][next]));
    }
    text
}

/// A module, in a file of its own or in braces.
#[derive(Default)]
struct Module {
    file: String,
    /// Names of the items that it defines, other than modules.
    items: BTreeSet<String>,
    /// What its `use` declarations bring in: a name for a path.
    imports: Vec<(String, Vec<String>)>,
    /// Paths whose every name is brought in.
    globs: Vec<Vec<String>>,
    /// The paths that it mentions, and whether a `use` does. A `pub use` alone does not count.
    mentioned: BTreeSet<(Vec<String>, bool)>,
}

/// The modules of a crate, by path.
struct Modules<'f> {
    files: &'f Files,
    all: BTreeMap<Vec<String>, Module>,
}

impl Modules<'_> {
    fn add_file(&mut self, path: Vec<String>, file: &str) {
        let parsed = syn::parse_file(&self.files[file]).unwrap();
        self.add(path, file, &parsed.items);
    }

    fn add(&mut self, path: Vec<String>, file: &str, items: &[syn::Item]) {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        for item in items {
            if !is_of_tests(item) {
                module.visit_item(item);
            }
        }
        self.all.insert(path.clone(), module);
        for item in items {
            if let syn::Item::Mod(child) = item
                && !is_of_tests(item)
            {
                let child_path = [path.clone(), vec![child.ident.to_string()]].concat();
                match &child.content {
                    Some((_, items)) => self.add(child_path, file, items),
                    None => self.add_child(child_path, file),
                }
            }
        }
    }

    /// A module that is declared in `parent` and lies in a file of its own.
    fn add_child(&mut self, path: Vec<String>, parent: &str) {
        let folder = match parent.rsplit_once('/') {
            _ if ["lib.rs", "main.rs"].contains(&parent) => String::new(),
            Some((folder, "mod.rs")) => format!("{folder}/"),
            Some((folder, _)) if folder == "bin" => format!("{folder}/"),
            _ => format!("{}/", parent.trim_end_matches(".rs")),
        };
        let name = &path[path.len() - 1];
        let candidates = [format!("{folder}{name}.rs"), format!("{folder}{name}/mod.rs")];
        // What is not there is generated.
        if let Some(file) = candidates.iter().find(|file| self.files.contains_key(*file)) {
            self.add_file(path, file);
        }
    }

    /// The file that defines what a path means in a module. `None` for what is not of this crate, and for
    /// modules: what is used of them is mentioned where it is used.
    fn defining(&self, module: &[String], name: &[String], is_use: bool) -> Option<String> {
        let (first, rest) = name.split_first()?;
        match first.as_str() {
            "crate" => self.within(&[], rest, 0),
            "self" => self.within(module, rest, 0),
            "super" => {
                let parent = &module[..module.len().checked_sub(1)?];
                match rest.first().is_some_and(|next| next == "super") {
                    true => self.defining(parent, rest, is_use),
                    false => self.within(parent, rest, 0),
                }
            }
            // A plain path of a `use` may mean what the `use` itself brings in: `use bytes;`
            _ if is_use && rest.is_empty() => None,
            _ if self.knows(module, first) => self.within(module, name, 0),
            _ => None,
        }
    }

    fn knows(&self, module: &[String], name: &str) -> bool {
        let found = &self.all[module];
        self.all.contains_key(&[module, &[name.to_owned()]].concat())
            || found.items.contains(name)
            || found.imports.iter().any(|(known, _)| known == name)
    }

    /// The file that defines a path below a module.
    fn within(&self, module: &[String], path: &[String], depth: usize) -> Option<String> {
        let (first, rest) = path.split_first()?;
        let found = self.all.get(module)?;
        if first == "*" {
            return Some(found.file.clone());
        }
        let child = [module, std::slice::from_ref(first)].concat();
        if self.all.contains_key(&child) {
            return self.within(&child, rest, depth);
        }
        if found.items.contains(first) {
            return Some(found.file.clone());
        }
        if depth > 8 {
            return None;
        }
        let imported = found.imports.iter().find(|(known, _)| known == first);
        if let Some((_, import)) = imported {
            return self.followed(module, &[import, rest].concat(), depth);
        }
        let globs = found.globs.iter();
        let of_glob = globs.filter_map(|glob| self.followed(module, &[glob, path].concat(), depth)).next();
        // What no item is, a macro makes.
        of_glob.or_else(|| Some(found.file.clone()))
    }

    /// The same for a path as a `use` in that module has it.
    fn followed(&self, module: &[String], path: &[String], depth: usize) -> Option<String> {
        match path.split_first()? {
            (first, rest) if first == "crate" => self.within(&[], rest, depth + 1),
            (first, rest) if first == "self" => self.within(module, rest, depth + 1),
            (first, rest) if first == "super" => self.followed_up(&module[..module.len().checked_sub(1)?], rest, depth),
            (first, _) if self.knows(module, first) => self.within(module, path, depth + 1),
            _ => None,
        }
    }

    fn followed_up(&self, module: &[String], rest: &[String], depth: usize) -> Option<String> {
        match rest.first().is_some_and(|next| next == "super") {
            true => self.followed(module, rest, depth),
            false => self.within(module, rest, depth + 1),
        }
    }
}

fn is_of_tests(item: &syn::Item) -> bool {
    let attributes = match item {
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        _ => return false,
    };
    attributes.iter().any(|attribute| {
        let of_test = |meta: &syn::MetaList| {
            // `test`, or `all (test , …)`
            let tokens = meta.tokens.to_string();
            meta.path.is_ident("cfg") && (tokens == "test" || tokens.replace(' ', "").starts_with("all(test,"))
        };
        attribute.meta.require_list().is_ok_and(of_test)
    })
}

impl Module {
    fn add_use(&mut self, tree: &syn::UseTree, mut path: Vec<String>, is_public: bool) {
        let (name, alias) = match tree {
            syn::UseTree::Path(tree) => {
                path.push(tree.ident.to_string());
                return self.add_use(&tree.tree, path, is_public);
            }
            syn::UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.add_use(tree, path.clone(), is_public));
            }
            syn::UseTree::Glob(_) => {
                self.globs.push(path.clone());
                path.push("*".to_owned());
                self.mentioned.insert((path, true));
                return;
            }
            syn::UseTree::Name(name) => (name.ident.to_string(), None),
            syn::UseTree::Rename(renamed) => (renamed.ident.to_string(), Some(renamed.rename.to_string())),
        };
        // `use a::{self}` is `use a`.
        let bound = if name == "self" { path.last().cloned().unwrap_or_default() } else { name.clone() };
        if name != "self" {
            path.push(name);
        }
        self.imports.push((alias.unwrap_or(bound), path.clone()));
        if !is_public {
            self.mentioned.insert((path, true));
        }
    }

    /// Paths among the words of a macro, which nobody parses.
    fn add_words(&mut self, words: &str) {
        let words = words.replace(" :: ", "::");
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        for path in words.split(|c| !is_word(c)).filter(|word| word.contains("::") || !word.contains(':')) {
            let names: Vec<String> = path.split("::").map(str::to_owned).collect();
            if names.iter().all(|name| !name.is_empty() && !name.contains(':')) {
                self.mentioned.insert((names, false));
            }
        }
    }
}

impl<'a> Visit<'a> for Module {
    fn visit_item(&mut self, item: &'a syn::Item) {
        let name = match item {
            syn::Item::Const(item) => Some(&item.ident),
            syn::Item::Enum(item) => Some(&item.ident),
            syn::Item::Fn(item) => Some(&item.sig.ident),
            syn::Item::Static(item) => Some(&item.ident),
            syn::Item::Struct(item) => Some(&item.ident),
            syn::Item::Trait(item) => Some(&item.ident),
            syn::Item::Type(item) => Some(&item.ident),
            syn::Item::Union(item) => Some(&item.ident),
            syn::Item::Macro(item) => item.ident.as_ref(),
            _ => None,
        };
        self.items.extend(name.map(ToString::to_string));
        match item {
            // A module of its own, in a file or in braces.
            syn::Item::Mod(_) => {}
            item => visit::visit_item(self, item),
        }
    }

    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        self.add_use(&item.tree, vec![], !matches!(item.vis, syn::Visibility::Inherited));
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let names = path.segments.iter().map(|segment| segment.ident.to_string());
        self.mentioned.insert((names.collect(), false));
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, found: &'a syn::Macro) {
        self.add_words(&found.tokens.to_string());
    }

    fn visit_visibility(&mut self, _: &'a syn::Visibility) {}

    fn visit_attribute(&mut self, _: &'a syn::Attribute) {}
}
