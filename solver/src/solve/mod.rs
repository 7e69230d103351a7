//! One question, one answer.

pub(crate) mod cycle;
mod holds;
mod many;
pub(crate) mod search;
mod together;

pub use holds::hold;
pub use many::{Installability, installable, solve_all, witnesses};
pub use together::{Together, solve_together};

use crate::engine::{Bits, Var};
use crate::problem::{Request, Setting};
use crate::question::Question;
use crate::stop::{Stop, Stopped};
use crate::view::View;
use opam_parser::index::{Index, NameId, PackageId};
use search::{Failed, Search, Unproved};
use std::time::Duration;

/// The packages to install, in opam's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    packages: Vec<PackageId>,
}

impl Selection {
    /// The packages, sorted by name.
    pub fn packages(&self) -> &[PackageId] {
        &self.packages
    }

    /// The version of a name that was chosen.
    pub fn get(&self, index: &Index, name: NameId) -> Option<PackageId> {
        let place = self.packages.binary_search_by_key(&name, |package| index.package_name(*package)).ok()?;
        Some(self.packages[place])
    }
}

impl From<Vec<PackageId>> for Selection {
    /// A selection that is known from elsewhere, such as another state of the repository.
    fn from(mut packages: Vec<PackageId>) -> Self {
        packages.sort_unstable();
        Self { packages }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SolveError {
    /// No package has this name, and none mentions it.
    #[error("there is no package `{name}`")]
    UnknownName {
        /// What was asked for.
        name: String,
        /// Names that may have been meant, nearest first.
        near: Vec<String>,
    },
    /// The package has no such version.
    #[error("there is no version `{version}` of `{name}`")]
    UnknownVersion {
        /// The package.
        name: String,
        /// What was asked for.
        version: String,
        /// Its newest versions, newest first.
        known: Vec<String>,
    },
    /// The version's opam file could not be read.
    #[error("`{package}` is set aside because its opam file is broken")]
    Broken {
        /// `NAME.VERSION`
        package: String,
        /// Its file.
        file: opam_parser::index::FileId,
    },
    /// Its time is over, or it was cancelled.
    #[error(transparent)]
    Stopped(Stopped),
    /// The constraints contradict each other; [`explain`](crate::explain()) says which.
    #[error("there is no solution")]
    NoSolution,
    /// There is an answer, where an explanation was wanted why there is none.
    #[error("there is a solution")]
    Solvable,
    /// The answer broke these rules. This is a bug of caravan.
    #[error("the answer is wrong, which is a bug of caravan: {}", .0.join("; "))]
    Wrong(Vec<String>),
    /// Platforms of one question whose packages are not from one index.
    #[error("the platforms do not have the same packages")]
    DifferentIndexes,
    /// More platforms in one question than can be counted.
    #[error("more than {limit} platforms at once")]
    TooManyPlatforms {
        /// The limit.
        limit: usize,
    },
    /// More versions of one name, or alternatives in one disjunction, than the solver can count.
    #[error("a package has more than {limit} versions or alternatives")]
    TooWide {
        /// The limit.
        limit: usize,
    },
}

/// Finds the best selection: the first root as new (or old) as can be, then each of its dependencies
/// in the order in which they are written, and so on depth first, then the next root (semantics
/// sheet, rule O7). What becomes of versions to avoid is said by the request.
///
/// # Errors
/// When something asked for does not exist, the constraints contradict each other, or the request's
/// time is over.
pub fn solve(view: &View<'_>, request: &Request) -> Result<Selection, SolveError> {
    solve_until(view, request, &Stop::new())
}

/// The same, ending within milliseconds when asked to.
///
/// # Errors
/// As [`solve`], and when it was stopped.
pub fn solve_until(view: &View<'_>, request: &Request, stop: &Stop) -> Result<Selection, SolveError> {
    let stop = limited(request, stop);
    let question = Question::new(&[view], request)?;
    let mut search = Search::new(&question, &stop);
    match search.best() {
        Ok(answer) => Ok(selection(&question, &answer.decisions, 0)),
        Err(failed) => Err(error(failed)),
    }
}

/// Finds the best selection and shows that it is: by asking, for each decision in its turn, for
/// anything that is preferred to it.
///
/// # Errors
/// As [`solve_until`], and [`SolveError::Wrong`] if there is something better.
pub fn solve_proved(view: &View<'_>, request: &Request, stop: &Stop) -> Result<Selection, SolveError> {
    let stop = limited(request, stop);
    let question = Question::new(&[view], request)?;
    let mut search = Search::new(&question, &stop);
    let answer = search.best().map_err(error)?;
    match search.prove(&answer) {
        Ok(()) => Ok(selection(&question, &answer.decisions, 0)),
        Err(Unproved::Failed(failed)) => Err(error(failed)),
        Err(Unproved::Better(var)) => {
            let what = match var {
                Var::Name(_, name) => view.index().name(name).to_owned(),
                Var::Choice(_, package, _) => format!("a disjunction of {}", view.index().package_text(package)),
                Var::Root | Var::Class(..) | Var::Common(_) => String::new(),
            };
            Err(SolveError::Wrong(vec![format!("there is something better for {what}")]))
        }
    }
}

/// The same, and every rule is checked by something that knows nothing of the search
/// ([`verify`](crate::verify())).
///
/// # Errors
/// As [`solve_proved`], and [`SolveError::Wrong`] if a rule is broken.
pub fn solve_checked(
    view: &View<'_>,
    setting: &Setting,
    request: &Request,
    stop: &Stop,
) -> Result<Selection, SolveError> {
    let selection = solve_proved(view, request, stop)?;
    let violations = crate::verify::verify(view.index(), setting, request, selection.packages());
    match violations.is_empty() {
        true => Ok(selection),
        false => Err(SolveError::Wrong(violations.iter().map(ToString::to_string).collect())),
    }
}

/// Ends when the request's time is over, too.
pub(crate) fn limited(request: &Request, stop: &Stop) -> Stop {
    match request.time_limit_ms {
        Some(limit) => stop.within(Duration::from_millis(limit)),
        None => stop.clone(),
    }
}

pub(crate) fn error(failed: Failed) -> SolveError {
    match failed {
        Failed::NoSolution => SolveError::NoSolution,
        Failed::Stopped(why) => SolveError::Stopped(why),
        Failed::TooWide => too_wide(),
    }
}

pub(crate) fn too_wide() -> SolveError {
    SolveError::TooWide { limit: Bits::<64>::CAPACITY }
}

pub(crate) fn selection(question: &Question<'_, '_>, decisions: &[(Var, u32)], side: u8) -> Selection {
    let ours = search::packages(question, decisions).filter(|(of, _)| *of == side);
    let mut packages: Vec<PackageId> = ours.map(|(_, package)| package).collect();
    packages.sort_unstable();
    Selection { packages }
}
