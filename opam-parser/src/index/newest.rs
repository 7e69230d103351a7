//! The one version of a name that is taken where only one is wanted.

use super::ids::PackageId;

/// Of versions of one name, oldest first, the newest that is not to be avoided; if all are to be avoided,
/// the newest; `None` if there are none.
///
/// What counts as a candidate (what a platform has, what can be installed) and what is to be avoided
/// (`avoid-version`, what a dialect of opam says) is the caller's business.
pub fn newest(
    candidates: impl DoubleEndedIterator<Item = PackageId>,
    is_avoided: impl Fn(PackageId) -> bool,
) -> Option<PackageId> {
    let mut newest = None;
    for package in candidates.rev() {
        if !is_avoided(package) {
            return Some(package);
        }
        newest = newest.or(Some(package));
    }
    newest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_to_avoid_is_taken_only_where_there_is_no_other() {
        let candidates = || [1, 2, 5].map(PackageId).into_iter();
        assert_eq!(newest(candidates(), |_| false), Some(PackageId(5)));
        assert_eq!(newest(candidates(), |package| package.0 > 2), Some(PackageId(2)));
        assert_eq!(newest(candidates(), |_| true), Some(PackageId(5)));
        assert_eq!(newest(std::iter::empty(), |_| false), None);
    }
}
