//! Which fields differ, and what each can affect.

use opam_parser::file::{Command, OpamFile};
use opam_parser::filter::{Env, Filter, Scope, Value, partial};
use opam_parser::formula::{Condition, Dependency, Formula};
use opam_parser::syntax::print::print_item;
use opam_parser::syntax::{Item, ItemKind, parse_file};
use std::collections::BTreeMap;

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Its name; of a section with a title both: `extra-source "fix.patch"`.
    pub field: String,
    /// What the difference can affect.
    pub affects: Vec<Effect>,
    /// Its line in the new file, from 1; `None` if it is gone.
    pub line: Option<u32>,
}

/// What a difference can affect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// What can be installed together, and which versions are chosen.
    Solving,
    /// What is built and installed.
    Building,
    /// The tests.
    Tests,
    /// The documentation.
    Documentation,
    /// What is read about the package; and how one works on it.
    Metadata,
}

impl std::fmt::Display for Effect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Solving => "solving",
            Self::Building => "building",
            Self::Tests => "tests",
            Self::Documentation => "documentation",
            Self::Metadata => "metadata",
        })
    }
}

/// The fields that differ, by name. Formatting and comments do not count.
pub(super) fn changed(before: (&[u8], &OpamFile), after: (&[u8], &OpamFile)) -> Vec<FieldChange> {
    let (old, new) = (fields(before.0), fields(after.0));
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let text = |side: &BTreeMap<String, Field>, name: &String| side.get(name).map(|field| field.text.clone());
    let differs = |name: &&&String| text(&old, name) != text(&new, name);
    let change = |name: &String| FieldChange {
        field: name.clone(),
        affects: effects(name, before.1, after.1),
        line: new.get(name).map(|field| field.line),
    };
    names.iter().filter(differs).map(|name| change(name)).collect()
}

struct Field {
    /// In opam's normal style.
    text: Vec<u8>,
    line: u32,
}

fn fields(source: &[u8]) -> BTreeMap<String, Field> {
    let (tree, _) = parse_file(source);
    let name = |item: Item<'_>| match item.kind() {
        ItemKind::Section { title: Some(title), .. } => format!("{} \"{title}\"", item.name()),
        ItemKind::Section { title: None, .. } | ItemKind::Field(_) => item.name().to_owned(),
    };
    let line = |item: Item<'_>| {
        let before = &source[..(item.name_span().start as usize).min(source.len())];
        memchr::memchr_iter(b'\n', before).count() as u32 + 1
    };
    tree.items().map(|item| (name(item), Field { text: print_item(item), line: line(item) })).collect()
}

/// What a difference of one field can affect.
fn effects(field: &str, before: &OpamFile, after: &OpamFile) -> Vec<Effect> {
    let only = |effect| vec![effect];
    match field.split(' ').next().unwrap_or_default() {
        "depends" => dependencies(&before.depends, &after.depends),
        "depopts" => dependencies(&before.depopts, &after.depopts),
        "build" => commands(&before.build, &after.build),
        "install" => commands(&before.install, &after.install),
        "conflicts" | "conflict-class" | "available" | "opam-version" | "os" | "ocaml-version" => only(Effect::Solving),
        "flags" | "tags" if before.flags == after.flags => only(Effect::Metadata),
        "flags" | "tags" => only(Effect::Solving),
        "remove" | "substs" | "patches" | "build-env" | "setenv" | "url" | "extra-source" | "extra-sources"
        | "extra-files" | "depexts" | "features" | "libraries" | "syntax" | "configure-style" | "name" | "version"
        | "x-env-path-rewrite" => only(Effect::Building),
        "run-test" | "build-test" => only(Effect::Tests),
        "build-doc" | "x-extra-doc-deps" => only(Effect::Documentation),
        _ => only(Effect::Metadata),
    }
}

/// What a package is without some of its occasions. An unknown variable keeps its filter.
struct Without(&'static [&'static str]);

impl Env for Without {
    fn variable(&self, scope: Scope<'_>, name: &str) -> Value<'_> {
        match scope {
            Scope::Global if self.0.contains(&name) => Value::Bool(false),
            _ => Value::Undefined,
        }
    }
}

/// The occasions that are looked at one after the other: what is equal without the variables differs
/// only for the occasion.
const OCCASIONS: [(Effect, Without); 3] = [
    (Effect::Tests, Without(&["with-test"])),
    (Effect::Documentation, Without(&["with-doc"])),
    (Effect::Metadata, Without(&["with-dev-setup"])),
];

const WITHOUT_ALL: Without = Without(&["with-test", "with-doc", "with-dev-setup"]);

/// The narrowest effects that explain a difference: those of occasions, else `otherwise`.
fn narrowed<T: PartialEq>(
    otherwise: Effect,
    before: &T,
    after: &T,
    without: impl Fn(&T, &Without) -> T,
) -> Vec<Effect> {
    let equal = |occasion: &Without| without(before, occasion) == without(after, occasion);
    if !equal(&WITHOUT_ALL) {
        return vec![otherwise];
    }
    if let Some((effect, _)) = OCCASIONS.iter().find(|(_, occasion)| equal(occasion)) {
        return vec![*effect];
    }
    // Several occasions at once: all of them.
    OCCASIONS.iter().map(|(effect, _)| *effect).collect()
}

fn dependencies(before: &Formula<Dependency>, after: &Formula<Dependency>) -> Vec<Effect> {
    // Not `==`: how often a part is written, or where, matters to none but the order of preference.
    narrowed(Effect::Solving, before, after, formula_without)
}

fn formula_without(formula: &Formula<Dependency>, without: &Without) -> Formula<Dependency> {
    let all = |parts: &[Formula<Dependency>]| -> Vec<_> {
        parts.iter().map(|part| formula_without(part, without)).filter(|part| *part != Formula::Empty).collect()
    };
    match formula {
        Formula::Empty => Formula::Empty,
        Formula::Atom(dependency) => match condition_without(&dependency.condition, without) {
            Condition::Filter(Filter::Bool(false)) => Formula::Empty,
            condition => Formula::Atom(Dependency { name: dependency.name.clone(), condition }),
        },
        Formula::And(parts) => match all(parts) {
            parts if parts.is_empty() => Formula::Empty,
            parts => Formula::And(parts),
        },
        Formula::Or(parts) => match all(parts) {
            parts if parts.is_empty() => Formula::Empty,
            parts => Formula::Or(parts),
        },
    }
}

fn condition_without(condition: &Condition, without: &Without) -> Condition {
    let is = |part: &Condition, value: bool| *part == Condition::Filter(Filter::Bool(value));
    match condition {
        Condition::Filter(filter) => Condition::Filter(partial(filter, without)),
        Condition::And(parts) => {
            let mut parts: Vec<Condition> = parts.iter().map(|part| condition_without(part, without)).collect();
            if parts.iter().any(|part| is(part, false)) {
                return Condition::Filter(Filter::Bool(false));
            }
            parts.retain(|part| !is(part, true));
            Condition::And(parts)
        }
        Condition::Or(parts) => {
            let mut parts: Vec<Condition> = parts.iter().map(|part| condition_without(part, without)).collect();
            parts.retain(|part| !is(part, false));
            match parts.is_empty() {
                true => Condition::Filter(Filter::Bool(false)),
                false => Condition::Or(parts),
            }
        }
        Condition::Any | Condition::Constraint(..) => condition.clone(),
    }
}

fn commands(before: &[Command], after: &[Command]) -> Vec<Effect> {
    let without = |commands: &Vec<Command>, without: &Without| -> Vec<Command> {
        let counts = |filter: &Option<Filter>| {
            filter.as_ref().is_none_or(|filter| partial(filter, without) != Filter::Bool(false))
        };
        let mut kept: Vec<Command> = commands.iter().filter(|command| counts(&command.filter)).cloned().collect();
        kept.iter_mut().for_each(|command| command.arguments.retain(|argument| counts(&argument.filter)));
        kept
    };
    narrowed(Effect::Building, &before.to_vec(), &after.to_vec(), without)
}
