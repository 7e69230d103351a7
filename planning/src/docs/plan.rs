//! The documentation plan of one state of a repository, and of the next one.

use super::blessed::bless;
use super::jobs::{Preparation, choose_jobs};
use super::universes::{PackageInUniverse, Universe, universes};
use crate::builds::{BuildId, Builds};
use crate::matrix::{Cell, Matrix, MatrixRequest, PlatformError, TargetView};
use caravan_solver::target::{Mentions, Target, find_affected};
use caravan_solver::{Flags, Stop};
use opam_parser::index::{Index, Matching, PackageId};
use rustc_hash::FxHashSet;

/// Packages that are taken out of solutions: others build them anew, or they have nothing to document
/// (ocaml-docs-ci).
const LEFT_OUT: [&str; 4] = ["ocaml-secondary-compiler", "ocamlfind-secondary", "ocaml-src", "ocaml-freestanding"];

/// The same of all that begin so.
const LEFT_OUT_PREFIX: &str = "dkml-component-";

/// The documentation plan of a repository's state.
pub struct Docs<'i> {
    /// Every version with its solution, or why there is none; it has one platform.
    pub matrix: Matrix<'i>,
    /// Packages with all that they are built with; the jobs are the versions that have a solution.
    pub builds: Builds,
    /// The universe of each build.
    pub universes: Vec<Universe>,
    /// What to install, one after the other, to have all of the builds that are new.
    pub jobs: Vec<Preparation>,
    /// For each package with a build the build whose documentation is shown, in opam's order.
    pub blessed: Vec<(PackageId, BuildId)>,
    /// How many versions were solved for; in a step those that a change can concern.
    pub solved: usize,
}

impl<'i> Docs<'i> {
    /// Plans the documentation of some packages.
    ///
    /// # Errors
    /// As [`Matrix::decide`].
    pub fn new(
        index: &'i Index,
        target: &Target,
        packages: Vec<PackageId>,
        stop: &Stop,
        done: &(dyn Fn(usize) + Sync),
    ) -> Result<Self, PlatformError> {
        let solved = packages.len();
        let request = MatrixRequest { targets: std::slice::from_ref(target), rows: packages, flags: Flags::default() };
        let matrix = Matrix::decide(index, request, stop, done)?;
        Ok(Self::planned(matrix, solved, &FxHashSet::default()))
    }

    /// Plans the documentation of a later state of the same repository. Versions whose solution cannot
    /// have changed keep it, and what was built already is not built again.
    ///
    /// # Errors
    /// As [`Matrix::decide`].
    pub fn step<'a>(&self, index: &'a Index, packages: Vec<PackageId>, stop: &Stop) -> Result<Docs<'a>, PlatformError> {
        let earlier = &self.matrix.platforms[0];
        let target = &earlier.target;
        let later = TargetView::new(index, target);
        let matching = Matching::new(earlier.view.index(), index);
        let mentions = Mentions::new(index);
        let (was, is) = rayon::join(
            || {
                let changed: Vec<PackageId> = matching.changed_before().collect();
                find_affected(&earlier.view, &self.matrix.mentions, &target.request, &changed, stop)
            },
            || {
                let changed: Vec<PackageId> = matching.changed_after().collect();
                find_affected(&later.view, &mentions, &target.request, &changed, stop)
            },
        );
        let failed = |error| PlatformError { platform: target.label.clone(), error };
        let (was, is) = (was.map_err(failed)?, is.map_err(failed)?);
        // The rows of the earlier plan are in opam's order.
        let kept = |package: PackageId| {
            let old = matching.before(package).filter(|old| !was[old.place()] && !is[package.place()])?;
            let row = self.matrix.rows.binary_search(&old).ok()?;
            translated(&self.matrix.cells[0][row], earlier.view.index(), index, &matching)
        };
        let kept: Vec<Option<Cell>> = packages.iter().map(|package| kept(*package)).collect();
        let solved = kept.iter().filter(|cell| cell.is_none()).count();
        let matrix = Matrix::decide_rest(later, packages, kept, mentions, stop)?;
        let built: FxHashSet<PackageInUniverse> = self.prepared().collect();
        Ok(Docs::planned(matrix, solved, &built))
    }

    fn planned(matrix: Matrix<'i>, solved: usize, built: &FxHashSet<PackageInUniverse>) -> Self {
        let view = &matrix.platforms[0].view;
        let index = view.index();
        let left_out: Vec<bool> = index
            .packages()
            .map(|package| {
                let name = index.name(index.package_name(package));
                LEFT_OUT.contains(&name) || name.starts_with(LEFT_OUT_PREFIX)
            })
            .collect();
        let solutions: Vec<(PackageId, Vec<PackageId>)> = matrix
            .rows
            .iter()
            .zip(&matrix.cells[0])
            .filter(|(package, _)| !left_out[package.place()])
            .filter_map(|(package, cell)| {
                let selected = cell.selection()?.packages().iter().copied();
                Some((*package, selected.filter(|package| !left_out[package.place()]).collect()))
            })
            .collect();
        let pairs = solutions.iter().map(|(package, selected)| (*package, selected.as_slice()));
        let builds = Builds::of_solutions(view, Flags::default(), pairs);
        let universes = universes(index, &builds);
        let jobs = choose_jobs(index, &builds, &universes, built);
        let blessed = bless(&builds, &universes);
        Self { matrix, builds, universes, jobs, blessed, solved }
    }

    /// What is built.
    fn prepared(&self) -> impl Iterator<Item = PackageInUniverse> + '_ {
        let index = self.matrix.platforms[0].view.index();
        let builds = self.builds.builds.iter().zip(&self.universes);
        builds.map(|(build, universe)| PackageInUniverse::new(index, build.package, universe))
    }
}

/// The cell of a version that nothing concerns, in the later index; `None` if it names what is not there
/// any more, as only reasons can.
fn translated(cell: &Cell, before: &Index, after: &Index, matching: &Matching) -> Option<Cell> {
    match cell {
        Cell::Installable(selection) => {
            let packages = selection.packages().iter().map(|package| matching.after(*package));
            Some(Cell::Installable(packages.collect::<Option<Vec<_>>>()?.into()))
        }
        Cell::Not(reason) => {
            let mut reason = reason.clone();
            for package in &mut reason.path {
                *package = matching.after(*package)?;
            }
            reason.blocking = match reason.blocking {
                None => None,
                Some(blocking) => Some(blocking.translated(before, after, matching)?),
            };
            Some(Cell::Not(reason))
        }
        // It may be told this time.
        Cell::NotTold(_) => None,
    }
}
