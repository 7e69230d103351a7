//! Packages as rows of tables.

use super::palette::{BOLD, DIM};
use super::table::Cell;
use super::words::first_line;
use crate::answer::Package;

/// Name, version, first line of the synopsis.
pub(super) fn row(package: &Package) -> Vec<Cell> {
    vec![
        Cell::styled(&package.name, BOLD),
        Cell::new(&package.version),
        Cell::styled(first_line(&package.synopsis), DIM),
    ]
}
