//! One module for each command.

pub(crate) mod bisect;
pub(crate) mod bounds;
pub(crate) mod builds;
pub(crate) mod cache;
mod columns;
pub(crate) mod deps;
pub(crate) mod docs;
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
use caravan_solver::Platform;
use opam_parser::index::{Index, PackageId};
use serde::Serialize;
use std::collections::BTreeMap;

/// A package version in JSON.
#[derive(Serialize)]
pub(crate) struct JsonPackage {
    name: String,
    version: String,
    synopsis: String,
    flags: Vec<&'static str>,
}

impl JsonPackage {
    pub(crate) fn new(index: &Index, package: PackageId) -> Self {
        Self {
            name: index.name(index.package_name(package)).to_owned(),
            version: index.version(index.package_version(package)).to_owned(),
            synopsis: index.synopsis(package).to_string(),
            flags: index.flags(package).names().collect(),
        }
    }
}

/// The variables of a platform in JSON.
pub(crate) fn json_platform(platform: &Platform) -> BTreeMap<String, String> {
    platform.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

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

/// Of packages in opam's order, the last of each name.
pub(crate) fn newest_of_each_name(index: &Index, packages: Vec<PackageId>) -> Vec<PackageId> {
    let mut newest: Vec<PackageId> = Vec::new();
    for package in packages {
        match newest.last_mut() {
            Some(last) if index.package_name(*last) == index.package_name(package) => *last = package,
            _ => newest.push(package),
        }
    }
    newest
}
