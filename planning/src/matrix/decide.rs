//! Deciding every package on every platform.

use super::cell::Cell;
use super::error::PlatformError;
use super::propagation::Propagation;
use super::reason::searched;
use super::target_view::TargetView;
use caravan_solver::target::{Mentions, Target};
use caravan_solver::{Flags, SolveError, Solver, Stop, Stopped};
use opam_parser::index::{Index, PackageId};
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Packages × platforms.
pub struct Matrix<'i> {
    /// The platforms.
    pub platforms: Vec<TargetView<'i>>,
    /// The packages, in opam's order.
    pub rows: Vec<PackageId>,
    /// For each platform a cell for each package.
    pub cells: Vec<Vec<Cell>>,
    /// Who mentions whom in the index.
    pub mentions: Mentions,
    /// What the packages were asked for with: tests, documentation.
    pub flags: Flags,
}

/// What a matrix is of.
#[derive(Clone, Debug)]
pub struct MatrixRequest<'t> {
    /// The platforms.
    pub targets: &'t [Target],
    /// The packages, in opam's order.
    pub rows: Vec<PackageId>,
    /// What they are asked for with: tests, documentation.
    pub flags: Flags,
}

impl<'i> Matrix<'i> {
    /// Decides every package on every platform. Cells that are not decided when it is stopped are not told. Runs on all threads of rayon's current pool; the result
    /// does not depend on their number. `done` is called with how many cells are decided, now and then.
    ///
    /// # Errors
    /// When a platform's own request cannot be answered, which is also so when it is stopped before that.
    pub fn decide(
        index: &'i Index,
        request: MatrixRequest<'_>,
        stop: &Stop,
        done: &(dyn Fn(usize) + Sync),
    ) -> Result<Self, PlatformError> {
        let MatrixRequest { targets, rows, flags } = request;
        let platforms: Vec<TargetView<'i>> = targets.iter().map(|target| TargetView::new(index, target)).collect();
        let mentions = Mentions::new(index);
        let decided = AtomicUsize::new(0);
        let fill = |platform: &TargetView<'i>| {
            let decider = Decider::new(platform, &mentions, flags, stop)?;
            let decide = |row: &PackageId| {
                let cell = decider.cell(*row);
                let count = decided.fetch_add(1, Ordering::Relaxed) + 1;
                if count.is_multiple_of(256) {
                    done(count);
                }
                cell
            };
            rows.par_iter().map(decide).collect::<Result<Vec<Cell>, _>>()
        };
        let cells = platforms.par_iter().map(fill).collect::<Result<_, _>>()?;
        Ok(Self { platforms, rows, cells, mentions, flags })
    }

    /// The matrix of one platform of which some cells are known already. The mentions are those of the
    /// platform's index.
    pub(crate) fn decide_rest(
        platform: TargetView<'i>,
        rows: Vec<PackageId>,
        known: Vec<Option<Cell>>,
        mentions: Mentions,
        stop: &Stop,
    ) -> Result<Self, PlatformError> {
        let decider = Decider::new(&platform, &mentions, Flags::default(), stop)?;
        let fill = |(row, known): (&PackageId, Option<Cell>)| match known {
            // Whether is the same, but why need not be.
            Some(Cell::Not(reason)) => Ok(Cell::Not(decider.propagation.reason(*row).unwrap_or(reason))),
            Some(cell) => Ok(cell),
            None => decider.cell(*row),
        };
        let cells = rows.par_iter().zip(known).map(fill).collect::<Result<Vec<Cell>, _>>()?;
        Ok(Self { platforms: vec![platform], rows, cells: vec![cells], mentions, flags: Flags::default() })
    }

    /// The packages of which it was not told whether they can be installed, each with its platform's place.
    pub fn not_told(&self) -> impl Iterator<Item = (usize, PackageId, Stopped)> {
        self.cells.iter().enumerate().flat_map(|(platform, cells)| {
            let rows = self.rows.iter().zip(cells);
            rows.filter_map(move |(package, cell)| Some((platform, *package, cell.not_told()?)))
        })
    }

    /// How many packages can be installed on a platform.
    pub fn installable(&self, platform: usize) -> usize {
        self.cells[platform].iter().filter(|cell| cell.selection().is_some()).count()
    }
}

/// Decides the packages of one platform.
struct Decider<'d, 'i> {
    platform: &'d TargetView<'i>,
    propagation: Propagation<'d, 'i>,
    flags: Flags,
    stop: &'d Stop,
}

impl<'d, 'i> Decider<'d, 'i> {
    /// # Errors
    /// When the platform's own request cannot be answered.
    fn new(
        platform: &'d TargetView<'i>,
        mentions: &Mentions,
        flags: Flags,
        stop: &'d Stop,
    ) -> Result<Self, PlatformError> {
        let TargetView { target, view } = platform;
        // What is wrong with the platform's compiler is said once, not for every package.
        Solver::new(view)
            .stop(stop)
            .solve(&target.request)
            .map_err(|error| PlatformError { platform: target.label.clone(), error })?;
        Ok(Self { platform, propagation: Propagation::new(view, mentions, &target.request), flags, stop })
    }

    /// # Errors
    /// When the package's request cannot be put.
    fn cell(&self, package: PackageId) -> Result<Cell, PlatformError> {
        // With its tests a package may, in theory, need less: `"b" {!with-test}`.
        if self.flags == Flags::default()
            && let Some(reason) = self.propagation.reason(package)
        {
            return Ok(Cell::Not(reason));
        }
        let failed = |error| PlatformError { platform: self.platform.target.label.clone(), error };
        let view = &self.platform.view;
        let request = self.platform.request(package, self.flags);
        match Solver::new(view).stop(self.stop).solve(&request) {
            Ok(selection) => Ok(Cell::Installable(selection)),
            Err(SolveError::NoSolution) => {
                if let Some(reason) = self.propagation.reason(package) {
                    return Ok(Cell::Not(reason));
                }
                let facts = match Solver::new(view).stop(self.stop).explain_facts(&request) {
                    // That it cannot be installed is known.
                    Err(SolveError::Stopped(_)) => vec![],
                    facts => facts.map_err(failed)?,
                };
                Ok(Cell::Not(searched(view, package, facts)))
            }
            Err(SolveError::Stopped(why)) => Ok(Cell::NotTold(why)),
            Err(error) => Err(failed(error)),
        }
    }
}
