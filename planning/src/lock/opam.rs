//! `NAME.opam.locked`, as `opam lock` writes it: the package's own file with all that it needs, directly and
//! indirectly, each in one version.

use super::check::LockFile;
use super::error::LockError;
use super::roots::roots;
use caravan_solver::problem::Pin;
use caravan_solver::{Flags, View};
use opam_parser::index::PackageId;
use opam_parser::syntax::{ItemKind, parse_file};
use rustc_hash::FxHashSet;
use std::fmt::Write;

/// The lock file of one of a project's packages, for a selection that has it. What only its tests need is
/// marked so.
///
/// # Errors
/// [`LockError::Wrong`] if the lock file does not lead to the packages that it names.
pub fn locked(view: &View<'_>, selection: &[PackageId], package: &Pin, with_test: bool) -> Result<String, LockError> {
    let index = view.index();
    let of_name = |package: &&PackageId| index.name(index.package_name(**package));
    let Some(own) = selection.iter().find(|selected| of_name(selected) == package.name.as_str()) else {
        return Err(LockError::Wrong(format!("the solution has no {}", package.name)));
    };
    let flags = |with_test| Flags { with_test, dev: Some(true), ..Flags::default() };
    let plain = needed(view, selection, *own, flags(false));
    let all = needed(view, selection, *own, flags(with_test));
    let mut depends = String::from("depends: [\n");
    for needed in selection.iter().filter(|selected| all.contains(*selected)) {
        let (name, version) = (index.name(index.package_name(*needed)), index.version(index.package_version(*needed)));
        let filter = if plain.contains(needed) { "" } else { " & with-test" };
        let _ = writeln!(depends, "  \"{name}\" {{= \"{version}\"{filter}}}");
    }
    depends.push(']');
    let source = package.opam.as_bytes();
    let (tree, _) = parse_file(source);
    let field = tree.items().find(|item| item.name() == "depends" && matches!(item.kind(), ItemKind::Field(_)));
    let mut text = source.to_vec();
    match field.map(|item| item.span()) {
        Some(span) => drop(text.splice(span.start as usize..span.end as usize, depends.into_bytes())),
        None => {
            // Sections come last.
            let section = tree.items().find(|item| matches!(item.kind(), ItemKind::Section { .. }));
            let at = section.map_or(text.len(), |item| item.span().start as usize);
            drop(text.splice(at..at, format!("{depends}\n").into_bytes()));
        }
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    let expected: Vec<PackageId> = selection.iter().copied().filter(|package| all.contains(package)).collect();
    let roots = roots(std::slice::from_ref(package), with_test);
    let file = LockFile { own: package, text: &text, roots: &roots, expected: &expected, with_vendored: false };
    file.check(view)?;
    Ok(text)
}

/// All that a package needs in a selection, directly and indirectly.
fn needed(view: &View<'_>, selection: &[PackageId], root: PackageId, flags: Flags) -> FxHashSet<PackageId> {
    let index = view.index();
    let mut found = FxHashSet::default();
    let mut work = vec![root];
    while let Some(at) = work.pop() {
        let own;
        let compiled = match at == root {
            true => {
                own = view.compile(at, view.flags(at, Some(flags)));
                &own
            }
            false => view.package(at),
        };
        for (name, mask) in compiled.needs() {
            let selected = selection.iter().copied().find(|selected| index.package_name(*selected) == name);
            let fits = |selected: &PackageId| mask.contains(index.version_position(*selected)) && *selected != root;
            if let Some(selected) = selected.filter(fits).filter(|selected| found.insert(*selected)) {
                work.push(selected);
            }
        }
    }
    found
}
