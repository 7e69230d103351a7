//! Who depends on whom, by the options of opam-repo-ci's lists (rule D15).

use crate::listing::{Dependents, Listing, Options};
use caravan_solver::View;
use caravan_solver::target::Mentions;
use opam_parser::index::{Index, PackageId};

/// Who depends on whom in each of the ways that matter to a rebuild: made once for a view.
pub(crate) struct Relations<'s, 'i> {
    pub(super) index: &'i Index,
    /// `--depopts`
    pub(super) direct: Dependents<'s, 'i>,
    /// `--recursive`
    pub(super) recursive: Dependents<'s, 'i>,
    /// `--depopts --with-test`
    pub(super) tested: Dependents<'s, 'i>,
    /// No option.
    required: Dependents<'s, 'i>,
}

impl<'s, 'i> Relations<'s, 'i> {
    pub(crate) fn new(view: &'s View<'i>, mentions: &'s Mentions) -> Self {
        let dependents = |listing| Dependents::new(view, mentions, listing);
        let optional = Options { depopts: true, ..Options::default() };
        Self {
            index: view.index(),
            direct: dependents(Listing::Direct(optional)),
            recursive: dependents(Listing::Recursive(Options::default())),
            tested: dependents(Listing::Direct(Options { with_test: true, ..optional })),
            required: dependents(Listing::Direct(Options::default())),
        }
    }

    /// Whether a package's `depends` accepts another, tests aside.
    pub(super) fn requires(&self, package: PackageId, other: PackageId) -> bool {
        self.required.depends(package, other)
    }
}
