//! A change of a repository as it is seen on one target.

use crate::repository_change::RepositoryChange;
use caravan_solver::target::{Target, find_affected};
use caravan_solver::{Request, SolveError, Stop, Verdict, View};
use opam_parser::index::PackageId;

/// A target's views of the states before and after a change, and what could be affected there.
pub(crate) struct TargetViews<'s, 'i> {
    pub(crate) repository: &'s RepositoryChange<'i>,
    pub(crate) request: &'s Request,
    pub(crate) before: View<'i>,
    pub(crate) after: View<'i>,
    /// For each package of the earlier state whether it could be affected.
    pub(crate) affected_before: Vec<bool>,
    /// The same for the later state.
    pub(crate) affected_after: Vec<bool>,
}

impl<'s, 'i> TargetViews<'s, 'i> {
    /// Compiles what is needed of both states.
    ///
    /// # Errors
    /// When it was stopped.
    pub(crate) fn new(
        repository: &'s RepositoryChange<'i>,
        target: &'s Target,
        stop: &Stop,
    ) -> Result<Self, SolveError> {
        let RepositoryChange { before, after, matching, mentions_before, mentions_after, .. } = repository;
        let request = &target.request;
        let (before, after) = (View::new(before, &target.platform), View::new(after, &target.platform));
        let (affected_before, affected_after) = rayon::join(
            || {
                let changed: Vec<PackageId> = matching.changed_before().collect();
                find_affected(&before, mentions_before, request, &changed, stop)
            },
            || {
                let changed: Vec<PackageId> = matching.changed_after().collect();
                find_affected(&after, mentions_after, request, &changed, stop)
            },
        );
        let (affected_before, affected_after) = (affected_before?, affected_after?);
        Ok(Self { repository, request, before, after, affected_before, affected_after })
    }
}

/// Which affected packages can be installed: for each package of a state the answer, `None` if it was not
/// affected.
pub(crate) struct InstallablePackages {
    pub(crate) before: Vec<Option<Verdict>>,
    pub(crate) after: Vec<Option<Verdict>>,
}
