//! Why a package is built again: its way to what changed, through the packages that it is built with.

use super::entry::{RebuildJob, RebuildReason, Relation};
use super::relations::Relations;
use super::selections::FoundSelection;
use opam_parser::index::PackageId;

/// A job, and the shortest way through one of its selections to a changed package; `None` where there is no
/// way in any. The job's stage is found later; until then its needs are all that is needed.
pub(super) fn job(found: Vec<FoundSelection>) -> (RebuildJob, Option<Vec<PackageId>>) {
    let paths =
        found.iter().flat_map(|found| found.selection.with.iter().filter_map(|target| found.needed.path_to(*target)));
    let path = paths.min_by_key(Vec::len);
    let mut needs: Vec<PackageId> = found.iter().flat_map(|found| found.needed.packages()).collect();
    needs.sort_unstable();
    needs.dedup();
    let selections = found.into_iter().map(|found| found.selection).collect();
    (RebuildJob { stage: 0, needs, selections }, path)
}

/// The reason of a package whose way to what changed is known; without one, of one that could be with the
/// changed package by another choice of versions.
pub(super) fn reason(
    relations: &Relations<'_, '_>,
    package: PackageId,
    changed: PackageId,
    path: Option<Vec<PackageId>>,
    is_built: bool,
) -> RebuildReason {
    let relation = match path.as_ref().and_then(|path| path.get(1)) {
        None => Relation::Possible,
        Some(next) if relations.requires(package, *next) => Relation::Depends,
        Some(_) if is_built => Relation::Depopts,
        Some(_) => Relation::Tests,
    };
    RebuildReason { path: path.unwrap_or_else(|| vec![package, changed]), relation }
}
