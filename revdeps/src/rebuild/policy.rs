//! Which versions of what depends on a change are worth a build: what one can ask for.

use crate::changes::{ChangeKind, PackageChange};
use serde::{Deserialize, Serialize};

/// Which dependents are built and tested again. Wanting more never loses an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Which versions of each name.
    pub versions: Versions,
    /// Also versions with `avoid-version` or `deprecated`.
    pub avoided: bool,
    /// Also what nobody maintains: `x-maintenance-intent` says `(none)`, or it lies in an archive.
    pub abandoned: bool,
    /// Which tests.
    pub tests: TestPolicy,
    /// Also because of changes that are significant to opam-repo-ci but can affect neither solving nor
    /// building, such as a bound that only tests see.
    pub any_significant: bool,
}

impl Policy {
    /// What opam-repo-ci builds and tests: everything that can be installed with the change.
    pub const LIKE_OPAM_REPO_CI: Self = Self {
        versions: Versions::All,
        avoided: true,
        abandoned: true,
        tests: TestPolicy::Direct,
        any_significant: true,
    };

    /// Whether a change is a reason to build anything else again.
    pub(super) fn counts(&self, change: &PackageChange) -> bool {
        change.concerns_dependents() || self.any_significant && change.kind == ChangeKind::SignificantlyChanged
    }
}

/// Which versions of a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Versions {
    /// The latest release that the platform has, if it depends on the change.
    Latest,
    /// For each changed package the newest that can be installed with it: where the latest release does not
    /// use it any more or cannot be with it, an older one, whose bounds may be too wide.
    #[default]
    NewestUsing,
    /// All.
    All,
}

/// Which tests are run again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TestPolicy {
    /// None: builds only.
    None,
    /// Of what is built again, and of what has tests that use the change directly, as opam-repo-ci has it.
    #[default]
    Direct,
    /// Also of what has tests that use the change through others: of a test library's dependency, the tests
    /// of half the repository.
    Recursive,
}
