//! The history of a repository: which commits there are, and which of them last changed a package.

use crate::error::Error;
use opam_parser::index::{Index, PackageId};
use opam_parser::name::split_package;
use opam_parser::repository::Location;
use opam_parser::source::history::{Commit, History};

/// How many commits changes are followed back: builds are seldom kept for longer.
const COMMITS: usize = 1000;

/// The commits that last changed packages.
pub(crate) struct LastChanges {
    /// For each package, in the index's order, how many commits ago it changed; `None` if that was earlier.
    ages: Vec<Option<u32>>,
    /// The ids, the newest first.
    commits: Vec<String>,
    /// The oldest commit that was looked at.
    pub(crate) oldest: String,
}

impl LastChanges {
    /// How many commits ago a package changed, and in which commit.
    pub(crate) fn of(&self, package: PackageId) -> Option<(u32, &str)> {
        let age = self.ages[package.place()]?;
        Some((age, &self.commits[age as usize]))
    }
}

/// The commits that last changed packages; `None` for a working tree, or where there is no history.
pub(crate) fn last_changes(own: &Location, index: &Index) -> Result<Option<LastChanges>, Error> {
    let Location::Git { path, revision, .. } = own else { return Ok(None) };
    let history = History::open(path)?;
    let commits: Vec<Commit> = history.first_parents(revision)?.take(COMMITS).collect::<Result<_, _>>()?;
    let mut found = LastChanges { ages: vec![None; index.package_count()], commits: vec![], oldest: String::new() };
    for (age, pair) in commits.windows(2).enumerate() {
        for difference in history.differences(&pair[1].id, Some(&pair[0].id))? {
            let package = difference.path.split('/').nth(2).and_then(split_package);
            let Some((name, version)) = package else { continue };
            let known = index.find_name(name.as_str()).and_then(|name| index.find_package(name, version.as_str()));
            if let Some(package) = known {
                found.ages[package.place()].get_or_insert(age as u32);
            }
        }
    }
    found.oldest = commits.last().map(|commit| commit.id.clone()).unwrap_or_default();
    found.commits = commits.into_iter().map(|commit| commit.id).collect();
    Ok(Some(found))
}

/// The history of a repository, if it has one. A directory in the middle of a checkout has none of its own.
pub(crate) fn history_of(own: &Location) -> Option<History> {
    match own {
        Location::Git { path, .. } => History::open(path).ok(),
        Location::Directory { path, marks: None } if path.join(".git").exists() => History::open(path).ok(),
        Location::Directory { .. } | Location::Archive { .. } => None,
    }
}
