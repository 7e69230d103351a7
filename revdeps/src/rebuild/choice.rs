//! Which of the versions of one name a policy takes.

use super::attempt::Attempt;
use super::dependents::{Dependent, VersionGroup};
use super::entry::RebuildEntry;
use super::policy::Versions;
use caravan_solver::{SolveError, Stopped};
use opam_parser::index::PackageId;

/// What a policy makes of the versions of one name.
#[derive(Debug, Default)]
pub(super) struct ChosenVersions {
    pub(super) entries: Vec<RebuildEntry>,
    pub(super) not_together: Vec<PackageId>,
    pub(super) unused: Vec<PackageId>,
    pub(super) other_version: Vec<PackageId>,
    pub(super) not_told: Vec<PackageId>,
}

/// Tries the versions of a name that the policy wants, newest first.
pub(super) fn choose(
    versions: Versions,
    group: &VersionGroup,
    attempt: &dyn Fn(&Dependent) -> Result<Attempt, SolveError>,
) -> Result<ChosenVersions, SolveError> {
    let mut chosen = ChosenVersions::default();
    // Changed packages that some version could still be built with.
    let mut open: Vec<PackageId> = group.dependents.iter().flat_map(Dependent::changed).collect();
    for (position, dependent) in group.dependents.iter().enumerate() {
        let wanted = match versions {
            Versions::Latest => position == 0 && group.newest_depends,
            Versions::NewestUsing => dependent.changed().iter().any(|target| open.contains(target)),
            Versions::All => true,
        };
        if !wanted {
            chosen.other_version.push(dependent.package);
            continue;
        }
        let attempted = match attempt(dependent) {
            Err(SolveError::Stopped(Stopped::Steps)) => {
                chosen.not_told.push(dependent.package);
                continue;
            }
            attempted => attempted?,
        };
        match attempted {
            Attempt::Entry(entry) => {
                let with = entry.with();
                open.retain(|target| !with.contains(target));
                chosen.entries.push(*entry);
            }
            Attempt::NotTogether => chosen.not_together.push(dependent.package),
            Attempt::Unused => chosen.unused.push(dependent.package),
        }
    }
    Ok(chosen)
}
