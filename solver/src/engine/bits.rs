//! Sets of values of a fixed width, on the stack: what the engine computes with.

use crate::mask::Mask;
use std::fmt;

/// A set of up to `64 * W` alternatives. Bits beyond those that exist are never chosen, so a
/// complement may contain them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bits<const W: usize>([u64; W]);

impl<const W: usize> Bits<W> {
    /// How many alternatives fit.
    pub(crate) const CAPACITY: usize = 64 * W;

    pub(crate) fn of(mask: &Mask) -> Self {
        let mut bits = [0; W];
        bits.iter_mut().zip(mask.words()).for_each(|(bits, word)| *bits = *word);
        Self(bits)
    }

    pub(crate) const EMPTY: Self = Self([0; W]);

    pub(crate) const FULL: Self = Self([u64::MAX; W]);

    pub(crate) fn singleton(bit: u32) -> Self {
        let mut bits = [0; W];
        bits[bit as usize / 64] = 1 << (bit % 64);
        Self(bits)
    }

    /// The values from `start` up to and without `end`.
    pub(crate) fn range(start: u32, end: u32) -> Self {
        let mut bits = Self::EMPTY;
        for (place, word) in bits.0.iter_mut().enumerate() {
            let below = |bit: u32| match bit.saturating_sub(place as u32 * 64) {
                0 => 0,
                inside @ 1..64 => (1_u64 << inside) - 1,
                _ => u64::MAX,
            };
            *word = below(end) & !below(start);
        }
        bits
    }

    pub(crate) fn contains(&self, bit: u32) -> bool {
        self.0[bit as usize / 64] >> (bit % 64) & 1 == 1
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// The only value in it, if there is just one.
    pub(crate) fn single(&self) -> Option<u32> {
        let mut found = None;
        for (place, word) in self.0.iter().enumerate() {
            if *word != 0 {
                if found.is_some() || word & (word - 1) != 0 {
                    return None;
                }
                found = Some(place as u32 * 64 + word.trailing_zeros());
            }
        }
        found
    }

    pub(crate) fn lowest(&self) -> Option<u32> {
        let place = self.0.iter().position(|word| *word != 0)?;
        Some(place as u32 * 64 + self.0[place].trailing_zeros())
    }

    pub(crate) fn highest(&self) -> Option<u32> {
        let place = self.0.iter().rposition(|word| *word != 0)?;
        Some(place as u32 * 64 + 63 - self.0[place].leading_zeros())
    }

    pub(crate) fn complement(&self) -> Self {
        Self(self.0.map(|word| !word))
    }

    pub(crate) fn and(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    pub(crate) fn or(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a | b)
    }

    pub(crate) fn without(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a & !b)
    }

    pub(crate) fn intersects(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    pub(crate) fn subset_of(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a & !b == 0)
    }

    /// The values in it, lowest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().enumerate().flat_map(|(place, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(place as u32 * 64 + bit)
            })
        })
    }

    fn zip(&self, other: &Self, combine: impl Fn(u64, u64) -> u64) -> Self {
        Self(std::array::from_fn(|place| combine(self.0[place], other.0[place])))
    }
}

impl<const W: usize> fmt::Debug for Bits<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x?}", self.0)
    }
}
