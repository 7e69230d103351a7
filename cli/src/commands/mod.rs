//! One module for each command.

pub(crate) mod bisect;
pub(crate) mod bounds;
pub(crate) mod builds;
pub(crate) mod cache;
mod columns;
pub(crate) mod deps;
pub(crate) mod docs;
pub(crate) mod farm;
pub(crate) mod generate;
pub(crate) mod health;
pub(crate) mod impact;
pub(crate) mod installable;
pub(crate) mod list;
mod listing;
pub(crate) mod lock;
pub(crate) mod parse;
pub(crate) mod platforms;
mod project;
pub(crate) mod revdeps;
pub(crate) mod show;
pub(crate) mod solve;
mod states;

use crate::output::{BOLD, Cell, DIM};
use bstr::ByteSlice;
use opam_parser::index::{Index, PackageId};

/// Name, version, first line of the synopsis.
pub(crate) fn row(index: &Index, package: PackageId) -> Vec<Cell> {
    vec![
        Cell::styled(index.name(index.package_name(package)), BOLD),
        Cell::new(index.version(index.package_version(package))),
        Cell::styled(synopsis(index, package), DIM),
    ]
}

/// The first line of the synopsis; control characters become blanks.
pub(crate) fn synopsis(index: &Index, package: PackageId) -> String {
    let first = index.synopsis(package).lines().next().unwrap_or_default();
    first.to_str_lossy().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
