//! Every opam file of the real repository.

use opam_parser::file::OpamFile;
use opam_parser::syntax::{self, ItemKind, Items, Value, ValueKind, Values};
use rayon::prelude::*;
use std::path::PathBuf;

fn files() -> Vec<PathBuf> {
    let packages = caravan_tests::shared_checkout().join("packages");
    let list = |dir: PathBuf| fs_err::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = list(packages).flat_map(list).map(|dir| dir.join("opam")).collect();
    files.sort();
    assert_eq!(files.len(), 18_793);
    files
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn all_are_read_without_a_diagnostic() {
    files().par_iter().for_each(|path| {
        let source = fs_err::read(path).unwrap();
        let parsed = OpamFile::parse(&source);
        // opam itself reports a duplicate field only where it is no extension (rule P12).
        let shown: Vec<_> =
            parsed.diagnostics.iter().map(|d| d.render(&path.to_string_lossy(), &source, false)).collect();
        assert!(shown.is_empty(), "{}", shown.join("\n"));
        assert!(parsed.file.is_some());
    });
}

fn same_values(mut a: Values<'_>, mut b: Values<'_>) -> bool {
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if same(a, b) => {}
            _ => return false,
        }
    }
}

/// Equal but for where things stand.
fn same(a: Value<'_>, b: Value<'_>) -> bool {
    use ValueKind as V;
    match (a.kind(), b.kind()) {
        (V::Bool(a), V::Bool(b)) => a == b,
        (V::Int(a), V::Int(b)) => a == b,
        (V::String(a), V::String(b)) => a == b,
        (V::Ident(a), V::Ident(b)) => a == b,
        (V::RelOp(o, a, b), V::RelOp(p, c, d)) => o == p && same(a, c) && same(b, d),
        (V::EnvOp(o, a, b), V::EnvOp(p, c, d)) => o == p && same(a, c) && same(b, d),
        (V::PrefixRelOp(o, a), V::PrefixRelOp(p, b)) => o == p && same(a, b),
        (V::Not(a), V::Not(b)) | (V::Defined(a), V::Defined(b)) => same(a, b),
        (V::And(a), V::And(b)) | (V::Or(a), V::Or(b)) => same_values(a, b),
        (V::List(a), V::List(b)) | (V::Group(a), V::Group(b)) => same_values(a, b),
        (V::Braced(a, o), V::Braced(b, p)) => same(a, b) && same_values(o, p),
        _ => false,
    }
}

fn same_items(mut a: Items<'_>, mut b: Items<'_>) -> bool {
    loop {
        let (a, b) = match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a.name() == b.name() => (a, b),
            _ => return false,
        };
        let equal = match (a.kind(), b.kind()) {
            (ItemKind::Field(a), ItemKind::Field(b)) => same(a, b),
            (ItemKind::Section { title: t, items: i }, ItemKind::Section { title: u, items: j }) => {
                t == u && same_items(i, j)
            }
            _ => false,
        };
        if !equal {
            return false;
        }
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn reading_what_was_printed_gives_the_same_tree() {
    files().par_iter().for_each(|path| {
        let source = fs_err::read(path).unwrap();
        let (tree, _) = syntax::parse_file(&source);
        let printed = syntax::print::print(&tree);
        let (again, diagnostics) = syntax::parse_file(&printed);
        assert!(diagnostics.is_empty(), "{}:\n{}", path.display(), String::from_utf8_lossy(&printed));
        assert!(same_items(tree.items(), again.items()), "{}:\n{}", path.display(), String::from_utf8_lossy(&printed));
        assert_eq!(printed, syntax::print::print(&again), "printing is stable");
    });
}
