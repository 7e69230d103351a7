//! Many questions at once.

use super::search::{Failed, Search, packages};
use super::{Selection, SolveError, error, limited, solve_until};
use crate::problem::{Flags, Request, Root};
use crate::question::Question;
use crate::stop::Stop;
use crate::view::View;
use opam_parser::index::PackageId;
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// The best selection for each of many requests, in their order. Runs on all threads of rayon's current
/// pool; the result does not depend on their number.
pub fn solve_all(view: &View<'_>, requests: &[Request], stop: &Stop) -> Vec<Result<Selection, SolveError>> {
    requests.par_iter().map(|request| solve_until(view, request, stop)).collect()
}

/// What [`witnesses`] found.
#[derive(Clone, Debug, Default)]
pub struct Installability {
    /// For each target whether it can be installed.
    pub verdicts: Vec<bool>,
    /// The selections that show it; each shows it of all its packages. Which ones there are depends on
    /// which thread was faster.
    pub witnesses: Vec<Vec<PackageId>>,
}

/// For each package whether there is an answer to the request with that package as a further root.
///
/// An answer shows that everything in it can be installed, so most packages need no search. Runs on
/// all threads of rayon's current pool; the result does not depend on their number. `done` is called
/// with how many are decided, now and then.
///
/// # Errors
/// When the request itself names something that does not exist, or it was stopped.
pub fn installable(
    view: &View<'_>,
    request: &Request,
    targets: &[PackageId],
    flags: Flags,
    stop: &Stop,
    done: &(dyn Fn(usize) + Sync),
) -> Result<Vec<bool>, SolveError> {
    Ok(decide(view, request, targets, flags, &[], stop, done)?.verdicts)
}

/// The same, with what shows it. Of the `known` it is known already that they can be installed.
///
/// # Errors
/// As [`installable`].
pub fn witnesses(
    view: &View<'_>,
    request: &Request,
    targets: &[PackageId],
    known: &[PackageId],
    stop: &Stop,
) -> Result<Installability, SolveError> {
    decide(view, request, targets, Flags::default(), known, stop, &|_| {})
}

fn decide(
    view: &View<'_>,
    request: &Request,
    targets: &[PackageId],
    flags: Flags,
    known: &[PackageId],
    stop: &Stop,
    done: &(dyn Fn(usize) + Sync),
) -> Result<Installability, SolveError> {
    let stop = limited(request, stop);
    let index = view.index();
    // What is wrong with the request is said once, not for every package.
    Question::new(&[view], request)?;
    let witnessed: Vec<AtomicBool> = index.packages().map(|_| AtomicBool::new(false)).collect();
    known.iter().for_each(|package| witnessed[package.place()].store(true, Ordering::Relaxed));
    let decided = std::sync::atomic::AtomicUsize::new(0);
    let decide = |target: &PackageId| {
        let witness = &witnessed[target.place()];
        let answer = if flags == Flags::default() && witness.load(Ordering::Relaxed) {
            (true, None)
        } else {
            let mut request = request.clone();
            request.roots.extend(Root::exactly(index, *target, flags));
            let with_target = Question::new(&[view], &request)?;
            match Search::new(&with_target, &stop).exists() {
                Ok(decisions) => {
                    let selected: Vec<PackageId> =
                        packages(&with_target, &decisions).map(|(_, package)| package).collect();
                    for package in &selected {
                        // The target's own tests show nothing of the tests of others.
                        if package != target || flags == Flags::default() {
                            witnessed[package.place()].store(true, Ordering::Relaxed);
                        }
                    }
                    (true, Some(selected))
                }
                Err(Failed::NoSolution) => (false, None),
                Err(failed) => return Err(error(failed)),
            }
        };
        let count = decided.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_multiple_of(256) {
            done(count);
        }
        Ok(answer)
    };
    let decided: Vec<(bool, Option<Vec<PackageId>>)> = targets.par_iter().map(decide).collect::<Result<_, _>>()?;
    let verdicts = decided.iter().map(|(installable, _)| *installable).collect();
    Ok(Installability { verdicts, witnesses: decided.into_iter().filter_map(|(_, witness)| witness).collect() })
}
