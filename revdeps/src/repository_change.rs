//! A change of a repository: the states before and after it.

use crate::changes::{Changes, PackageChange};
use caravan_solver::target::Mentions;
use opam_parser::index::{Index, Matching, PackageId};

/// Two states of a repository, and what differs.
pub struct RepositoryChange<'s> {
    /// The earlier state.
    pub before: &'s Index,
    /// The later state.
    pub after: &'s Index,
    /// Which packages they have in common.
    pub matching: Matching,
    /// What differs.
    pub changes: Changes,
    pub(crate) mentions_before: Mentions,
    pub(crate) mentions_after: Mentions,
}

impl<'s> RepositoryChange<'s> {
    /// Puts two states side by side.
    pub fn new(before: &'s Index, after: &'s Index, changes: Changes) -> Self {
        let mentions = || rayon::join(|| Mentions::new(before), || Mentions::new(after));
        let (matching, (mentions_before, mentions_after)) = rayon::join(|| Matching::new(before, after), mentions);
        Self { before, after, matching, changes, mentions_before, mentions_after }
    }

    /// Of some changed packages those that are in the later state, in opam's order, each once.
    pub(crate) fn packages_after<'c>(&self, changes: impl Iterator<Item = &'c PackageChange>) -> Vec<PackageId> {
        let package = |change: &PackageChange| {
            let name = self.after.find_name(change.name.as_str())?;
            self.after.find_package(name, change.version.as_str())
        };
        let mut packages: Vec<PackageId> = changes.filter_map(package).collect();
        packages.sort_unstable();
        packages.dedup();
        packages
    }
}
