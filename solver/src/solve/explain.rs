//! Why there is no solution: the facts that together exclude one.
//!
//! PubGrub's derivation of the contradiction is a tree; its leaves are facts of the opam files. They
//! are listed once each, nearest to the question first, in opam's words.

use super::bits::Bits;
use super::provider::{Provider, Var};
use crate::mask::ABSENT;
use opam_parser::index::NameId;
use pubgrub::{DerivationTree, External, VersionSet};
use std::collections::VecDeque;
use std::fmt;

/// One fact of a contradiction.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Fact {
    /// Something was asked for.
    Asked {
        /// What: `ocaml = 5.4.1`
        package: String,
    },
    /// A package needs another.
    Requires {
        /// Who: `utop >= 2.0`
        package: String,
        /// What: `ocaml < 5.0`, or several joined by `or`.
        dependency: String,
    },
    /// A package cannot be with another.
    Conflicts {
        /// Who.
        package: String,
        /// With what.
        with: String,
    },
    /// Only one package of a class can be there.
    Class {
        /// Who.
        package: String,
        /// The class.
        class: String,
    },
    /// Versions that do not exist, or not on this platform.
    Unavailable {
        /// Which: `conf-mingw = 1`
        package: String,
        /// Why.
        reason: String,
    },
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fact::Asked { package } => write!(f, "you asked for {package}"),
            Fact::Requires { package, dependency } => write!(f, "{package} requires {dependency}"),
            Fact::Conflicts { package, with } => write!(f, "{package} conflicts with {with}"),
            Fact::Class { package, class } => {
                write!(f, "{package} is in the conflict class `{class}`, which allows one package")
            }
            Fact::Unavailable { package, reason } => write!(f, "{package} {reason}"),
        }
    }
}

/// The facts that exclude a solution.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Explanation {
    facts: Vec<Fact>,
}

impl Explanation {
    /// The facts, nearest to the question first.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, fact) in self.facts.iter().enumerate() {
            write!(f, "{}{fact}", if place > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

type Tree<const W: usize> = DerivationTree<Var, Bits<W>, super::provider::Impossible>;
type Leaf<const W: usize> = External<Var, Bits<W>, super::provider::Impossible>;

/// A leaf with all the versions of the package that it holds for.
struct Merged<const W: usize> {
    var: Var,
    range: Bits<W>,
    dependency: Option<(Var, Bits<W>)>,
}

pub(super) fn explain<const W: usize>(provider: &Provider<'_, '_, W>, tree: &Tree<W>) -> Explanation {
    let mut merged: Vec<Merged<W>> = Vec::new();
    for leaf in leaves(tree) {
        let (var, range, dependency) = match leaf {
            External::FromDependencyOf(var, range, dependency, needed) => {
                (*var, range, Some((*dependency, needed.clone())))
            }
            External::NoVersions(var, range) => (*var, range, None),
            External::NotRoot(..) | External::Custom(..) => continue,
        };
        match merged.iter_mut().find(|known| known.var == var && known.dependency == dependency) {
            Some(known) => known.range = known.range.union(range),
            None => merged.push(Merged { var, range: range.clone(), dependency }),
        }
    }
    merge_same_effect(&mut merged);
    // From the question outwards: a fact about what an earlier fact mentions.
    let mut facts = Vec::new();
    let mut reached = VecDeque::from([Var::Root]);
    let mut seen = vec![Var::Root];
    while let Some(var) = reached.pop_front() {
        for found in merged.iter().filter(|found| found.var == var) {
            facts.extend(fact(provider, found));
            if let Some((dependency, _)) = &found.dependency
                && !seen.contains(dependency)
            {
                seen.push(*dependency);
                reached.push_back(*dependency);
            }
        }
    }
    facts.dedup();
    Explanation { facts }
}

/// Versions of a package that need different versions of another, all of them other than what was
/// asked for, are one fact: `utop requires ocaml >= 4.03` instead of one line for each release.
fn merge_same_effect<const W: usize>(merged: &mut Vec<Merged<W>>) {
    let asked: Vec<(Var, Bits<W>)> =
        merged.iter().filter(|found| found.var == Var::Root).filter_map(|found| found.dependency.clone()).collect();
    let mut place = 0;
    while place < merged.len() {
        let found = &merged[place];
        let same = |other: &Merged<W>| {
            let (Some((a, needed)), Some((b, also_needed))) = (&found.dependency, &other.dependency) else {
                return false;
            };
            let excluded = asked.iter().any(|(name, wanted)| {
                name == a && !wanted.contains(&ABSENT) && wanted.is_disjoint(needed) && wanted.is_disjoint(also_needed)
            });
            other.var == found.var && a == b && excluded && needed.contains(&ABSENT) == also_needed.contains(&ABSENT)
        };
        match merged[..place].iter().position(same) {
            None => place += 1,
            Some(earlier) => {
                let later = merged.remove(place);
                let earlier = &mut merged[earlier];
                earlier.range = earlier.range.union(&later.range);
                if let (Some((_, known)), Some((_, more))) = (&mut earlier.dependency, &later.dependency) {
                    *known = known.union(more);
                }
            }
        }
    }
}

fn leaves<const W: usize>(tree: &Tree<W>) -> Vec<&Leaf<W>> {
    // Parts of the derivation are shared; each is looked at once.
    let mut seen = rustc_hash::FxHashSet::default();
    let mut waiting = vec![tree];
    let mut leaves = Vec::new();
    while let Some(tree) = waiting.pop() {
        match tree {
            DerivationTree::External(leaf) => leaves.push(leaf),
            DerivationTree::Derived(derived) => {
                if derived.shared_id.is_none_or(|id| seen.insert(id)) {
                    waiting.push(&derived.cause2);
                    waiting.push(&derived.cause1);
                }
            }
        }
    }
    leaves
}

fn fact<const W: usize>(provider: &Provider<'_, '_, W>, found: &Merged<W>) -> Option<Fact> {
    let index = provider.view.index();
    let package = match found.var {
        Var::Name(name) => describe(provider, name, &found.range),
        Var::Choice(package, _) => index.package_text(package),
        Var::Root | Var::Class(_) => String::new(),
    };
    match (found.var, found.dependency.as_ref()) {
        (Var::Root, Some((Var::Name(name), needed))) => {
            Some(Fact::Asked { package: describe(provider, *name, needed) })
        }
        // The disjunction itself was named where it is required.
        (Var::Choice(..), _) => None,
        (_, Some((Var::Name(name), needed))) if needed.contains(&ABSENT) => {
            Some(Fact::Conflicts { package, with: describe(provider, *name, &needed.complement()) })
        }
        (_, Some((Var::Name(name), needed))) => {
            Some(Fact::Requires { package, dependency: describe(provider, *name, needed) })
        }
        (_, Some((Var::Choice(owner, choice), _))) => {
            Some(Fact::Requires { package, dependency: branches(provider, *owner, *choice) })
        }
        (_, Some((Var::Class(class), _))) => Some(Fact::Class { package, class: index.name(*class).to_owned() }),
        (Var::Name(name), None) => Some(Fact::Unavailable { reason: reason(provider, name, &found.range), package }),
        _ => None,
    }
}

/// Why no version of the range can be chosen.
fn reason<const W: usize>(provider: &Provider<'_, '_, W>, name: NameId, range: &Bits<W>) -> String {
    let index = provider.view.index();
    let existing: Vec<_> = index
        .versions_of(name)
        .enumerate()
        .filter(|(place, _)| range.contains(&(*place as u32 + 1)))
        .map(|(_, package)| package)
        .collect();
    match existing.as_slice() {
        [] if index.package_range(name).is_empty() => "does not exist".to_owned(),
        [] => "has no such version".to_owned(),
        [first, rest @ ..] => {
            let filter = index.available(*first).to_filter();
            let same = rest.iter().all(|package| index.available(*package).to_filter() == filter);
            let unavailable = existing.iter().all(|package| !provider.view.is_available(*package));
            match (unavailable, same) {
                (true, true) => format!("is not available here: {filter}"),
                (true, false) => "is not available here".to_owned(),
                (false, _) => "cannot be chosen".to_owned(),
            }
        }
    }
}

fn branches<const W: usize>(
    provider: &Provider<'_, '_, W>,
    owner: opam_parser::index::PackageId,
    choice: u32,
) -> String {
    use crate::view::Requirement;
    let compiled = provider.compiled(owner);
    let requirement = |requirement: &Requirement| match requirement {
        Requirement::Package(name, mask) => describe(provider, *name, &Bits::<W>::of(mask)),
        Requirement::Choice(inner) => format!("({})", branches(provider, owner, *inner)),
    };
    let branch = |branch: &Vec<Requirement>| branch.iter().map(requirement).collect::<Vec<_>>().join(" and ");
    compiled.choices[choice as usize].branches.iter().map(branch).collect::<Vec<_>>().join(" or ")
}

/// A name with a set of its versions, as constraints: `dune >= 3.0 & < 3.12`.
fn describe<const W: usize>(provider: &Provider<'_, '_, W>, name: NameId, range: &Bits<W>) -> String {
    let index = provider.view.index();
    let versions: Vec<&str> =
        index.versions_of(name).map(|package| index.version(index.package_version(package))).collect();
    let inside: Vec<bool> = (0..versions.len()).map(|place| range.contains(&(place as u32 + 1))).collect();
    let text = index.name(name);
    if versions.is_empty() {
        return format!("{text}, which does not exist");
    }
    if inside.iter().all(|inside| *inside) {
        return text.to_owned();
    }
    let mut runs: Vec<String> = Vec::new();
    let mut place = 0;
    while place < versions.len() {
        let length = inside[place..].iter().take_while(|inside| **inside).count();
        if length > 0 {
            let (first, last) = (versions[place], versions[place + length - 1]);
            runs.push(match (place == 0, place + length == versions.len()) {
                _ if length == 1 => format!("= {first}"),
                (true, _) => format!("<= {last}"),
                (_, true) => format!(">= {first}"),
                _ => format!(">= {first} & <= {last}"),
            });
        }
        place += length.max(1);
    }
    match runs.is_empty() {
        true => format!("a version of {text} that does not exist"),
        false => format!("{text} {}", runs.join(" | ")),
    }
}
