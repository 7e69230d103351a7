//! Puts requests to a view.

use crate::error::{PlatformError, SolveError};
use crate::explain::{self, Explanation, Fact, HeldBack};
use crate::problem::{Flags, Request, Setting};
use crate::selection::Selection;
use crate::solve::batch::{Batch, Installability, Verdict};
use crate::solve::platforms::{self, PlatformSelections};
use crate::solve::{search, validate};
use crate::stop::{Stop, Stopped};
use crate::verify::verify;
use crate::view::View;
use opam_parser::index::PackageId;
use rayon::prelude::*;

/// Puts requests to a view. What it does beside finding an answer is set before:
///
/// ```
/// # use caravan_solver::{Platform, Request, SolveError, Solver, Stop, View};
/// # use std::time::Duration;
/// # fn first(index: &opam_parser::index::Index, request: &Request) -> Result<(), SolveError> {
/// let view = View::new(index, &Platform::linux_x86_64());
/// let solver = Solver::new(&view).stop(&Stop::new().within(Duration::from_secs(10))).prove(true);
/// match solver.solve(request) {
///     Ok(selection) => println!("{} packages", selection.packages().len()),
///     Err(SolveError::NoSolution) => println!("{}", solver.explain(request)?),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
///
/// Whatever takes many packages or requests runs on all threads of rayon's current pool, and the result does
/// not depend on their number. Everything ends within milliseconds when it is asked to stop.
#[derive(Clone)]
#[must_use]
pub struct Solver<'s, 'i> {
    view: &'s View<'i>,
    stop: Stop,
    prove: bool,
    verify: Option<&'s Setting>,
    progress: &'s (dyn Fn(usize) + Sync),
}

impl<'s, 'i> Solver<'s, 'i> {
    /// Puts requests to this view.
    pub fn new(view: &'s View<'i>) -> Self {
        Self { view, stop: Stop::new(), prove: false, verify: None, progress: &|_| {} }
    }

    /// Puts requests to the views of several platforms at once. Their index has to be the same.
    pub fn for_platforms(views: &'s [&'s View<'i>]) -> PlatformsSolver<'s, 'i> {
        PlatformsSolver { views, stop: Stop::new() }
    }

    /// Ends when this is asked for. A request's own time limit counts, too.
    pub fn stop(mut self, stop: &Stop) -> Self {
        self.stop = stop.clone();
        self
    }

    /// Shows that each selection is the best one, by asking, for each decision in its turn, for anything
    /// that is preferred to it. If there is something, solving ends with [`SolveError::Wrong`].
    pub fn prove(mut self, prove: bool) -> Self {
        self.prove = prove;
        self
    }

    /// Checks every rule on each selection with [`verify`](crate::verify()), which shares no code with the
    /// search. The view has to be that of the setting. If a rule is broken, solving ends with
    /// [`SolveError::Wrong`].
    pub fn verify(mut self, setting: &'s Setting) -> Self {
        self.verify = Some(setting);
        self
    }

    /// Is called by [`Solver::installable`] and [`Solver::witnesses`] with how many packages are decided, now
    /// and then, from any thread.
    pub fn progress(mut self, progress: &'s (dyn Fn(usize) + Sync)) -> Self {
        self.progress = progress;
        self
    }

    /// Finds the best selection: the first root as new (or old) as can be, then each of its dependencies
    /// in the order in which they are written, and so on depth first, then the next root (rule O7 of
    /// `docs/semantics.md`). What becomes of versions to avoid is said by the request.
    ///
    /// # Errors
    /// When something asked for does not exist, the constraints contradict each other, or it was stopped.
    pub fn solve(&self, request: &Request) -> Result<Selection, SolveError> {
        let selection = search::solve(self.view, request, &request.limit(&self.stop), self.prove)?;
        if let Some(setting) = self.verify {
            let violations = verify(self.view.index(), setting, request, selection.packages());
            if !violations.is_empty() {
                return Err(SolveError::Wrong(violations.iter().map(ToString::to_string).collect()));
            }
        }
        Ok(selection)
    }

    /// The best selection for each of many requests, in their order.
    pub fn solve_all(&self, requests: &[Request]) -> Vec<Result<Selection, SolveError>> {
        requests.par_iter().map(|request| self.solve(request)).collect()
    }

    /// Explains why a request has no answer.
    ///
    /// # Errors
    /// As [`Solver::solve`]; and [`SolveError::Solvable`] if there is an answer after all.
    pub fn explain(&self, request: &Request) -> Result<Explanation, SolveError> {
        explain::explain(self.view, request, &request.limit(&self.stop))
    }

    /// Why a request has no answer, without what could be done about it.
    ///
    /// # Errors
    /// As [`Solver::explain`].
    pub fn explain_facts(&self, request: &Request) -> Result<Vec<Fact>, SolveError> {
        explain::explain_facts(self.view, request, &request.limit(&self.stop))
    }

    /// The best selection, and for each package in it that is not at its newest version (with
    /// [`Preference::Oldest`](crate::problem::Preference::Oldest), at its oldest) the reason. It is neither
    /// proved nor verified.
    ///
    /// # Errors
    /// As [`Solver::solve`].
    pub fn explain_versions(&self, request: &Request) -> Result<(Selection, Vec<HeldBack>), SolveError> {
        explain::explain_versions(self.view, request, &request.limit(&self.stop))
    }

    /// For each target whether there is an answer to the request with that package, with these dependency
    /// flags, as a further root.
    ///
    /// An answer shows that everything in it can be installed, so most packages need no search.
    ///
    /// # Errors
    /// When the request itself names something that does not exist, or a search was stopped.
    pub fn installable(&self, request: &Request, targets: &[PackageId], flags: Flags) -> Result<Vec<bool>, SolveError> {
        let told = |verdict: Verdict| match verdict {
            Verdict::NotTold(why) => Err(why.into()),
            verdict => Ok(verdict.is_installable()),
        };
        self.verdicts(request, targets, flags)?.into_iter().map(told).collect()
    }

    /// The same; where a search was stopped, it is not told of that package.
    ///
    /// # Errors
    /// When the request itself names something that does not exist.
    pub fn verdicts(&self, request: &Request, targets: &[PackageId], flags: Flags) -> Result<Vec<Verdict>, SolveError> {
        Ok(self.decide(request, flags, targets, &[])?.verdicts)
    }

    /// The same without dependency flags, with what shows it. Of the `known` packages it is known already
    /// that they can be installed.
    ///
    /// # Errors
    /// When the request itself names something that does not exist, somebody stopped it, or its time is over.
    pub fn witnesses(
        &self,
        request: &Request,
        targets: &[PackageId],
        known: &[PackageId],
    ) -> Result<Installability, SolveError> {
        let found = self.decide(request, Flags::default(), targets, known)?;
        let stopped = |verdict: &Verdict| match verdict {
            Verdict::NotTold(why) if *why != Stopped::Steps => Some(*why),
            _ => None,
        };
        match found.verdicts.iter().find_map(stopped) {
            Some(why) => Err(why.into()),
            None => Ok(found),
        }
    }

    fn decide(
        &self,
        request: &Request,
        flags: Flags,
        targets: &[PackageId],
        known: &[PackageId],
    ) -> Result<Installability, SolveError> {
        let stop = &request.limit(&self.stop);
        Batch { view: self.view, request, flags, stop, progress: self.progress }.decide(targets, known)
    }

    /// For each of some selections from elsewhere, such as another state of the repository, sorted in opam's
    /// order, whether it is an answer to the request: not the best one, but one. Much cheaper than looking
    /// for another.
    ///
    /// # Errors
    /// When the request names something that does not exist.
    pub fn validate(&self, request: &Request, selections: &[Vec<PackageId>]) -> Result<Vec<bool>, SolveError> {
        validate::are_solutions(self.view, request, selections)
    }
}

/// Puts requests to the views of several platforms at once ([`Solver::for_platforms`]).
#[derive(Clone)]
#[must_use]
pub struct PlatformsSolver<'s, 'i> {
    views: &'s [&'s View<'i>],
    stop: Stop,
}

impl PlatformsSolver<'_, '_> {
    /// Ends when this is asked for. A request's own time limit counts, too.
    pub fn stop(mut self, stop: &Stop) -> Self {
        self.stop = stop.clone();
        self
    }

    /// Finds selections in which every package has the same version on all platforms that have it, where that
    /// is possible. The first platform comes first for each root.
    ///
    /// # Errors
    /// As [`Solver::solve`], with the first platform that has no answer by itself.
    pub fn solve(&self, request: &Request) -> Result<PlatformSelections, PlatformError> {
        platforms::solve(self.views, request, &request.limit(&self.stop))
    }
}
