//! The versions of one name, which have consecutive ids.

use super::ids::PackageId;
use std::iter::FusedIterator;
use std::ops::Range;

/// Consecutive packages: the versions of one name, oldest first ([`super::Index::package_range`]).
///
/// The *position* of a package is how many older versions its name has: 0 for the oldest, `len() - 1` for
/// the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PackageRange {
    /// The id of the oldest version.
    pub(crate) start: u32,
    /// One more than the id of the newest version.
    pub(crate) end: u32,
}

impl PackageRange {
    /// How many versions there are.
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }

    /// Whether there is none: the name is only mentioned.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether a package is one of them.
    pub fn contains(self, package: PackageId) -> bool {
        (self.start..self.end).contains(&package.0)
    }

    /// The position of a package, `None` if it is not one of them.
    pub fn position(self, package: PackageId) -> Option<usize> {
        self.contains(package).then(|| (package.0 - self.start) as usize)
    }

    /// The package at a position, `None` if there are not so many.
    pub fn get(self, position: usize) -> Option<PackageId> {
        (position < self.len()).then(|| PackageId(self.start + position as u32))
    }

    /// The oldest.
    pub fn first(self) -> Option<PackageId> {
        self.get(0)
    }

    /// The newest.
    pub fn last(self) -> Option<PackageId> {
        self.get(self.len().checked_sub(1)?)
    }

    /// The packages at the given positions, in the order of these. Positions that do not exist are left out.
    pub fn packages_at(self, positions: impl IntoIterator<Item = usize>) -> impl Iterator<Item = PackageId> {
        positions.into_iter().filter_map(move |position| self.get(position))
    }

    /// All of them, oldest first.
    pub fn iter(self) -> PackageIter {
        PackageIter(self.start..self.end)
    }

    /// The position of the first package for which `is_below` does not hold, found by binary search:
    /// `is_below` has to hold for none but the first few. `len()` if it holds for all.
    pub fn partition_point(self, is_below: impl Fn(PackageId) -> bool) -> usize {
        let (mut low, mut high) = (self.start, self.end);
        while low < high {
            let middle = u32::midpoint(low, high);
            match is_below(PackageId(middle)) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low.saturating_sub(self.start) as usize
    }

    /// Where the first of them lies in a slice that is sorted; found by one binary search. In a selection, which has one
    /// version of a name at most, it is the only one.
    pub fn first_index_in(self, sorted: &[PackageId]) -> Option<usize> {
        let first = sorted.partition_point(|package| package.0 < self.start);
        sorted.get(first).is_some_and(|package| package.0 < self.end).then_some(first)
    }

    /// Where they lie in a slice that is sorted and has no package twice; found by binary search. Empty if
    /// none is in it.
    fn indices_in(self, sorted: &[PackageId]) -> Range<usize> {
        let first = sorted.partition_point(|package| package.0 < self.start);
        let rest = &sorted[first..];
        let rest = &rest[..rest.len().min(self.len())];
        first..first + rest.partition_point(|package| package.0 < self.end)
    }

    /// Those of a slice that is sorted and has no package twice; found by binary search.
    pub fn part_of(self, sorted: &[PackageId]) -> &[PackageId] {
        &sorted[self.indices_in(sorted)]
    }
}

impl IntoIterator for PackageRange {
    type Item = PackageId;
    type IntoIter = PackageIter;

    fn into_iter(self) -> PackageIter {
        self.iter()
    }
}

/// The packages of a [`PackageRange`], oldest first.
#[derive(Clone, Debug)]
pub struct PackageIter(Range<u32>);

impl Iterator for PackageIter {
    type Item = PackageId;

    fn next(&mut self) -> Option<PackageId> {
        self.0.next().map(PackageId)
    }

    fn nth(&mut self, count: usize) -> Option<PackageId> {
        self.0.nth(count).map(PackageId)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl DoubleEndedIterator for PackageIter {
    fn next_back(&mut self) -> Option<PackageId> {
        self.0.next_back().map(PackageId)
    }
}

impl ExactSizeIterator for PackageIter {}

impl FusedIterator for PackageIter {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_and_packages_are_inverse() {
        let range = PackageRange { start: 3, end: 6 };
        assert_eq!(range.iter().filter_map(|package| range.position(package)).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(range.packages_at([2, 3, 0]).collect::<Vec<_>>(), [PackageId(5), PackageId(3)]);
        assert_eq!((range.first(), range.last()), (Some(PackageId(3)), Some(PackageId(5))));
        assert_eq!((range.position(PackageId(2)), range.position(PackageId(6)), range.get(3)), (None, None, None));
        assert_eq!([0, 4, 9].map(|from| range.partition_point(|package| package.0 < from)), [0, 1, 3]);
        let none = PackageRange { start: 4, end: 4 };
        assert!(none.is_empty() && none.last().is_none() && !none.contains(PackageId(4)));
    }

    #[test]
    fn a_sorted_slice_is_searched_for_a_range() {
        let sorted = [0, 2, 3, 5, 6, 9].map(PackageId);
        let range = |start, end| PackageRange { start, end };
        assert_eq!(range(3, 6).part_of(&sorted), [PackageId(3), PackageId(5)]);
        assert_eq!(range(3, 6).indices_in(&sorted), 2..4);
        assert_eq!(range(7, 9).indices_in(&sorted), 5..5);
        assert_eq!(range(10, 12).indices_in(&sorted), 6..6);
        assert_eq!(range(0, 1).part_of(&sorted), [PackageId(0)]);
        assert!(range(4, 4).part_of(&sorted).is_empty());
    }
}
