//! Why a package cannot be installed, in a line, and whose bound it is.

use super::bounds::{side, written};
use super::propagation::{Propagation, Why};
use caravan_solver::View;
use caravan_solver::explain::{Fact, Statement};
use opam_parser::filter::Filter;
use opam_parser::index::{Index, Matching, NameId, PackageId};
use serde::Serialize;
use std::cmp::Ordering;

/// Kinds of reasons, by what would have to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// It, or something that it needs, is for older compilers.
    CompilerTooNew,
    /// It, or something that it needs, is for newer compilers.
    CompilerTooOld,
    /// It, or something that it needs, is not available on this platform.
    Platform,
    /// It, or something that it needs, requires something that does not exist.
    MissingDependency,
    /// What it needs does not fit together.
    Conflict,
    /// It, or something that it needs, is not available anywhere.
    Unavailable,
}

impl Class {
    /// All, in the order in which tables show them.
    pub const ALL: [Self; 6] = [
        Self::CompilerTooNew,
        Self::CompilerTooOld,
        Self::Platform,
        Self::MissingDependency,
        Self::Conflict,
        Self::Unavailable,
    ];

    /// As it is called in reports.
    pub fn label(self) -> &'static str {
        match self {
            Self::CompilerTooNew => "compiler too new",
            Self::CompilerTooOld => "compiler too old",
            Self::Platform => "platform",
            Self::MissingDependency => "missing dependency",
            Self::Conflict => "conflict",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Why a package cannot be installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What kind of reason it is.
    pub class: Class,
    /// From the package that was asked for to the one that the cause speaks of, each needing the next.
    pub path: Vec<PackageId>,
    /// The cause in a line: `cppo.1.6 requires ocaml < 5.0`.
    pub cause: String,
    /// What of the last package of the path would have to be another for it to be possible.
    pub culprit: Option<Culprit>,
    /// The facts that exclude it, where only a search shows that it is.
    pub facts: Vec<Fact>,
}

/// A constraint that stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Culprit {
    /// What a package says of another one, in `depends` or `conflicts`.
    Bound {
        /// Who says it.
        package: PackageId,
        /// Of whom.
        on: NameId,
    },
    /// A package's `available`.
    Available {
        /// The package.
        package: PackageId,
    },
}

impl Culprit {
    /// The same in another state of the repository, if it is there.
    pub(crate) fn translated(self, before: &Index, after: &Index, matching: &Matching) -> Option<Self> {
        Some(match self {
            Self::Bound { package, on } => {
                Self::Bound { package: matching.after(package)?, on: after.find_name(before.name(on))? }
            }
            Self::Available { package } => Self::Available { package: matching.after(package)? },
        })
    }
}

impl Propagation<'_, '_> {
    /// Why a package is excluded; `None` if that takes a search.
    ///
    /// Of several versions that would do, the newest is looked at, and of several branches the first: that
    /// is what somebody who wants the package has to look at, too.
    pub(crate) fn reason(&self, package: PackageId) -> Option<Reason> {
        let index = self.index();
        let mut path = vec![package];
        loop {
            let at = *path.last()?;
            let text = index.package_text(at);
            let ends =
                |class, cause, culprit| Some(Reason { class, path: path.clone(), cause, culprit, facts: vec![] });
            match self.why(at)? {
                Why::Unavailable => {
                    let (class, cause) = unavailable(self.view, at);
                    return ends(class, cause, Some(Culprit::Available { package: at }));
                }
                Why::Impossible => return ends(Class::Conflict, format!("{text} contradicts itself"), None),
                Why::OtherVersion => {
                    let class = self.side_of(at).unwrap_or(Class::Conflict);
                    return ends(class, format!("{text} is not the version that was asked for"), None);
                }
                Why::Conflict(with) => {
                    let on = index.package_name(with);
                    let conflicts = &self.view.package(at).conflicts;
                    let own = conflicts.iter().any(|(name, _)| *name == on);
                    let culprit = own.then_some(Culprit::Bound { package: at, on });
                    return ends(self.kind_of_conflict(at, with), self.conflict(at, with, own), culprit);
                }
                Why::Requires(requirement) => {
                    let lacks = self.lacks(at, requirement);
                    let (on, mask) = lacks.first()?;
                    let start = index.package_range(*on).start;
                    let Some(newest) = mask.places().last().map(|place| PackageId(start + place as u32)) else {
                        return Some(self.nothing(path, *on));
                    };
                    match self.why(newest)? {
                        Why::OtherVersion => {
                            let wanted = self.newest(*on);
                            let cause = format!("{text} requires {}", written(self.view, at, *on, wanted));
                            let class = self.side_of(newest).unwrap_or(Class::Conflict);
                            return ends(class, cause, Some(Culprit::Bound { package: at, on: *on }));
                        }
                        _ => path.push(newest),
                    }
                }
            }
        }
    }

    /// The reason of a package that requires a version that does not exist.
    fn nothing(&self, path: Vec<PackageId>, on: NameId) -> Reason {
        let (index, package) = (self.index(), path[path.len() - 1]);
        let text = index.package_text(package);
        let wanted = self.newest(on);
        let class = wanted.filter(|_| self.view.name(on).compiler).and_then(|wanted| {
            match side(self.view, package, on, wanted)? {
                Ordering::Less => Some(Class::CompilerTooNew),
                Ordering::Greater => Some(Class::CompilerTooOld),
                Ordering::Equal => None,
            }
        });
        let culprit = wanted.map(|_| Culprit::Bound { package, on });
        let bound = written(self.view, package, on, wanted);
        let cause = match (class, index.package_range(on).is_empty()) {
            (Some(_), _) => format!("{text} requires {bound}"),
            (None, true) => format!("{text} requires {bound}, which does not exist"),
            (None, false) => format!("{text} requires {bound}, but there is no such version"),
        };
        Reason { class: class.unwrap_or(Class::MissingDependency), path, cause, culprit, facts: vec![] }
    }

    /// On which side of the compiler that was asked for another one is.
    fn side_of(&self, other: PackageId) -> Option<Class> {
        let name = self.index().package_name(other);
        if !self.view.name(name).compiler {
            return None;
        }
        let wanted = self.newest(name)?;
        Some(if other < wanted { Class::CompilerTooNew } else { Class::CompilerTooOld })
    }

    /// A conflict with the compiler that was asked for is a bound on it.
    fn kind_of_conflict(&self, package: PackageId, with: PackageId) -> Class {
        let index = self.index();
        let name = index.package_name(with);
        let conflicts = &self.view.package(package).conflicts;
        let accepted = conflicts.iter().find(|(on, _)| *on == name).map(|(_, mask)| {
            let versions = index.versions_of(name).enumerate();
            versions.filter(|(place, _)| !mask.contains(*place)).map(|(_, package)| package).next_back()
        });
        match accepted {
            Some(Some(newest)) if self.view.name(name).compiler => match newest < with {
                true => Class::CompilerTooNew,
                false => Class::CompilerTooOld,
            },
            _ => Class::Conflict,
        }
    }

    fn conflict(&self, package: PackageId, with: PackageId, own: bool) -> String {
        let index = self.index();
        let (package_text, with_text) = (index.package_text(package), index.package_text(with));
        let class = self.view.package(package).classes.iter().find(|class| {
            let theirs = &self.view.package(with).classes;
            theirs.contains(class)
        });
        match class.filter(|_| !own) {
            Some(class) => {
                let class = index.name(*class);
                format!("{package_text} and {with_text} are both in the conflict class {class}")
            }
            None => format!("{package_text} conflicts with {with_text}"),
        }
    }
}

/// The reason of a package whose `available` is false.
fn unavailable(view: &View<'_>, package: PackageId) -> (Class, String) {
    let text = view.index().package_text(package);
    match view.index().available(package).to_filter() {
        Filter::Bool(_) => (Class::Unavailable, format!("{text} is not available anywhere")),
        filter => (Class::Platform, format!("{text} is available only where {filter}")),
    }
}

/// The reason where only a search shows that there is none: what does not fit together.
pub(crate) fn searched(view: &View<'_>, package: PackageId, facts: Vec<Fact>) -> Reason {
    let text = view.index().package_text(package);
    let needs: Vec<&str> = facts
        .iter()
        .filter_map(|fact| match &fact.statement {
            Statement::Requires { package, dependency, .. } if *package == text => Some(dependency.as_str()),
            _ => None,
        })
        .collect();
    let cause = match (needs.as_slice(), facts.last()) {
        ([first @ .., last], _) if !first.is_empty() => {
            format!("{text} requires {} and {last}, which do not fit together", first.join(", "))
        }
        // What clashes comes last.
        (_, Some(last)) => last.to_string(),
        (_, None) => format!("what {text} requires does not fit together"),
    };
    Reason { class: Class::Conflict, path: vec![package], cause, culprit: None, facts }
}
