//! What to build and test again because something changed.
//!
//! ```text
//! what is new ── Dependents ──> candidates, as opam-repo-ci lists them     (candidates.rs)
//!     ── Policy ──> of each name the versions to try, newest first         (policy.rs)
//!     ── solve with what is new ──> entries with their selections          (together.rs)
//!     ── the way through the selection ──> reasons, and who needs whom     (reasons.rs)
//!     ── who needs whom ──> stages                                         (stages.rs)
//!     ── Budget ──> the entries that tell most                             (budget.rs)
//! ```
//!
//! There is one entry for a package version, however many changed packages it depends on; packages that
//! changed themselves are none. An entry's selections say with which of them it is built.

mod budget;
mod candidates;
mod policy;
mod reasons;
mod stages;
mod together;

pub use budget::{Pick, pick};
pub use policy::{Policy, TestPolicy, Versions};
pub use reasons::{Reason, Relation};
pub use together::Together;

use crate::impact::{Known, Sides};
pub(crate) use candidates::Relations;
use candidates::{Candidate, candidates};
use caravan_solver::{Flags, Selection, SolveError, Stop};
use opam_parser::index::{NameId, PackageId};
use rayon::prelude::*;
use reasons::Walk;
use rustc_hash::FxHashMap;
use together::{Found, Solving};

/// What to build and test again on one platform.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rebuild {
    /// In opam's order. Packages are those of the later index.
    pub entries: Vec<Entry>,
    /// What depends on the change and is not among them.
    pub left_out: LeftOut,
}

/// One package version to build or test again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The package.
    pub package: PackageId,
    /// Why it is here.
    pub reason: Reason,
    /// How to build it; `None` if only its tests have to do with the change.
    pub build: Option<Job>,
    /// Its tests.
    pub tests: Tests,
    /// How many other entries need it, directly or through others.
    pub dependents: usize,
}

/// A build, or a build with tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// From 1: it needs no build of this stage or a later one.
    pub stage: usize,
    /// The entries whose builds are in its selections and that it depends on, in opam's order: if one of
    /// them fails there is no use in trying.
    pub needs: Vec<PackageId>,
    /// What to install, each with some of the changed packages; most often there is one.
    pub selections: Vec<Together>,
}

/// The tests of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tests {
    /// It has none.
    None,
    /// They can be run.
    Job(Job),
    /// What they need cannot be installed together with the change.
    Impossible {
        /// Nor could it before, without it.
        before: bool,
    },
}

impl Entry {
    /// The test job, if there is one.
    pub fn test(&self) -> Option<&Job> {
        match &self.tests {
            Tests::Job(job) => Some(job),
            Tests::None | Tests::Impossible { .. } => None,
        }
    }

    /// Its jobs.
    pub fn jobs(&self) -> impl Iterator<Item = &Job> {
        self.build.iter().chain(self.test())
    }

    /// The first stage in which there is something to do for it.
    pub fn stage(&self) -> usize {
        self.jobs().map(|job| job.stage).min().unwrap_or(1)
    }

    /// The changed packages that it is built or tested with, in opam's order.
    pub fn with(&self) -> Vec<PackageId> {
        let selections = self.jobs().flat_map(|job| &job.selections);
        let mut with: Vec<PackageId> = selections.flat_map(|together| together.with.iter().copied()).collect();
        with.sort_unstable();
        with.dedup();
        with
    }
}

/// What depends on the change and is not built again, and why not. In opam's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// They cannot be installed together with what they depend on of the change.
    pub not_together: Vec<PackageId>,
    /// They can be installed together with it, but then nothing of what they need uses it.
    pub unused: Vec<PackageId>,
    /// The policy takes another version.
    pub other_version: Vec<PackageId>,
    /// They are to be avoided (`avoid-version`, `deprecated`).
    pub avoided: Vec<PackageId>,
    /// Nobody maintains them.
    pub abandoned: Vec<PackageId>,
}

impl Rebuild {
    /// How many stages there are.
    pub fn stages(&self) -> usize {
        self.entries.iter().flat_map(Entry::jobs).map(|job| job.stage).max().unwrap_or(0)
    }
}

/// What to build and test again, on the platform of the two sides.
pub(crate) fn rebuild(
    sides: &Sides<'_, '_>,
    known: &Known,
    best: &FxHashMap<NameId, Selection>,
    policy: &Policy,
    stop: &Stop,
) -> Result<Rebuild, SolveError> {
    let changed = changed(sides, known, policy);
    if changed.is_empty() {
        return Ok(Rebuild::default());
    }
    let relations = Relations::new(&sides.after, &sides.step.mentions_after);
    let (by_name, mut left_out) = candidates(sides, &relations, known, &changed, policy);
    let unused = policy.versions == Versions::All;
    let solving = Solving { sides, relations: &relations, best, unused, stop };
    let chosen: Vec<policy::Chosen> = by_name
        .par_iter()
        .map(|versions| policy.choose(versions, &|candidate| attempt(&solving, candidate, policy)))
        .collect::<Result<_, _>>()?;
    let mut entries = Vec::new();
    for chosen in chosen {
        entries.extend(chosen.entries);
        left_out.not_together.extend(chosen.not_together);
        left_out.unused.extend(chosen.unused);
        left_out.other_version.extend(chosen.other_version);
    }
    entries.sort_unstable_by_key(|entry| entry.package);
    left_out.not_together.sort_unstable();
    left_out.unused.sort_unstable();
    left_out.other_version.sort_unstable();
    stages::assign(&mut entries);
    Ok(Rebuild { entries, left_out })
}

/// Whether a package, with what it needs of a selection, uses another.
pub(crate) fn reaches(
    relations: &Relations<'_, '_>,
    selection: &Selection,
    package: PackageId,
    with_test: bool,
    other: PackageId,
) -> bool {
    Walk::new(relations, selection, package, with_test, &[]).reaches(other)
}

/// What each of some packages uses of the change, built and tested: with which dependency flags which changed
/// packages.
pub(crate) fn used(
    sides: &Sides<'_, '_>,
    packages: &[PackageId],
    stop: &Stop,
) -> Result<Vec<(PackageId, Flags, Vec<PackageId>)>, SolveError> {
    let index = sides.step.after;
    let changes = sides.step.changes.packages.iter().filter(|change| change.concerns_dependents());
    let mut changed: Vec<PackageId> = changes.filter_map(|change| sides.step.changed_package(change)).collect();
    changed.sort_unstable();
    changed.dedup();
    let (relations, best) = (Relations::new(&sides.after, &sides.step.mentions_after), FxHashMap::default());
    let solving = Solving { sides, relations: &relations, best: &best, unused: false, stop };
    let mut uses = Vec::new();
    for (package, with_test) in packages.iter().flat_map(|package| [(*package, false), (*package, true)]) {
        let flags = Flags { with_test, ..Flags::default() };
        if with_test && !index.has_tests(package) {
            continue;
        }
        let found = solving.together(package, flags, &changed)?.unwrap_or_default();
        let mut with: Vec<PackageId> = found.into_iter().flat_map(|found| found.together.with).collect();
        with.sort_unstable();
        with.dedup();
        if !with.is_empty() {
            uses.push((package, flags, with));
        }
    }
    Ok(uses)
}

/// The changed packages that others are built with, in opam's order: those that can be installed. Those to be
/// avoided count only where all are, or the policy wants them: a release of OCaml comes with a version for
/// its next development, and nobody builds half the repository with that.
fn changed(sides: &Sides<'_, '_>, known: &Known, policy: &Policy) -> Vec<PackageId> {
    let changes = sides.step.changes.packages.iter().filter(|change| policy.counts(change));
    let packages = changes.filter_map(|change| sides.step.changed_package(change));
    let mut usable: Vec<PackageId> = packages.filter(|package| known.after[package.place()] == Some(true)).collect();
    usable.sort_unstable();
    usable.dedup();
    let avoided = |package: &PackageId| sides.after.is_avoided(*package);
    if !policy.avoided && !usable.iter().all(avoided) {
        usable.retain(|package| !avoided(package));
    }
    usable
}

/// What came of trying a candidate.
enum Attempt {
    /// Its stages are still to be found.
    Entry(Box<Entry>),
    NotTogether,
    Unused,
}

fn attempt(solving: &Solving<'_, '_>, candidate: &Candidate, policy: &Policy) -> Result<Attempt, SolveError> {
    let (package, sides) = (candidate.package, solving.sides);
    let index = sides.step.after;
    let build = solving.together(package, Flags::default(), &candidate.build)?;
    let for_tests = Flags { with_test: true, ..Flags::default() };
    let wants_tests = policy.tests > TestPolicy::None && index.has_tests(package);
    let mut all: Vec<PackageId> = candidate.build.iter().chain(&candidate.test).copied().collect();
    all.sort_unstable();
    let test = match wants_tests {
        true => solving.together(package, for_tests, &all)?,
        false => None,
    };
    let tests_impossible = wants_tests && test.is_none();
    if build.is_none() && test.is_none() {
        return Ok(Attempt::NotTogether);
    }
    let job =
        |found: Option<Vec<Found>>| found.filter(|found| !found.is_empty()).map(|found| reasons::job(package, found));
    let (build, test) = (job(build), job(test));
    let selections = || build.iter().chain(&test).flat_map(|(job, _)| &job.selections);
    let Some(changed) = selections().find_map(|together| together.with.first().copied()) else {
        // Where nothing was found although everything was tried, it cannot be with any of it.
        return Ok(if solving.unused { Attempt::NotTogether } else { Attempt::Unused });
    };
    let path = build.iter().chain(&test).find_map(|(_, path)| path.clone());
    let relation = match path.as_ref().and_then(|path| path.get(1)) {
        Some(next) => reasons::relation(solving.relations, package, *next, build.is_some()),
        None => Relation::Possible,
    };
    let reason = Reason { path: path.unwrap_or_else(|| vec![package, changed]), relation };
    let tests = match test {
        Some((job, _)) => Tests::Job(job),
        None if tests_impossible => {
            let before = match sides.step.matching.before(package) {
                Some(before) => !solving.alone_before(before, for_tests)?,
                None => false,
            };
            Tests::Impossible { before }
        }
        None => Tests::None,
    };
    let build = build.map(|(job, _)| job);
    Ok(Attempt::Entry(Box::new(Entry { package, reason, build, tests, dependents: 0 })))
}
