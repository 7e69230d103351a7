//! The fields of a package's opam file, by name (rules P1 to P17).

use super::opam_file::OpamFile;
use super::read::{self, Read};
use super::signs::{has_tests, is_abandoned};
use super::types::{Checksum, Extension, Flags, Source, Url};
use crate::diagnostic::{Diagnostic, Severity};
use crate::filter::{Filter, Ident, read_filter};
use crate::formula::{Join, read_formula};
use crate::syntax::{Item, ItemKind, RelOp, SyntaxTree, Value, ValueKind, Values};
use bstr::{BString, ByteSlice};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::hash_map::Entry;

/// How much of a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Every field.
    All,
    /// What decides whether and with what the package can be installed, and its synopsis.
    Solving,
}

pub(super) fn read(tree: &SyntaxTree<'_>, extent: Extent, diagnostics: &mut Vec<Diagnostic>) -> OpamFile {
    let mut reader = Reader {
        file: OpamFile::default(),
        extent,
        legacy: vec![],
        seen: FxHashSet::default(),
        extensions: FxHashMap::default(),
        diagnostics,
    };
    reader.opam_version(tree);
    if reader.file.is_of_later_format() {
        // Rule P7: a stub whose availability is left to the `opam-version` variable.
        let newer = std::mem::take(&mut reader.file.opam_version);
        let variable = Filter::Ident(Ident { packages: None, name: "opam-version".into() });
        let available = Filter::RelOp(RelOp::Geq, Box::new([variable, Filter::String(newer.clone())]));
        return OpamFile { opam_version: newer, available, ..OpamFile::default() };
    }
    tree.items().for_each(|item| reader.item(tree, item));
    reader.file.has_tests = has_tests(tree);
    reader.file.abandoned = is_abandoned(tree);
    reader.finish()
}

struct Reader<'t, 'd> {
    file: OpamFile,
    extent: Extent,
    /// What the legacy fields add to `available`.
    legacy: Vec<Filter>,
    /// The fields read so far.
    seen: FxHashSet<&'t str>,
    /// Places of the extensions by name.
    extensions: FxHashMap<&'t str, usize>,
    diagnostics: &'d mut Vec<Diagnostic>,
}

impl<'t> Reader<'t, '_> {
    fn warn(&mut self, item: Item<'_>, message: String) {
        self.diagnostics.push(Diagnostic::warning(item.name_span(), message));
    }

    /// Rules P1 and P3: there must be exactly one, and a string.
    fn opam_version(&mut self, tree: &SyntaxTree<'_>) {
        let mut found = tree.items().filter(|item| item.name() == "opam-version");
        let Some(first) = found.next() else {
            self.diagnostics.push(Diagnostic {
                severity: Severity::Error,
                message: "missing field `opam-version`".into(),
                span: None,
                hint: Some("begin the file with `opam-version: \"2.0\"`".into()),
            });
            return;
        };
        if let Some(second) = found.next() {
            let message = "`opam-version` cannot be set twice";
            self.diagnostics.push(Diagnostic::error(second.name_span(), message));
        }
        match first.kind() {
            ItemKind::Field(value) => match value.kind() {
                ValueKind::String(text) => self.file.opam_version = text.to_owned(),
                _ => {
                    let found = Diagnostic::error(value.span(), "`opam-version` must be a string")
                        .with_hint("write `opam-version: \"2.0\"`");
                    self.diagnostics.push(found);
                }
            },
            ItemKind::Section { .. } => {
                self.diagnostics.push(Diagnostic::error(first.name_span(), "`opam-version` must be a field"));
            }
        }
    }

    fn item(&mut self, tree: &SyntaxTree<'_>, item: Item<'t>) {
        match item.kind() {
            ItemKind::Field(value) if item.name().starts_with("x-") => self.extension(tree, item, value),
            ItemKind::Field(value) => {
                let canonical = match item.name() {
                    "author" => "authors",
                    name => name,
                };
                if !self.seen.insert(canonical) {
                    self.warn(item, format!("`{}` is set twice; the first one counts", item.name()));
                    return;
                }
                if let Err(mut found) = self.field(item, value) {
                    if found.severity == Severity::Warning {
                        found.message = format!("{}; `{}` is ignored", found.message, item.name());
                    }
                    self.diagnostics.push(found);
                }
            }
            ItemKind::Section { title, items } => match (item.name(), title) {
                ("url", Some(_)) => self.warn(item, "a `url` section has no title; it is ignored".into()),
                ("url", None) if !self.seen.insert("url {") => {
                    self.warn(item, "`url` is set twice; the first one counts".into());
                }
                ("url", None) => match read::source(items, self.diagnostics) {
                    Ok(Some(source)) => self.file.url = Some(source),
                    Ok(None) => self.warn(item, "missing `src`; `url` is ignored".into()),
                    Err(mut found) => {
                        found.message.push_str("; `url` is ignored");
                        self.diagnostics.push(found);
                    }
                },
                ("extra-source", Some(_)) if self.extent == Extent::Solving => {}
                ("extra-source", Some(title)) => match read::source(items, self.diagnostics) {
                    Ok(Some(source)) => self.file.extra_sources.push((title.to_owned(), source)),
                    Ok(None) => self.warn(item, "missing `src`; `extra-source` is ignored".into()),
                    Err(found) => self.diagnostics.push(found),
                },
                (name, _) => self.warn(item, format!("unknown section `{name}`; it is ignored")),
            },
        }
    }

    /// The last one of a name counts (rule P12).
    fn extension(&mut self, tree: &SyntaxTree<'_>, item: Item<'t>, value: Value<'_>) {
        if self.extent == Extent::Solving {
            return;
        }
        let text = value.span().slice(tree.source()).into();
        match self.extensions.entry(item.name()) {
            Entry::Occupied(place) => self.file.extensions[*place.get()].text = text,
            Entry::Vacant(place) => {
                place.insert(self.file.extensions.len());
                self.file.extensions.push(Extension { name: item.name().into(), text });
            }
        }
    }

    fn field(&mut self, item: Item<'_>, value: Value<'_>) -> Read<()> {
        let file = &mut self.file;
        match item.name() {
            "opam-version" => {}
            "depends" => file.depends = read_formula(value, Join::And)?,
            "depopts" => file.depopts = read_formula(value, Join::Or)?,
            "conflicts" => file.conflicts = read_formula(value, Join::Or)?,
            "conflict-class" => file.conflict_class = read::list(value, read::name)?,
            "available" => file.available = read_filter(value)?,
            "flags" => {
                let flags = read::flags(value)?;
                file.flags.insert(flags);
            }
            "tags" => {
                file.tags = read::strings(value)?;
                for tag in &file.tags {
                    let flag = tag.strip_prefix(b"flags:").and_then(|name| name.to_str().ok());
                    if let Some(flag) = flag.and_then(Flags::from_name) {
                        file.flags.insert(flag);
                    }
                }
            }
            "synopsis" => file.synopsis = Some(read::string(value)?),
            "os" => self.legacy.push(legacy_os(value)?),
            "ocaml-version" => self.legacy.push(legacy_ocaml_version(value)?),
            "description" | "descr" => file.description = Some(read::string(value)?),
            name => return self.other_field(item, name, value),
        }
        Ok(())
    }

    /// The fields that do not decide what can be installed.
    fn other_field(&mut self, item: Item<'_>, name: &str, value: Value<'_>) -> Read<()> {
        if self.extent == Extent::Solving {
            return Ok(());
        }
        let file = &mut self.file;
        match name {
            "name" => file.name = Some(read::name(value)?),
            "version" => file.version = Some(read::version(value)?),
            "maintainer" => file.maintainer = read::strings(value)?,
            "authors" | "author" => file.authors = read::strings(value)?,
            "license" => file.license = read::strings(value)?,
            "homepage" => file.homepage = read::strings(value)?,
            "doc" => file.doc = read::strings(value)?,
            "bug-reports" => file.bug_reports = read::strings(value)?,
            "setenv" => file.setenv = read::env_updates(value)?,
            "build-env" => file.build_env = read::env_updates(value)?,
            "build" => file.build = read::commands(value)?,
            "run-test" => file.run_test = read::commands(value)?,
            "install" => file.install = read::commands(value)?,
            "remove" => file.remove = read::commands(value)?,
            "build-test" => file.build_test = read::commands(value)?,
            "build-doc" => file.build_doc = read::commands(value)?,
            "substs" => file.substs = read::strings(value)?,
            "patches" => file.patches = read::filtered_strings(value)?,
            "features" => file.features = read::features(value)?,
            "messages" => file.messages = read::filtered_strings(value)?,
            "post-messages" => file.post_messages = read::filtered_strings(value)?,
            "depexts" => file.depexts = read::depexts(value)?,
            "libraries" => file.libraries = read::filtered_strings(value)?,
            "syntax" => file.syntax = read::filtered_strings(value)?,
            "configure-style" => file.configure_style = Some(read::string(value)?),
            "dev-repo" => file.dev_repo = Some(read::url(value)?),
            "pin-depends" => file.pin_depends = read::pin_depends(value)?,
            "extra-files" => file.extra_files = read::extra_files(value)?,
            "extra-sources" => self.extra_sources(value)?,
            _ => self.warn(item, format!("unknown field `{name}`; it is ignored")),
        }
        Ok(())
    }

    /// `[["url" "checksum"] …]`, the field that the sections replaced: the file is the last part of
    /// the URL.
    fn extra_sources(&mut self, value: Value<'_>) -> Read<()> {
        for parts in read::list(value, read::strings)? {
            let mut parts = parts.into_iter();
            let Some(src) = parts.next() else { continue };
            let name: BString = src.rsplit_str("/").next().unwrap_or_default().into();
            let checksums = parts.filter_map(|text| Checksum::new(&text)).collect();
            let source = Source { src: Url(src), checksums, mirrors: vec![], subpath: None };
            self.file.extra_sources.push((name, source));
        }
        Ok(())
    }

    fn finish(mut self) -> OpamFile {
        if !self.legacy.is_empty() {
            let available = std::mem::replace(&mut self.file.available, Filter::Bool(true));
            self.legacy.insert(0, available);
            self.file.available = Filter::And(self.legacy);
        }
        self.file
    }
}

fn variable(name: &str) -> Filter {
    Filter::Ident(Ident { packages: None, name: name.into() })
}

/// `os: ["linux" "darwin"]`: a formula over names of systems.
fn legacy_os(value: Value<'_>) -> Read<Filter> {
    let all = |values: Values<'_>| values.map(legacy_os).collect::<Read<Vec<_>>>();
    Ok(match value.kind() {
        ValueKind::String(text) => {
            Filter::RelOp(RelOp::Eq, Box::new([variable("os"), Filter::String(text.to_owned())]))
        }
        ValueKind::List(values) | ValueKind::Group(values) | ValueKind::Or(values) => Filter::Or(all(values)?),
        ValueKind::And(values) => Filter::And(all(values)?),
        ValueKind::Not(inner) => Filter::Not(Box::new(legacy_os(inner)?)),
        _ => return Err(read::expected(value, "a system's name")),
    })
}

/// `ocaml-version: [>= "4.00"]`: a formula of constraints.
fn legacy_ocaml_version(value: Value<'_>) -> Read<Filter> {
    let all = |values: Values<'_>| values.map(legacy_ocaml_version).collect::<Read<Vec<_>>>();
    Ok(match value.kind() {
        ValueKind::PrefixRelOp(op, operand) => {
            let operand = Filter::String(read::string(operand)?);
            Filter::RelOp(op, Box::new([variable("ocaml-version"), operand]))
        }
        ValueKind::List(values) | ValueKind::Group(values) | ValueKind::And(values) => Filter::And(all(values)?),
        ValueKind::Or(values) => Filter::Or(all(values)?),
        ValueKind::Not(inner) => Filter::Not(Box::new(legacy_ocaml_version(inner)?)),
        _ => return Err(read::expected(value, "a version constraint")),
    })
}
