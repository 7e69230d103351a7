//! Which versions of what depends on a change are worth a build.

use super::candidates::{Candidate, Group};
use super::{Attempt, Entry};
use caravan_solver::SolveError;
use opam_parser::index::PackageId;
use serde::{Deserialize, Serialize};

/// Which dependents are built and tested again. Wanting more never loses an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Which versions of each name.
    pub versions: Versions,
    /// Also versions with `avoid-version` or `deprecated`.
    pub avoided: bool,
    /// Also what nobody maintains: `x-maintenance-intent` says `(none)`, or it lies in an archive.
    pub abandoned: bool,
    /// Tests, too.
    pub tests: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self { versions: Versions::default(), avoided: false, abandoned: false, tests: true }
    }
}

/// Which versions of a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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

/// What a policy makes of the versions of one name.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    pub(super) entries: Vec<Entry>,
    pub(super) not_together: Vec<PackageId>,
    pub(super) unused: Vec<PackageId>,
    pub(super) other_version: Vec<PackageId>,
}

type Try<'a> = dyn Fn(&Candidate) -> Result<Attempt, SolveError> + 'a;

impl Policy {
    pub(super) fn choose(&self, group: &Group, attempt: &Try<'_>) -> Result<Chosen, SolveError> {
        let mut chosen = Chosen::default();
        // Changed packages that some version could still be built with.
        let of = |candidate: &Candidate| -> Vec<PackageId> {
            candidate.build.iter().chain(&candidate.test).copied().collect()
        };
        let mut open: Vec<PackageId> = group.candidates.iter().flat_map(of).collect();
        for (place, candidate) in group.candidates.iter().enumerate() {
            let wanted = match self.versions {
                Versions::Latest => place == 0 && group.newest_is_candidate,
                Versions::NewestUsing => of(candidate).iter().any(|target| open.contains(target)),
                Versions::All => true,
            };
            if !wanted {
                chosen.other_version.push(candidate.package);
                continue;
            }
            match attempt(candidate)? {
                Attempt::Entry(entry) => {
                    let with = entry.with();
                    open.retain(|target| !with.contains(target));
                    chosen.entries.push(*entry);
                }
                Attempt::NotTogether => chosen.not_together.push(candidate.package),
                Attempt::Unused => chosen.unused.push(candidate.package),
            }
        }
        Ok(chosen)
    }
}
