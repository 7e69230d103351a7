//! Which packages can be installed on which platforms, with what, and why not.
//!
//! ```text
//! View ── propagation ──> what no search is needed for, with reasons
//!      ── solve ──> the best selection of everything else; why there is none (reason)
//! ```

mod bounds;
pub(crate) mod propagation;
mod reason;

pub(crate) use bounds::written;
pub use reason::{Class, Culprit, Reason};

use caravan_revdeps::Mentions;
use caravan_revdeps::impact::Target;
use caravan_solver::{Flags, Request, Root, Selection, SolveError, Stop, View, explain_facts, solve_until};
use opam_parser::file;
use opam_parser::index::{Index, NameId, PackageId, newest};
use propagation::Propagation;
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A platform as a column of a matrix.
pub struct Column<'i> {
    /// What is asked of every package there.
    pub target: Target,
    /// The index as it sees it.
    pub view: View<'i>,
}

impl<'i> Column<'i> {
    /// The column of a platform.
    pub fn new(index: &'i Index, target: &Target) -> Self {
        Self { view: View::new(index, &target.platform), target: target.clone() }
    }

    /// The question whether a package can be installed here.
    pub fn request(&self, package: PackageId, flags: Flags) -> Request {
        let mut request = self.target.request.clone();
        request.roots.extend(Root::exactly(self.view.index(), package, flags));
        request
    }
}

/// A package on a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// It can be installed, best with these packages.
    Installable(Selection),
    /// It cannot.
    Not(Reason),
}

impl Cell {
    /// The packages that it is installed with, itself included.
    pub fn selection(&self) -> Option<&Selection> {
        match self {
            Self::Installable(selection) => Some(selection),
            Self::Not(_) => None,
        }
    }

    /// Why it cannot be installed.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Installable(_) => None,
            Self::Not(reason) => Some(reason),
        }
    }
}

/// Packages × platforms.
pub struct Matrix<'i> {
    /// The platforms.
    pub columns: Vec<Column<'i>>,
    /// The packages, in opam's order.
    pub rows: Vec<PackageId>,
    /// For each platform a cell for each package.
    pub cells: Vec<Vec<Cell>>,
    /// Who mentions whom in the index.
    pub mentions: Mentions,
    /// What the packages were asked for with: tests, documentation.
    pub flags: Flags,
}

impl<'i> Matrix<'i> {
    /// Decides every package on every platform. Runs on all threads of rayon's current pool; the result
    /// does not depend on their number. `done` is called with how many cells are decided, now and then.
    ///
    /// # Errors
    /// When a platform's own request cannot be answered, with the platform's label, or it was stopped.
    pub fn new(
        index: &'i Index,
        targets: &[Target],
        rows: Vec<PackageId>,
        flags: Flags,
        stop: &Stop,
        done: &(dyn Fn(usize) + Sync),
    ) -> Result<Self, (String, SolveError)> {
        let columns: Vec<Column<'i>> = targets.iter().map(|target| Column::new(index, target)).collect();
        let mentions = Mentions::new(index);
        let decided = AtomicUsize::new(0);
        let fill = |column: &Column<'i>| {
            let failed = |error| (column.target.label.clone(), error);
            // What is wrong with the platform's compiler is said once, not for every package.
            solve_until(&column.view, &column.target.request, stop).map_err(failed)?;
            let propagation = Propagation::new(&column.view, &mentions, &column.target.request);
            let decide = |row: &PackageId| {
                let cell = cell(column, &propagation, *row, flags, stop);
                let count = decided.fetch_add(1, Ordering::Relaxed) + 1;
                if count.is_multiple_of(256) {
                    done(count);
                }
                cell
            };
            rows.par_iter().map(decide).collect::<Result<Vec<Cell>, _>>().map_err(failed)
        };
        let cells = columns.par_iter().map(fill).collect::<Result<_, _>>()?;
        Ok(Self { columns, rows, cells, mentions, flags })
    }

    /// The matrix of one platform of which some cells are known already.
    pub(crate) fn continued(
        index: &'i Index,
        target: &Target,
        rows: Vec<PackageId>,
        known: Vec<Option<Cell>>,
        mentions: Mentions,
        stop: &Stop,
    ) -> Result<Self, (String, SolveError)> {
        let column = Column::new(index, target);
        let failed = |error| (target.label.clone(), error);
        solve_until(&column.view, &target.request, stop).map_err(failed)?;
        let propagation = Propagation::new(&column.view, &mentions, &target.request);
        let fill = |(row, known): (&PackageId, Option<Cell>)| match known {
            // Whether is the same, but why need not be.
            Some(Cell::Not(reason)) => Ok(Cell::Not(propagation.reason(*row).unwrap_or(reason))),
            Some(cell) => Ok(cell),
            None => cell(&column, &propagation, *row, Flags::default(), stop),
        };
        let cells = rows.par_iter().zip(known).map(fill).collect::<Result<Vec<Cell>, _>>().map_err(failed)?;
        Ok(Self { columns: vec![column], rows, cells: vec![cells], mentions, flags: Flags::default() })
    }

    /// How many packages can be installed on a platform.
    pub fn installable(&self, column: usize) -> usize {
        self.cells[column].iter().filter(|cell| cell.selection().is_some()).count()
    }
}

fn cell(
    column: &Column<'_>,
    propagation: &Propagation<'_, '_>,
    package: PackageId,
    flags: Flags,
    stop: &Stop,
) -> Result<Cell, SolveError> {
    // With its tests a package may, in theory, need less: `"b" {!with-test}`.
    if flags == Flags::default()
        && let Some(reason) = propagation.reason(package)
    {
        return Ok(Cell::Not(reason));
    }
    let request = column.request(package, flags);
    match solve_until(&column.view, &request, stop) {
        Ok(selection) => Ok(Cell::Installable(selection)),
        Err(SolveError::NoSolution) => {
            let known = propagation.reason(package).map(Ok);
            let searched = || Ok(reason::searched(&column.view, package, explain_facts(&column.view, &request, stop)?));
            known.unwrap_or_else(searched).map(Cell::Not)
        }
        Err(error) => Err(error),
    }
}

/// The newest version of a name, of those that are not to be avoided if there are any.
pub fn latest(index: &Index, name: NameId) -> Option<PackageId> {
    newest(index.versions_of(name), |package| index.flags(package).intersects(file::Flags::AVOID_VERSION))
}
