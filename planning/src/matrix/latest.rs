//! The rows of a matrix where not every version is one.

use opam_parser::index::{Index, PackageId};

/// One package of each name that candidates in opam's order have: the newest that is not to be avoided; if there is
/// none, the newest. That is rule D18 where no platform is known: a row is for all platforms of a matrix.
pub fn latest(index: &Index, candidates: &[PackageId]) -> Vec<PackageId> {
    index.newest_of_each_name(candidates, |_| true)
}
