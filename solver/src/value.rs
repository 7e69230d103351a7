//! How the versions of a name are numbered where sets of them are bits.

use opam_parser::index::{PackageId, PackageRange};
use std::fmt;

/// A value of a variable of the search, and a bit of the sets of them: 0 is "not installed" (of a
/// disjunction: "not needed"), `p + 1` the version at position `p`, the oldest being 0 (of a disjunction:
/// the branch at position `p` as written; of a conflict class: its member).
///
/// This is the only place that knows of the `+ 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Value(u32);

impl Value {
    /// "Not installed" or "not needed".
    pub(crate) const ABSENT: Self = Self(0);

    /// The value that stands for the alternative at a position.
    pub(crate) const fn at(position: usize) -> Self {
        Self(position as u32 + 1)
    }

    /// The position of the alternative that it stands for; `None` for [`Value::ABSENT`].
    pub(crate) fn position(self) -> Option<usize> {
        Some(self.0.checked_sub(1)? as usize)
    }

    /// The package that it stands for among the versions of a name; `None` for [`Value::ABSENT`].
    pub(crate) fn package(self, versions: PackageRange) -> Option<PackageId> {
        versions.get(self.position()?)
    }

    /// The bit that stands for it in a set.
    pub(crate) const fn bit(self) -> usize {
        self.0 as usize
    }

    /// The value that a bit stands for.
    pub(crate) const fn from_bit(bit: u32) -> Self {
        Self(bit)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::Value;

    #[test]
    fn absence_comes_before_the_first_version() {
        assert_eq!(Value::ABSENT.position(), None);
        assert_eq!(Value::at(0).position(), Some(0));
        assert_eq!(Value::from_bit(1), Value::at(0));
        assert!(Value::ABSENT < Value::at(0));
    }
}
