//! Which of many packages can be installed.

use super::decisions::packages_on;
use super::search::Search;
use crate::error::SolveError;
use crate::problem::{Flags, Request, Root};
use crate::question::Question;
use crate::stop::{Stop, Stopped};
use crate::view::View;
use opam_parser::index::PackageId;
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Whether a package can be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It can.
    Installable,
    /// It cannot.
    Not,
    /// That was not found out, because the search was stopped.
    NotTold(Stopped),
}

impl Verdict {
    /// Whether it is known that it can be installed.
    pub fn is_installable(self) -> bool {
        self == Self::Installable
    }
}

/// What `Solver::witnesses` found.
#[derive(Clone, Debug, Default)]
pub struct Installability {
    /// For each target whether it can be installed.
    pub verdicts: Vec<Verdict>,
    /// The selections that show it; each shows it of all its packages. Which ones there are depends on
    /// which thread was faster.
    pub witnesses: Vec<Vec<PackageId>>,
}

/// What became of a target.
enum Found {
    /// Another target's selection shows it, or it was known.
    Shown,
    Selection(Vec<PackageId>),
    No,
    NotTold(Stopped),
}

impl Found {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Shown | Self::Selection(_) => Verdict::Installable,
            Self::No => Verdict::Not,
            Self::NotTold(why) => Verdict::NotTold(*why),
        }
    }
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
            let found = match self.shares() && witnessed[target.place()].load(Ordering::Relaxed) {
                true => Found::Shown,
                false => self.search(*target, &witnessed)?,
            };
            let count = decided.fetch_add(1, Ordering::Relaxed) + 1;
            if count.is_multiple_of(256) {
                (self.progress)(count);
            }
            Ok(found)
        };
        let mut found: Vec<Found> = targets.par_iter().map(decide).collect::<Result<_, SolveError>>()?;
        self.show_rest(targets, &mut found, &witnessed)?;
        let verdicts = found.iter().map(Found::verdict).collect();
        let witnesses = found.into_iter().filter_map(|found| match found {
            Found::Selection(selected) => Some(selected),
            _ => None,
        });
        Ok(Installability { verdicts, witnesses: witnesses.collect() })
    }

    /// Whether a selection shows of everything in it that it can be installed.
    fn shares(&self) -> bool {
        self.flags == Flags::default()
    }

    /// What the limit of steps left open may be shown by the selection of another target. Which of these were searched
    /// for depends on which thread was faster, and the verdicts must not: so all of them are, until nothing is open.
    fn show_rest(
        &self,
        targets: &[PackageId],
        found: &mut [Found],
        witnessed: &[AtomicBool],
    ) -> Result<(), SolveError> {
        let is_open = |found: &Found| matches!(found, Found::NotTold(Stopped::Steps));
        let open: Vec<usize> = (0..found.len()).filter(|place| is_open(&found[*place])).collect();
        if open.is_empty() || !self.shares() {
            return Ok(());
        }
        let shown = |place: &usize| witnessed[targets[*place].place()].load(Ordering::Relaxed);
        let search = |(target, found): (&PackageId, &Found)| match found {
            Found::Shown if !open.iter().all(shown) => self.search(*target, witnessed).map(drop),
            _ => Ok(()),
        };
        targets.par_iter().zip(&*found).try_for_each(search)?;
        for place in open.iter().filter(|place| shown(place)) {
            found[*place] = Found::Shown;
        }
        Ok(())
    }

    /// Searches for a selection with the target, and notes what it shows.
    fn search(&self, target: PackageId, witnessed: &[AtomicBool]) -> Result<Found, SolveError> {
        match self.selection(target) {
            Ok(selected) => {
                // The target's own tests show nothing of the tests of others.
                let shown = selected.iter().filter(|package| **package != target || self.shares());
                shown.for_each(|package| witnessed[package.place()].store(true, Ordering::Relaxed));
                Ok(Found::Selection(selected))
            }
            Err(SolveError::NoSolution) => Ok(Found::No),
            Err(SolveError::Stopped(why)) => Ok(Found::NotTold(why)),
            Err(error) => Err(error),
        }
    }

    /// A selection with the target.
    fn selection(&self, target: PackageId) -> Result<Vec<PackageId>, SolveError> {
        let mut request = self.request.clone();
        request.roots.extend(Root::exactly(self.view.index(), target, self.flags));
        let question = Question::new(&[self.view], &request)?;
        let decisions = Search::new(&question, self.stop).any()?;
        Ok(packages_on(&question, &decisions, 0))
    }
}
