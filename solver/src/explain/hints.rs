//! Changes to a request that would give it an answer, found by trying each.

use crate::problem::{Avoid, Flags, Request};
use crate::question::Question;
use crate::solve::search::{Failed, Search, packages};
use crate::solve::{SolveError, error};
use crate::stop::Stop;
use crate::view::View;
use opam_parser::index::NameId;
use std::fmt;

/// A change that alone gives an answer.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Hint {
    /// Another version of a package that was asked for in a version.
    OtherVersion {
        /// The package.
        name: String,
        /// The version in that answer.
        version: String,
    },
    /// Not asking for something.
    Without {
        /// What: `tests`, `documentation`, `development tools`, or a package.
        what: String,
    },
    /// Allowing versions to avoid.
    Avoided {
        /// `NAME.VERSION` of those in that answer.
        packages: Vec<String>,
    },
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hint::OtherVersion { name, version } => write!(f, "it works with {name} {version}"),
            Hint::Without { what } => write!(f, "it works without {what}"),
            Hint::Avoided { packages } => write!(f, "it works if {} may be used", packages.join(", ")),
        }
    }
}

/// The hints for a request that has no answer.
pub(super) fn hints(
    view: &View<'_>,
    request: &Request,
    question: &Question<'_, '_>,
    stop: &Stop,
) -> Result<Vec<Hint>, SolveError> {
    let mut hints = Vec::new();
    let index = view.index();
    for (place, root) in request.roots.iter().enumerate().filter(|(_, root)| !root.constraints.is_empty()) {
        let mut other = request.clone();
        other.roots[place].constraints.clear();
        // The root whose version is open comes last, so that the others stay as they are wanted.
        let moved = other.roots.remove(place);
        other.roots.push(moved);
        let name = index.find_name(root.name.as_str());
        if let (Some(name), Some(found)) = (name, answer(view, &other, stop)?)
            && let Some((_, package)) = found.iter().find(|(found, _)| *found == name)
        {
            let version = index.version(index.package_version(*package)).to_owned();
            hints.push(Hint::OtherVersion { name: root.name.to_string(), version });
        }
    }
    type Flag = fn(&mut Flags) -> &mut bool;
    let flags: [(&str, Flag); 3] = [
        ("tests", |flags| &mut flags.with_test),
        ("documentation", |flags| &mut flags.with_doc),
        ("development tools", |flags| &mut flags.with_dev_setup),
    ];
    for (what, flag) in flags {
        let mut other = request.clone();
        let mut changed = false;
        for root in &mut other.roots {
            changed |= std::mem::take(flag(&mut root.flags));
        }
        if changed && answer(view, &other, stop)?.is_some() {
            hints.push(Hint::Without { what: what.to_owned() });
        }
    }
    if question.avoid == Avoid::Never {
        let other = Request { avoid: Some(Avoid::IfNeeded), ..request.clone() };
        if let Some(found) = answer(view, &other, stop)? {
            let avoided = found.iter().filter(|(_, package)| view.is_avoided(*package));
            hints.push(Hint::Avoided { packages: avoided.map(|(_, package)| index.package_text(*package)).collect() });
        }
    }
    if request.roots.len() > 1 && hints.is_empty() {
        for (place, root) in request.roots.iter().enumerate() {
            let mut other = request.clone();
            other.roots.remove(place);
            if answer(view, &other, stop)?.is_some() {
                hints.push(Hint::Without { what: root.name.to_string() });
            }
        }
    }
    Ok(hints)
}

type Found = Vec<(NameId, opam_parser::index::PackageId)>;

fn answer(view: &View<'_>, request: &Request, stop: &Stop) -> Result<Option<Found>, SolveError> {
    let question = Question::new(&[view], request)?;
    match Search::new(&question, stop).best() {
        Ok(answer) => {
            let named = packages(&question, &answer.decisions);
            Ok(Some(named.map(|(_, package)| (view.index().package_name(package), package)).collect()))
        }
        Err(Failed::NoSolution) => Ok(None),
        Err(failed) => Err(error(failed)),
    }
}
