//! Series of OCaml releases: what is above the newest one that has a release is being developed.

use opam_parser::file::Flags;
use opam_parser::index::{Index, PackageId};
use opam_parser::version;
use std::cmp::Ordering;

/// The package whose versions say which version of OCaml is released.
pub(super) const COMPILER: &str = "ocaml-base-compiler";

/// A version of OCaml without its last number: `5.4`.
#[derive(PartialEq, Eq)]
pub(super) struct Series(String);

impl Series {
    /// The series of a version.
    pub(super) fn of(version: &str) -> Self {
        let end = version.match_indices(['.', '~', '+']).nth(1).map_or(version.len(), |(end, _)| end);
        Self(version[..end].to_owned())
    }

    /// The newest series of which a version is released.
    pub(super) fn newest_released(index: &Index) -> Option<Self> {
        let is_released = |package: &PackageId| !index.flags(*package).intersects(Flags::AVOID_VERSION);
        let newest = index.versions_of(index.find_name(COMPILER)?).rev().find(is_released)?;
        Some(Self::of(index.version(index.package_version(newest))))
    }
}

impl Ord for Series {
    fn cmp(&self, other: &Self) -> Ordering {
        version::compare(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl PartialOrd for Series {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::Series;

    #[test]
    fn series_have_two_numbers() {
        for (version, series) in [("5.4.1", "5.4"), ("5.5.0~beta1", "5.5"), ("4.14.2+options", "4.14"), ("5", "5")] {
            assert_eq!(Series::of(version).0, series);
        }
        assert!(Series::of("5.10.0") > Series::of("5.9.1"));
    }
}
