//! Formulas in the words of their files.

use crate::reduce::{Bound, Reduced, Sets};
use opam_parser::index::{Index, NameId};
use opam_parser::syntax::RelOp;

/// Constraints as they are written.
pub(super) struct Texts<'i>(pub(super) &'i Index);

/// A constraint's text, and whether it is a disjunction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text(String, bool);

impl Sets for Texts<'_> {
    type Set = Text;

    fn constraint(&self, _: NameId, op: RelOp, bound: Bound<'_>) -> Text {
        let bound = match bound {
            Bound::Known(version) => self.0.version(version),
            Bound::Text(text) => text,
        };
        Text(format!("{} {bound}", op.as_str()), false)
    }

    fn and(&self, a: Text, b: Text) -> Text {
        let part = |Text(text, or)| if or { format!("({text})") } else { text };
        Text(format!("{} & {}", part(a), part(b)), false)
    }

    fn or(&self, a: Text, b: Text) -> Text {
        Text(format!("{} | {}", a.0, b.0), true)
    }
}

fn atom(name: &str, set: Option<&Text>) -> String {
    match set {
        None => name.to_owned(),
        Some(Text(text, _)) => format!("{name} {text}"),
    }
}

pub(super) fn joined(name: &str, parts: &[Option<Text>], with: &str) -> String {
    let several = parts.iter().flatten().count() > 1;
    let texts: Vec<String> = parts
        .iter()
        .flatten()
        .map(|Text(text, or)| if *or && several { format!("({text})") } else { text.clone() })
        .collect();
    // Without a constraint a conflict is with every version.
    if texts.is_empty() || with == " | " && parts.iter().any(Option::is_none) {
        return name.to_owned();
    }
    match texts.as_slice() {
        [only] if only.starts_with("= ") && !only.contains(" & ") && !only.contains(" | ") => {
            format!("{name}.{}", &only[2..])
        }
        texts => format!("{name} {}", texts.join(with)),
    }
}

/// The name that a formula is only about.
fn one_name(formula: &Reduced<Text>) -> Option<NameId> {
    match formula {
        Reduced::Atom(name, _) => Some(*name),
        Reduced::All(_) => None,
        Reduced::Any(parts) => {
            let mut names = parts.iter().map(|part| match part {
                Reduced::Atom(name, _) => Some(*name),
                _ => None,
            });
            let first = names.next()??;
            names.all(|name| name == Some(first)).then_some(first)
        }
    }
}

/// What a conjunction says of one name.
pub(super) fn atoms_of(formula: &Reduced<Text>, name: NameId, into: &mut Vec<Option<Text>>) {
    match formula {
        Reduced::Atom(found, set) if *found == name => into.push(set.clone()),
        Reduced::Atom(..) => {}
        Reduced::All(parts) => parts.iter().for_each(|part| atoms_of(part, name, into)),
        Reduced::Any(parts) if one_name(formula) == Some(name) => {
            let mut texts = Vec::new();
            for part in parts {
                match part {
                    Reduced::Atom(_, Some(Text(text, _))) => texts.push(text.clone()),
                    _ => return into.push(None),
                }
            }
            into.push(Some(Text(texts.join(" | "), true)));
        }
        Reduced::Any(_) => {}
    }
}

pub(super) fn every_atom_of(formula: &Reduced<Text>, name: NameId, into: &mut Vec<Option<Text>>) {
    match formula {
        Reduced::Atom(found, set) if *found == name => into.push(set.clone()),
        Reduced::Atom(..) => {}
        Reduced::All(parts) | Reduced::Any(parts) => parts.iter().for_each(|part| every_atom_of(part, name, into)),
    }
}

/// The disjunctions of a conjunction, in the order in which they are written.
pub(super) fn choices_of<'f>(formula: &'f Reduced<Text>, into: &mut Vec<&'f Reduced<Text>>) {
    match formula {
        Reduced::Atom(..) => {}
        Reduced::All(parts) => parts.iter().for_each(|part| choices_of(part, into)),
        Reduced::Any(_) if one_name(formula).is_some() => {}
        Reduced::Any(_) => into.push(formula),
    }
}

pub(super) fn show(index: &Index, formula: &Reduced<Text>, outermost: bool) -> String {
    let join = |parts: &[Reduced<Text>], with: &str| {
        let text = parts.iter().map(|part| show(index, part, false)).collect::<Vec<_>>().join(with);
        if outermost { text } else { format!("({text})") }
    };
    match formula {
        Reduced::Atom(name, set) => atom(index.name(*name), set.as_ref()),
        Reduced::All(parts) => join(parts, " and "),
        Reduced::Any(parts) => join(parts, " or "),
    }
}
