//! Values to the types of fields. Every function gives a warning at the first thing that does not
//! fit; the field is then ignored as a whole (rules P9 and P17).

use super::types::{
    Argument, Checksum, Command, Depext, EnvUpdate, ExtraFile, Feature, Filtered, Flags, PinDepend, Source, Url,
};
use crate::diagnostic::Diagnostic;
use crate::filter::{Filter, Ident, read_filter};
use crate::formula::{Join, read_formula};
use crate::name::{PackageName, split_package};
use crate::syntax::{EnvOp, ItemKind, Items, RelOp, Value, ValueKind, Values};
use crate::version::Version;
use bstr::{BString, ByteSlice};

pub(super) type Read<T> = Result<T, Diagnostic>;

pub(super) fn expected(value: Value<'_>, what: &str) -> Diagnostic {
    Diagnostic::warning(value.span(), format!("expected {what}"))
}

pub(super) fn string(value: Value<'_>) -> Read<BString> {
    match value.kind() {
        ValueKind::String(text) => Ok(text.to_owned()),
        _ => Err(expected(value, "a string")),
    }
}

/// The elements of a list; anything else is a list of itself (rule P14).
pub(super) fn list<T>(value: Value<'_>, element: impl FnMut(Value<'_>) -> Read<T>) -> Read<Vec<T>> {
    let mut element = element;
    match value.kind() {
        ValueKind::List(values) => values.map(element).collect(),
        _ => Ok(vec![element(value)?]),
    }
}

pub(super) fn strings(value: Value<'_>) -> Read<Vec<BString>> {
    list(value, string)
}

pub(super) fn name(value: Value<'_>) -> Read<PackageName> {
    let text = string(value)?;
    text.to_str().ok().and_then(PackageName::new).ok_or_else(|| expected(value, "a package name"))
}

pub(super) fn version(value: Value<'_>) -> Read<Version> {
    let text = string(value)?;
    text.to_str().ok().and_then(Version::new).ok_or_else(|| expected(value, "a version"))
}

pub(super) fn url(value: Value<'_>) -> Read<Url> {
    string(value).map(Url)
}

pub(super) fn checksum(value: Value<'_>) -> Read<Checksum> {
    Checksum::new(&string(value)?).ok_or_else(|| {
        expected(value, "a checksum").with_hint("checksums are written `sha256=…`, `sha512=…` or `md5=…`")
    })
}

/// Bare identifiers; opam drops those it does not know (rule P16).
pub(super) fn flags(value: Value<'_>) -> Read<Flags> {
    let known = list(value, |value| match value.kind() {
        ValueKind::Ident(name) => Ok(Flags::from_name(name)),
        ValueKind::String(_) => Err(expected(value, "a flag without quotes")),
        _ => Err(expected(value, "a flag")),
    })?;
    let mut flags = Flags::default();
    known.into_iter().flatten().for_each(|flag| flags.insert(flag));
    Ok(flags)
}

/// `{filter …}`: several are joined by `&`.
fn braces(options: Values<'_>) -> Read<Filter> {
    let mut filters = options.map(read_filter).collect::<Read<Vec<_>>>()?;
    Ok(match filters.len() {
        0 => Filter::Bool(true),
        1 => filters.remove(0),
        _ => Filter::And(filters),
    })
}

fn filtered<T>(value: Value<'_>, inner: impl FnOnce(Value<'_>) -> Read<T>) -> Read<Filtered<T>> {
    match value.kind() {
        ValueKind::Braced(value, options) => Ok(Filtered { value: inner(value)?, filter: Some(braces(options)?) }),
        _ => Ok(Filtered { value: inner(value)?, filter: None }),
    }
}

pub(super) fn filtered_strings(value: Value<'_>) -> Read<Vec<Filtered<BString>>> {
    list(value, |value| filtered(value, string))
}

fn argument(value: Value<'_>) -> Read<Argument> {
    match value.kind() {
        ValueKind::String(text) => Ok(Argument::String(text.to_owned())),
        ValueKind::Ident(name) => Ok(Argument::Ident(Ident::new(name))),
        _ => Err(expected(value, "a word of a command: a string or a variable")),
    }
}

fn command(value: Value<'_>) -> Read<Command> {
    let Filtered { value: arguments, filter } =
        filtered(value, |value| list(value, |value| filtered(value, argument)))?;
    Ok(Command { arguments, filter })
}

fn is_list(value: Value<'_>) -> bool {
    match value.kind() {
        ValueKind::List(_) => true,
        ValueKind::Braced(inner, _) => is_list(inner),
        _ => false,
    }
}

/// A command alone, or a list of commands: the first element of the list tells which (rule P14).
pub(super) fn commands(value: Value<'_>) -> Read<Vec<Command>> {
    match value.kind() {
        ValueKind::List(values) => match values.clone().next() {
            None => Ok(vec![]),
            Some(first) if is_list(first) => values.map(command).collect(),
            Some(_) => Ok(vec![command(value)?]),
        },
        _ => Ok(vec![command(value)?]),
    }
}

fn env_update(value: Value<'_>) -> Read<EnvUpdate> {
    let Filtered { value: (name, op, text), filter } = filtered(value, |value| {
        let (left, op, right) = match value.kind() {
            ValueKind::EnvOp(op, left, right) => (left, op, right),
            ValueKind::RelOp(RelOp::Eq, left, right) => (left, EnvOp::Eq, right),
            _ => return Err(expected(value, "an environment update such as `PATH += \"dir\"`")),
        };
        let ValueKind::Ident(name) = left.kind() else {
            return Err(expected(left, "the name of an environment variable"));
        };
        Ok((name.into(), op, string(right)?))
    })?;
    Ok(EnvUpdate { name, op, value: text, comment: filter })
}

/// One update, a list of them, or a list of lists.
pub(super) fn env_updates(value: Value<'_>) -> Read<Vec<EnvUpdate>> {
    let nested = list(value, |value| match value.kind() {
        ValueKind::List(values) => values.map(env_update).collect::<Read<Vec<_>>>(),
        _ => Ok(vec![env_update(value)?]),
    })?;
    Ok(nested.into_iter().flatten().collect())
}

/// `[["pkg" …] {filter} …]`, or the legacy `[["debian" …] ["pkg" …]]` pairs.
pub(super) fn depexts(value: Value<'_>) -> Read<Vec<Depext>> {
    let depext = |value: Value<'_>| {
        let Filtered { value: packages, filter } = filtered(value, strings)?;
        Ok(Depext { packages, filter: filter.unwrap_or(Filter::Bool(true)) })
    };
    let ValueKind::List(values) = value.kind() else { return Ok(vec![depext(value)?]) };
    let is_pair = |value: Value<'_>| match value.kind() {
        ValueKind::List(mut inner) => {
            inner.clone().count() == 2 && inner.all(|v| matches!(v.kind(), ValueKind::List(_)))
        }
        _ => false,
    };
    if values.clone().next().is_some_and(is_pair) {
        return values.map(legacy_depext).collect();
    }
    if values.clone().next().is_some_and(|first| !is_list(first)) {
        return Ok(vec![depext(value)?]);
    }
    values.map(depext).collect()
}

/// The tags of a legacy entry name a distribution, a family or a system.
fn legacy_depext(value: Value<'_>) -> Read<Depext> {
    let mut halves = list(value, strings)?.into_iter();
    let (Some(tags), Some(packages)) = (halves.next(), halves.next()) else {
        return Err(expected(value, "a pair of lists: tags and packages"));
    };
    let is = |variable: &str, tag: &BString| {
        let variable = Filter::Ident(Ident { packages: None, name: variable.into() });
        Filter::RelOp(RelOp::Eq, Box::new([variable, Filter::String(tag.clone())]))
    };
    let tag = |tag: &BString| {
        Filter::Or(["os-distribution", "os-family", "os", "arch"].iter().map(|variable| is(variable, tag)).collect())
    };
    Ok(Depext { packages, filter: Filter::And(tags.iter().map(tag).collect()) })
}

pub(super) fn features(value: Value<'_>) -> Read<Vec<Feature>> {
    list(value, |value| {
        let wrong = || expected(value, "a feature: `name {condition} {\"doc\"}`");
        let ValueKind::Braced(inner, mut doc) = value.kind() else { return Err(wrong()) };
        let ValueKind::Braced(name, mut condition) = inner.kind() else { return Err(wrong()) };
        let ValueKind::Ident(name) = name.kind() else { return Err(wrong()) };
        let (Some(condition), Some(doc)) = (condition.next(), doc.next()) else { return Err(wrong()) };
        Ok(Feature { name: name.into(), condition: read_formula(condition, Join::And)?, doc: string(doc)? })
    })
}

/// `[["name.version" "url"] …]`, or one such pair.
pub(super) fn pin_depends(value: Value<'_>) -> Read<Vec<PinDepend>> {
    let pin = |value: Value<'_>| {
        let ValueKind::List(mut pair) = value.kind() else { return Err(expected(value, "a pair of strings")) };
        let (Some(package), Some(target), None) = (pair.next(), pair.next(), pair.next()) else {
            return Err(expected(value, "a pair: \"name.version\" and a URL"));
        };
        let text = string(package)?;
        let split = text.to_str().ok().and_then(split_package);
        let (name, version) = split.ok_or_else(|| expected(package, "a package and version: \"name.version\""))?;
        Ok(PinDepend { name, version, url: url(target)? })
    };
    match value.kind() {
        ValueKind::List(values) if values.clone().next().is_some_and(is_list) => values.map(pin).collect(),
        ValueKind::List(values) if values.clone().next().is_none() => Ok(vec![]),
        _ => Ok(vec![pin(value)?]),
    }
}

pub(super) fn extra_files(value: Value<'_>) -> Read<Vec<ExtraFile>> {
    let file = |value: Value<'_>| {
        let ValueKind::List(mut pair) = value.kind() else { return Err(expected(value, "a pair of strings")) };
        let (Some(file), Some(hash), None) = (pair.next(), pair.next(), pair.next()) else {
            return Err(expected(value, "a pair: a file's name and its checksum"));
        };
        Ok(ExtraFile { name: string(file)?, checksum: checksum(hash)? })
    };
    match value.kind() {
        ValueKind::List(values) if values.clone().next().is_some_and(is_list) => values.map(file).collect(),
        ValueKind::List(values) if values.clone().next().is_none() => Ok(vec![]),
        _ => Ok(vec![file(value)?]),
    }
}

/// The fields of a `url` or `extra-source` section (rule P15).
pub(super) fn source(items: Items<'_>, diagnostics: &mut Vec<Diagnostic>) -> Read<Option<Source>> {
    let (mut src, mut checksums, mut mirrors, mut subpath) = (None, vec![], vec![], None);
    for item in items {
        let ItemKind::Field(value) = item.kind() else {
            diagnostics.push(Diagnostic::warning(item.name_span(), "a section cannot stand here; it is ignored"));
            continue;
        };
        match item.name() {
            "src" | "archive" | "http" | "git" | "darcs" | "hg" | "local" if src.is_some() => {
                diagnostics.push(Diagnostic::warning(item.name_span(), "a second source; it is ignored"));
            }
            "src" | "archive" | "http" => src = Some(url(value)?),
            scheme @ ("git" | "darcs" | "hg") => {
                let target = string(value)?;
                let prefixed = target.starts_with_str(scheme);
                src = Some(Url(if prefixed { target } else { format!("{scheme}+{target}").into() }));
            }
            "local" => src = Some(url(value)?),
            "checksum" => checksums = list(value, checksum)?,
            "mirrors" => mirrors = list(value, url)?,
            "subpath" => subpath = Some(string(value)?),
            name if name.starts_with("x-") => {}
            name => {
                let message = format!("unknown field `{name}`; it is ignored");
                diagnostics.push(Diagnostic::warning(item.name_span(), message));
            }
        }
    }
    Ok(src.map(|src| Source { src, checksums, mirrors, subpath }))
}
