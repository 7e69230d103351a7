//! Changes to a request that would give it an answer, found by trying each.

use crate::error::SolveError;
use crate::policy::Avoid;
use crate::problem::{Flags, Request};
use crate::question::Question;
use crate::solve::decisions::packages_on;
use crate::solve::search::Search;
use crate::stop::{Stop, Stopped};
use crate::view::View;
use opam_parser::index::PackageId;
use std::fmt;

/// A change that alone gives an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    let trying = Trying { view, request, stop };
    let mut hints = trying.other_versions()?;
    hints.extend(trying.without_flags()?);
    if question.avoid == Avoid::Never {
        hints.extend(trying.with_avoided()?);
    }
    if request.roots.len() > 1 && hints.is_empty() {
        hints = trying.without_roots()?;
    }
    Ok(hints)
}

/// Tries changes to a request.
struct Trying<'t, 'i> {
    view: &'t View<'i>,
    request: &'t Request,
    stop: &'t Stop,
}

impl Trying<'_, '_> {
    /// The packages of the answer to another request, in the order of decisions, if there is one.
    fn answer(&self, request: &Request) -> Result<Option<Vec<PackageId>>, SolveError> {
        let question = Question::new(&[self.view], request)?;
        match Search::new(&question, self.stop).best() {
            Ok(answer) => Ok(Some(packages_on(&question, &answer.decisions, 0))),
            Err(SolveError::NoSolution | SolveError::Stopped(Stopped::Steps)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Without the constraints of one root.
    fn other_versions(&self) -> Result<Vec<Hint>, SolveError> {
        let index = self.view.index();
        let mut hints = Vec::new();
        for (place, root) in self.request.roots.iter().enumerate().filter(|(_, root)| !root.constraints.is_empty()) {
            let mut other = self.request.clone();
            other.roots[place].constraints.clear();
            // The root whose version is open comes last, so that the others stay as they are wanted.
            let moved = other.roots.remove(place);
            other.roots.push(moved);
            let name = index.find_name(root.name.as_str());
            if let (Some(name), Some(found)) = (name, self.answer(&other)?)
                && let Some(package) = found.iter().find(|package| index.package_name(**package) == name)
            {
                let version = index.version(index.package_version(*package)).to_owned();
                hints.push(Hint::OtherVersion { name: root.name.to_string(), version });
            }
        }
        Ok(hints)
    }

    /// Without the tests of all roots, and so on.
    fn without_flags(&self) -> Result<Vec<Hint>, SolveError> {
        type Flag = fn(&mut Flags) -> &mut bool;
        let flags: [(&str, Flag); 3] = [
            ("tests", |flags| &mut flags.with_test),
            ("documentation", |flags| &mut flags.with_doc),
            ("development tools", |flags| &mut flags.with_dev_setup),
        ];
        let mut hints = Vec::new();
        for (what, flag) in flags {
            let mut other = self.request.clone();
            let mut changed = false;
            for root in &mut other.roots {
                changed |= std::mem::take(flag(&mut root.flags));
            }
            if changed && self.answer(&other)?.is_some() {
                hints.push(Hint::Without { what: what.to_owned() });
            }
        }
        Ok(hints)
    }

    /// With versions to avoid.
    fn with_avoided(&self) -> Result<Option<Hint>, SolveError> {
        let other = Request { avoid: Some(Avoid::IfNeeded), ..self.request.clone() };
        let found = self.answer(&other)?;
        Ok(found.map(|packages| {
            let avoided = packages.iter().filter(|package| self.view.is_avoided(**package));
            Hint::Avoided { packages: avoided.map(|package| self.view.index().package_text(*package)).collect() }
        }))
    }

    /// Without one root.
    fn without_roots(&self) -> Result<Vec<Hint>, SolveError> {
        let mut hints = Vec::new();
        for (place, root) in self.request.roots.iter().enumerate() {
            let mut other = self.request.clone();
            other.roots.remove(place);
            if self.answer(&other)?.is_some() {
                hints.push(Hint::Without { what: root.name.to_string() });
            }
        }
        Ok(hints)
    }
}
