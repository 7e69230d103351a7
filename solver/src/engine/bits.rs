//! Masks of a fixed width: what PubGrub computes with.

use crate::mask::Mask;
use pubgrub::VersionSet;
use std::fmt;

/// A set of up to `64 * W` alternatives. Bits beyond those that exist are never chosen, so a
/// complement may contain them.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Bits<const W: usize>([u64; W]);

impl<const W: usize> Bits<W> {
    /// How many alternatives fit.
    pub(super) const CAPACITY: usize = 64 * W;

    pub(super) fn of(mask: &Mask) -> Self {
        let mut bits = [0; W];
        bits.iter_mut().zip(mask.words()).for_each(|(bits, word)| *bits = *word);
        Self(bits)
    }

    /// All but those in the mask: what is left beside a conflict.
    pub(super) fn excluding(mask: &Mask) -> Self {
        Self::of(mask).complement()
    }

    pub(super) fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    pub(super) fn lowest(&self) -> Option<u32> {
        let place = self.0.iter().position(|word| *word != 0)?;
        Some(place as u32 * 64 + self.0[place].trailing_zeros())
    }

    pub(super) fn highest(&self) -> Option<u32> {
        let place = self.0.iter().rposition(|word| *word != 0)?;
        Some(place as u32 * 64 + 63 - self.0[place].leading_zeros())
    }

    fn zip(&self, other: &Self, combine: impl Fn(u64, u64) -> u64) -> Self {
        Self(std::array::from_fn(|place| combine(self.0[place], other.0[place])))
    }
}

impl<const W: usize> VersionSet for Bits<W> {
    type V = u32;

    fn empty() -> Self {
        Self([0; W])
    }

    fn full() -> Self {
        Self([u64::MAX; W])
    }

    fn singleton(bit: u32) -> Self {
        let mut bits = [0; W];
        bits[bit as usize / 64] = 1 << (bit % 64);
        Self(bits)
    }

    fn complement(&self) -> Self {
        Self(self.0.map(|word| !word))
    }

    fn intersection(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    fn union(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a | b)
    }

    fn contains(&self, bit: &u32) -> bool {
        self.0[*bit as usize / 64] >> (bit % 64) & 1 == 1
    }

    fn is_disjoint(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a & b == 0)
    }

    fn subset_of(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a & !b == 0)
    }
}

impl<const W: usize> fmt::Debug for Bits<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x?}", self.0)
    }
}

impl<const W: usize> fmt::Display for Bits<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
