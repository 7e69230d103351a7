//! Why a package cannot be installed, in a line, and whose bound it is.

use super::bounds::{side, written};
use super::propagation::{ExclusionCause, Propagation};
use caravan_solver::View;
use caravan_solver::explain::{Fact, Statement};
use opam_parser::filter::Filter;
use opam_parser::index::{Index, Matching, NameId, PackageId};
use std::cmp::Ordering;

/// Kinds of reasons, by what would have to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReasonClass {
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

/// Why a package cannot be installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What kind of reason it is.
    pub class: ReasonClass,
    /// From the package that was asked for to the one that the cause speaks of, each needing the next.
    pub path: Vec<PackageId>,
    /// The cause in a line: `cppo.1.6 requires ocaml < 5.0`.
    pub cause: String,
    /// What of the last package of the path would have to be another for it to be possible.
    pub blocking: Option<BlockingConstraint>,
    /// The facts that exclude it, where only a search shows that it is.
    pub facts: Vec<Fact>,
}

/// A constraint that stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BlockingConstraint {
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

impl BlockingConstraint {
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
                |class, cause, blocking| Some(Reason { class, path: path.clone(), cause, blocking, facts: vec![] });
            match self.cause(at)? {
                ExclusionCause::Unavailable => {
                    let (class, cause) = unavailable(self.view, at);
                    return ends(class, cause, Some(BlockingConstraint::Available { package: at }));
                }
                ExclusionCause::Impossible => {
                    return ends(ReasonClass::Conflict, format!("{text} contradicts itself"), None);
                }
                ExclusionCause::OtherVersion => {
                    let class = self.side_of(at).unwrap_or(ReasonClass::Conflict);
                    return ends(class, format!("{text} is not the version that was asked for"), None);
                }
                ExclusionCause::Conflict(with) => {
                    let on = index.package_name(with);
                    let conflicts = &self.view.package(at).conflicts;
                    let own = conflicts.iter().any(|(name, _)| *name == on);
                    let blocking = own.then_some(BlockingConstraint::Bound { package: at, on });
                    return ends(self.kind_of_conflict(at, with), self.conflict(at, with, own), blocking);
                }
                ExclusionCause::Requires(requirement) => {
                    let unmet = self.unmet(at, requirement);
                    let (on, mask) = unmet.first()?;
                    let Some(newest) = index.package_range(*on).packages_at(mask.positions()).last() else {
                        return Some(self.nothing(path, *on));
                    };
                    match self.cause(newest)? {
                        ExclusionCause::OtherVersion => {
                            let wanted = self.newest(*on);
                            let cause = format!("{text} requires {}", written(self.view, at, *on, wanted));
                            let class = self.side_of(newest).unwrap_or(ReasonClass::Conflict);
                            return ends(class, cause, Some(BlockingConstraint::Bound { package: at, on: *on }));
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
                Ordering::Less => Some(ReasonClass::CompilerTooNew),
                Ordering::Greater => Some(ReasonClass::CompilerTooOld),
                Ordering::Equal => None,
            }
        });
        let blocking = wanted.map(|_| BlockingConstraint::Bound { package, on });
        let bound = written(self.view, package, on, wanted);
        let cause = match (class, index.package_range(on).is_empty()) {
            (Some(_), _) => format!("{text} requires {bound}"),
            (None, true) => format!("{text} requires {bound}, which does not exist"),
            (None, false) => format!("{text} requires {bound}, but there is no such version"),
        };
        Reason { class: class.unwrap_or(ReasonClass::MissingDependency), path, cause, blocking, facts: vec![] }
    }

    /// On which side of the compiler that was asked for another one is.
    fn side_of(&self, other: PackageId) -> Option<ReasonClass> {
        let name = self.index().package_name(other);
        if !self.view.name(name).compiler {
            return None;
        }
        let wanted = self.newest(name)?;
        Some(if other < wanted { ReasonClass::CompilerTooNew } else { ReasonClass::CompilerTooOld })
    }

    /// A conflict with the compiler that was asked for is a bound on it.
    fn kind_of_conflict(&self, package: PackageId, with: PackageId) -> ReasonClass {
        let index = self.index();
        let name = index.package_name(with);
        let conflicts = &self.view.package(package).conflicts;
        let accepted = conflicts.iter().find(|(on, _)| *on == name).map(|(_, mask)| {
            let versions = index.versions_of(name).enumerate();
            versions.filter(|(place, _)| !mask.contains(*place)).map(|(_, package)| package).next_back()
        });
        match accepted {
            Some(Some(newest)) if self.view.name(name).compiler => match newest < with {
                true => ReasonClass::CompilerTooNew,
                false => ReasonClass::CompilerTooOld,
            },
            _ => ReasonClass::Conflict,
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
fn unavailable(view: &View<'_>, package: PackageId) -> (ReasonClass, String) {
    let text = view.index().package_text(package);
    match view.index().available(package).to_filter() {
        Filter::Bool(_) => (ReasonClass::Unavailable, format!("{text} is not available anywhere")),
        filter => (ReasonClass::Platform, format!("{text} is available only where {filter}")),
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
    Reason { class: ReasonClass::Conflict, path: vec![package], cause, blocking: None, facts }
}
