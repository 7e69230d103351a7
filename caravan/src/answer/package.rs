//! What several kinds of answers say of packages and platforms.

use caravan_solver::Platform;
use opam_parser::index::{Index, PackageId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A package version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is, in a line or more.
    pub synopsis: String,
    /// Its flags, as opam files have them.
    pub flags: Vec<String>,
}

impl Package {
    pub(crate) fn new(index: &Index, package: PackageId) -> Self {
        Self {
            name: index.name(index.package_name(package)).to_owned(),
            version: index.version(index.package_version(package)).to_owned(),
            synopsis: index.synopsis(package).to_string(),
            flags: index.flags(package).names().map(str::to_owned).collect(),
        }
    }

    pub(crate) fn all(index: &Index, packages: &[PackageId]) -> Vec<Self> {
        packages.iter().map(|package| Self::new(index, *package)).collect()
    }
}

/// The variables of a platform.
pub type Variables = BTreeMap<String, String>;

pub(crate) fn variables(platform: &Platform) -> Variables {
    platform.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A package, or a name, of which it could not be told whether it can be installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NotTold {
    /// `NAME.VERSION`, or a name as `opam install` takes it.
    pub package: String,
    /// Why not: which limit was reached.
    pub reason: String,
}
