//! The one version of a name that is taken where only one is wanted (rule D18).

use super::ids::PackageId;
use super::storage::Index;
use crate::file::Flags;

/// What a version is worth where one of a name is wanted, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    Unavailable,
    ToAvoid,
    Best,
}

impl Index {
    /// Whether opam avoids a version: it has the flag `avoid-version` or `deprecated` (rule S19).
    fn is_to_avoid(&self, package: PackageId) -> bool {
        let flags = self.flags(package);
        flags.intersects(Flags::AVOID_VERSION) || flags.intersects(Flags::DEPRECATED)
    }

    /// One package of each name that candidates in opam's order have (rule D18): the newest that is available and not
    /// to be avoided; if there is none, the newest that is available; else the newest.
    ///
    /// A view knows what its platform has, and has this as a method. Where no platform is known, all are available.
    pub fn newest_of_each_name(
        &self,
        candidates: &[PackageId],
        is_available: impl Fn(PackageId) -> bool,
    ) -> Vec<PackageId> {
        let same = |a: &PackageId, b: &PackageId| self.package_name(*a) == self.package_name(*b);
        let worth = |package: PackageId| match is_available(package) {
            false => Worth::Unavailable,
            true if self.is_to_avoid(package) => Worth::ToAvoid,
            true => Worth::Best,
        };
        candidates.chunk_by(same).filter_map(|of_name| newest(of_name, worth)).collect()
    }
}

/// Of versions of one name, oldest first, the newest of those that are worth most; `None` if there are none.
fn newest(versions: &[PackageId], worth: impl Fn(PackageId) -> Worth) -> Option<PackageId> {
    let mut found: Option<(PackageId, Worth)> = None;
    for package in versions.iter().rev() {
        let worth = worth(*package);
        if found.is_none_or(|(_, known)| worth > known) {
            found = Some((*package, worth));
        }
        if worth == Worth::Best {
            break;
        }
    }
    found.map(|(package, _)| package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_the_best() {
        let versions = [1, 2, 5, 7].map(PackageId);
        let of = |worths: [Worth; 4]| {
            newest(&versions, |package| worths[versions.iter().position(|other| *other == package).unwrap_or_default()])
        };
        use Worth::{Best, ToAvoid, Unavailable};
        assert_eq!(of([Best, Best, Best, Best]), Some(PackageId(7)));
        assert_eq!(of([Best, Best, ToAvoid, Unavailable]), Some(PackageId(2)));
        assert_eq!(of([ToAvoid, ToAvoid, Unavailable, Unavailable]), Some(PackageId(2)));
        assert_eq!(of([Unavailable, Unavailable, Unavailable, Unavailable]), Some(PackageId(7)));
        assert_eq!(newest(&[], |_| Best), None);
    }
}
