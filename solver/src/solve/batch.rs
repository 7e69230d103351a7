//! Which of many packages can be installed.

use super::decisions::packages_on;
use super::search::Search;
use crate::error::SolveError;
use crate::problem::{Flags, Request, Root};
use crate::question::Question;
use crate::stop::Stop;
use crate::view::View;
use opam_parser::index::PackageId;
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What `Solver::witnesses` found.
#[derive(Clone, Debug, Default)]
pub struct Installability {
    /// For each target whether it can be installed.
    pub verdicts: Vec<bool>,
    /// The selections that show it; each shows it of all its packages. Which ones there are depends on
    /// which thread was faster.
    pub witnesses: Vec<Vec<PackageId>>,
}

/// For each of many packages the question whether there is an answer to a request with that package as a
/// further root.
pub(crate) struct Batch<'b, 'i> {
    pub(crate) view: &'b View<'i>,
    pub(crate) request: &'b Request,
    /// The dependency flags of the packages when they are the further root.
    pub(crate) flags: Flags,
    pub(crate) stop: &'b Stop,
    /// Is called with how many are decided, now and then.
    pub(crate) progress: &'b (dyn Fn(usize) + Sync),
}

impl Batch<'_, '_> {
    /// Decides all targets, on all threads of rayon's current pool. Of the `known` packages it is known
    /// already that they can be installed.
    pub(crate) fn decide(&self, targets: &[PackageId], known: &[PackageId]) -> Result<Installability, SolveError> {
        // What is wrong with the request is said once, not for every package.
        Question::new(&[self.view], self.request)?;
        let witnessed: Vec<AtomicBool> = self.view.index().packages().map(|_| AtomicBool::new(false)).collect();
        known.iter().for_each(|package| witnessed[package.place()].store(true, Ordering::Relaxed));
        let decided = AtomicUsize::new(0);
        let decide = |target: &PackageId| {
            let answer = match self.flags == Flags::default() && witnessed[target.place()].load(Ordering::Relaxed) {
                true => (true, None),
                false => match self.search(*target) {
                    Ok(selected) => {
                        // The target's own tests show nothing of the tests of others.
                        let shown =
                            selected.iter().filter(|package| *package != target || self.flags == Flags::default());
                        shown.for_each(|package| witnessed[package.place()].store(true, Ordering::Relaxed));
                        (true, Some(selected))
                    }
                    Err(SolveError::NoSolution) => (false, None),
                    Err(error) => return Err(error),
                },
            };
            let count = decided.fetch_add(1, Ordering::Relaxed) + 1;
            if count.is_multiple_of(256) {
                (self.progress)(count);
            }
            Ok(answer)
        };
        let decided: Vec<(bool, Option<Vec<PackageId>>)> = targets.par_iter().map(decide).collect::<Result<_, _>>()?;
        let verdicts = decided.iter().map(|(installable, _)| *installable).collect();
        Ok(Installability { verdicts, witnesses: decided.into_iter().filter_map(|(_, witness)| witness).collect() })
    }

    /// A selection with the target.
    fn search(&self, target: PackageId) -> Result<Vec<PackageId>, SolveError> {
        let mut request = self.request.clone();
        request.roots.extend(Root::exactly(self.view.index(), target, self.flags));
        let question = Question::new(&[self.view], &request)?;
        let decisions = Search::new(&question, self.stop).any()?;
        Ok(packages_on(&question, &decisions, 0))
    }
}
