//! What in a repository solver-service cannot read. It fails a request as soon as the solver asks for the name.

use super::opam_error::opam_error;
use crate::repository::Repository;
use bstr::BStr;
use caravan_solver::problem::Constraint;
use caravan_solver::reduce::{Bound, Reduced, Sets};
use caravan_solver::{Request, Root, View};
use opam_parser::index::{FileId, Index, NameId, Part};
use opam_parser::syntax::RelOp;
use rustc_hash::FxHashMap;

/// What cannot be read of some names, by name: the message that the request fails with.
#[derive(Clone, Debug, Default)]
pub(super) struct Unreadable(FxHashMap<String, String>);

impl Unreadable {
    /// What a request fails with because the solver asks for a name of which something cannot be read (rule C7): any
    /// that a root, or a usable version of something that it needs, needs or conflicts with. What the request brings
    /// is not looked for.
    pub(super) fn first_asked_for(
        &self,
        view: &View<'_>,
        request: &Request,
        brings: &dyn Fn(&str) -> bool,
    ) -> Option<&str> {
        if self.0.is_empty() {
            return None;
        }
        let index = view.index();
        let mut seen = vec![false; index.name_count()];
        let roots = request.roots.iter().filter_map(|root| Some((index.find_name(root.name.as_str())?, root)));
        let roots: FxHashMap<NameId, &Root> = roots.collect();
        let mut work: Vec<NameId> = roots.keys().copied().collect();
        work.sort_unstable();
        while let Some(name) = work.pop() {
            if std::mem::replace(&mut seen[name.place()], true) {
                continue;
            }
            let text = index.name(name);
            if let Some(message) = self.0.get(text).filter(|_| !brings(text)) {
                return Some(message);
            }
            let root = roots.get(&name);
            for package in index.versions_of(name) {
                let version = index.version(index.package_version(package));
                let is_wanted = root
                    .is_none_or(|root| root.constraints.iter().all(|Constraint(_, wanted)| wanted.as_str() == version));
                if is_wanted && view.is_available(package) {
                    let flags = root.map(|root| root.flags);
                    let formulas = [view.depends(package, flags, &Names), view.conflicts(package, flags, &Names)];
                    formulas.iter().flatten().for_each(|formula| names(formula, &mut work));
                }
            }
        }
        None
    }

    /// Adds what cannot be read of some names of a repository, whose places say which names. The repository is what
    /// the index was made from.
    pub(super) fn add(&mut self, repository: &Repository, index: &Index, names: &[bool]) {
        for file in index.broken_files().chain(later_formats(index)) {
            let name = index.file_name(file);
            if names[name.place()] {
                let text = repository.text_at(index.file(file));
                let why = match text.map(|text| opam_error(&text)) {
                    Ok(why) => why.unwrap_or_else(|| "it cannot be read".to_owned()),
                    Err(error) => error.message,
                };
                let message = format!("Error parsing {}: {why}", index.file_text(file));
                self.0.entry(index.name(name).to_owned()).or_insert(message);
            }
        }
        self.add_directories(repository, index, names);
    }

    /// Adds directories of versions without a file `opam`.
    fn add_directories(&mut self, repository: &Repository, index: &Index, names: &[bool]) {
        let Ok((_, lineage)) = repository.lineage() else { return };
        // What of a tree cannot be read now fails the request elsewhere.
        for (top, stamp, files) in (Part { index, names: Some(names) }).tops() {
            let Ok(directories) = lineage.directories(stamp) else { continue };
            if directories.len() == files.len() {
                continue;
            }
            let paths: Vec<String> = files.map(|file| index.file(file).path).collect();
            let has_file = |directory: &String| paths.contains(&format!("packages/{top}/{directory}/opam"));
            self.add_missing(top, directories.iter().filter(|directory| !has_file(directory)));
        }
        for (top, stamp) in index.empty_tops() {
            if let Ok(directories) = lineage.directories(stamp) {
                self.add_missing(top, directories.iter());
            }
        }
    }

    /// Adds that the first of some directories has no file `opam`.
    fn add_missing<'d>(&mut self, name: &BStr, mut directories: impl Iterator<Item = &'d String>) {
        if let Some((_, version)) = directories.find_map(|directory| directory.split_once('.')) {
            self.0.entry(name.to_string()).or_insert(format!("opam file not found for {name}.{version}"));
        }
    }
}

/// The files of versions whose `opam-version` is later than the one that solver-service reads.
fn later_formats(index: &Index) -> impl Iterator<Item = FileId> + '_ {
    index.packages().filter(|package| index.is_of_later_format(*package)).map(|package| index.package_file(package))
}

/// Formulas of which only the names count.
struct Names;

impl Sets for Names {
    type Set = ();

    fn constraint(&self, _: NameId, _: RelOp, _: Bound<'_>) {}

    fn and(&self, (): (), (): ()) {}

    fn or(&self, (): (), (): ()) {}
}

fn names(formula: &Reduced<()>, found: &mut Vec<NameId>) {
    match formula {
        Reduced::Atom(name, _) => found.push(*name),
        Reduced::All(parts) | Reduced::Any(parts) => parts.iter().for_each(|part| names(part, found)),
    }
}
