//! What must hold for any bytes. The fuzz targets look for inputs that break these laws; the test
//! `fuzz_regressions` checks them for every input that once did.

use caravan::question::Question;
use opam_parser::file::OpamFile;
use opam_parser::filter::{Env, Filter, Scope, Value, eval, partial, read_filter};
use opam_parser::index::{Index, PackageId};
use opam_parser::source::archive::ArchiveSource;
use opam_parser::source::memory::MemorySource;
use opam_parser::syntax::{ItemKind, parse_file, parse_value, print::print};
use opam_parser::version::compare;
use std::path::Path;
use std::sync::OnceLock;

/// Parsing, typing, printing and showing diagnostics never panic; what was accepted and printed is
/// accepted again, and prints the same.
pub fn parse(source: &[u8]) {
    let parsed = OpamFile::parse(source);
    for diagnostic in &parsed.diagnostics {
        let _ = diagnostic.render("opam", source, false);
    }
    let (tree, diagnostics) = parse_file(source);
    let printed = print(&tree);
    if diagnostics.is_empty() {
        let (again, diagnostics) = parse_file(&printed);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        assert_eq!(print(&again), printed);
    }
}

/// The order of any three texts, separated by newlines, is total.
pub fn versions(data: &[u8]) {
    let mut parts = data.splitn(3, |byte| *byte == b'\n');
    let mut part = || parts.next().unwrap_or_default();
    let (a, b, c) = (part(), part(), part());
    assert!(compare(a, a).is_eq());
    assert_eq!(compare(a, b), compare(b, a).reverse());
    if compare(a, b).is_le() && compare(b, c).is_le() {
        assert!(compare(a, c).is_le());
    }
}

struct Variables;

impl Env for Variables {
    fn variable(&self, scope: Scope<'_>, name: &str) -> Value<'_> {
        match (scope, name) {
            (Scope::Global, "t") => Value::Bool(true),
            (Scope::Global, "f") => Value::Bool(false),
            (Scope::Global, "s") => Value::str("hello"),
            (Scope::Global, "v") => Value::str("1.0"),
            (Scope::Global, "p") => Value::str("%{t}%"),
            (Scope::Package("a" | "b"), "installed") => Value::Bool(true),
            (Scope::Own, "x") => Value::str("own"),
            _ => Value::Undefined,
        }
    }
}

/// What partial evaluation finds to be a boolean is the same when evaluated completely.
///
/// Except below `?` with a string that holds an unknown variable: complete evaluation makes the
/// variable empty and the string defined, partial evaluation calls it undefined. opam does so too
/// (`?("%{undef}%")` in `oracle/filters.tsv`: partially false, completely true).
pub fn filters(source: &[u8]) {
    let (tree, diagnostics) = parse_value(source);
    if !diagnostics.is_empty() {
        return;
    }
    let Some(ItemKind::Field(value)) = tree.items().next().map(|item| item.kind()) else { return };
    let Ok(filter) = read_filter(value) else { return };
    let complete = eval(&filter, &Variables);
    let partial = partial(&filter, &Variables);
    let _ = (filter.to_string(), partial.to_string());
    if let Filter::Bool(b) = partial
        && !defined_of_string(&filter, false)
    {
        assert_eq!(complete, Value::Bool(b), "{filter}");
    }
}

fn defined_of_string(filter: &Filter, below: bool) -> bool {
    match filter {
        Filter::Bool(_) | Filter::Ident(_) => false,
        Filter::String(text) => below && text.windows(2).any(|pair| pair == b"%{"),
        Filter::RelOp(_, sides) => sides.iter().any(|side| defined_of_string(side, below)),
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(|part| defined_of_string(part, below)),
        Filter::Not(inner) => defined_of_string(inner, below),
        Filter::Defined(inner) => defined_of_string(inner, true),
    }
}

/// Looks at everything that an index says.
pub fn read_everything(index: &Index) -> usize {
    let mut seen = 0;
    for package in index.packages() {
        seen += index.package_text(package).len();
        seen += index.synopsis(package).len();
        seen += index.available(package).to_filter().to_string().len();
        for formula in [index.depends(package), index.depopts(package), index.conflicts(package)] {
            seen += index.show_formula(formula).len();
        }
        seen += index.conflict_classes(package).map(|class| index.name(class).len()).sum::<usize>();
        seen += index.file(index.package_file(package)).path.len();
        seen += index.find_package(index.package_name(package), "1.0").map_or(0, PackageId::place);
    }
    for file in index.files_with_problems() {
        seen += index.problems(file).count() + index.file_text(file).len();
    }
    seen += index.unread().map(|(layer, unread)| layer + unread.path.len() + unread.reason.len()).sum::<usize>();
    seen + index.names().map(|name| index.name(name).len()).sum::<usize>()
        + index.variables().map(str::len).sum::<usize>()
}

/// Puts the checksum of an index at its place in the header, so that what is behind it is looked at.
pub fn seal(bytes: &mut [u8]) {
    if bytes.len() >= 32 {
        let checksum = xxhash_rust::xxh3::xxh3_64(&bytes[32..]);
        bytes[24..32].copy_from_slice(&checksum.to_ne_bytes());
    }
}

/// A small index with something in each of its parts.
fn small_index() -> &'static [u8] {
    static SMALL: OnceLock<Vec<u8>> = OnceLock::new();
    SMALL.get_or_init(|| {
        let packages = [
            (
                "app.1",
                "depends: [ \"lib\" {>= \"1.0\" & with-test} (\"a\" | \"b\" {= version}) ]\nsynopsis: \"An app\"",
            ),
            ("lib.1.0", "available: os = \"linux\" & !(arch = \"x\" | ?dev)\nconflict-class: \"class\""),
            ("lib.2.0", "conflicts: \"app\" {< \"2\"}\ndepopts: \"a\"\nflags: deprecated"),
            ("bad.1", "depends: ["),
            ("odd.1", "depends: 1"),
        ];
        let texts = packages.map(|(package, body)| (package, format!("opam-version: \"2.0\"\n{body}\n")));
        Index::read(&MemorySource::new(texts)).map_or(Vec::new(), |index| index.as_bytes().to_vec())
    })
}

/// An index that was changed at some places, each four bytes that say where and four that say what, is refused or can be
/// read to its end.
pub fn index(changes: &[u8]) {
    let mut bytes = small_index().to_vec();
    for change in changes.chunks_exact(8) {
        let (place, value) = change.split_at(4);
        let place = place.iter().fold(0, |place, byte| place << 8 | usize::from(*byte));
        let place = 32 + place % ((bytes.len() - 32) / 4) * 4;
        bytes[place..place + 4].copy_from_slice(value);
    }
    seal(&mut bytes);
    if let Ok(index) = Index::from_bytes(&bytes) {
        read_everything(&index);
    }
}

/// Puts the checksums of a tar archive's headers at their places.
fn seal_tar(bytes: &mut [u8]) {
    let mut at = 0;
    while let Some(header) = bytes.get_mut(at..at + 512) {
        header[257..262].copy_from_slice(b"ustar");
        header[148..156].copy_from_slice(b"        ");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        let digits = header[124..135].iter().take_while(|byte| (b'0'..=b'7').contains(byte));
        let size = digits.fold(0, |size: usize, digit| size * 8 + usize::from(*digit - b'0'));
        at = at.saturating_add(512).saturating_add(size.next_multiple_of(512));
    }
}

/// An archive is refused, or its index can be read to its end and opened again.
pub fn archive(data: &[u8]) {
    let mut sealed = data.to_vec();
    seal_tar(&mut sealed);
    sealed.extend([0; 1024]);
    for bytes in [data, &sealed] {
        let Ok(source) = ArchiveSource::read(Path::new("archive"), bytes) else { continue };
        let Ok(index) = Index::read(&source) else { continue };
        assert!(Index::from_bytes(index.as_bytes()).is_ok(), "an index that is refused");
        read_everything(&index);
    }
}

/// A question is refused, or what is written of it is the same question.
pub fn question(json: &[u8]) {
    let Ok(question) = serde_json::from_slice::<Question>(json) else { return };
    let written = serde_json::to_vec(&question).unwrap_or_default();
    let again = serde_json::from_slice::<Question>(&written);
    let again = again.map(|again| serde_json::to_vec(&again).unwrap_or_default());
    assert_eq!(again.ok().as_deref(), Some(&*written), "{}", String::from_utf8_lossy(&written));
}
