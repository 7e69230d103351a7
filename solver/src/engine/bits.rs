//! Sets of values of a fixed width, on the stack: what the engine computes with.

use crate::mask::Mask;
use crate::value::Value;
use std::fmt;

/// The words of the widest sets: 16,383 alternatives. A formula has at most
/// [`MAX_ATOMS`](opam_parser::formula::MAX_ATOMS), a name in an index at most
/// [`Limit::Versions`](opam_parser::source::Limit::Versions).
pub(crate) const WIDEST: usize = 256;

/// A set of values: up to `64 * W - 1` alternatives and "not there". Bits beyond those that exist are never
/// chosen, so a complement may contain them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bits<const W: usize>([u64; W]);

impl<const W: usize> Bits<W> {
    /// How many values fit.
    pub(crate) const CAPACITY: usize = 64 * W;

    /// No value.
    pub(crate) const EMPTY: Self = Self([0; W]);

    /// Every value.
    pub(crate) const FULL: Self = Self([u64::MAX; W]);

    /// Whether this many alternatives fit.
    pub(crate) const fn have_room_for(alternatives: usize) -> bool {
        alternatives < Self::CAPACITY
    }

    pub(crate) fn of(mask: &Mask) -> Self {
        let mut bits = [0; W];
        bits.iter_mut().zip(mask.words()).for_each(|(bits, word)| *bits = *word);
        Self(bits)
    }

    pub(crate) fn singleton(value: Value) -> Self {
        let mut bits = [0; W];
        bits[value.bit() / 64] = 1 << (value.bit() % 64);
        Self(bits)
    }

    /// The values that stand for the first `count` alternatives, without "not there".
    pub(crate) fn alternatives(count: usize) -> Self {
        let mut bits = Self::EMPTY;
        for (place, word) in bits.0.iter_mut().enumerate() {
            *word = match Value::at(count).bit().saturating_sub(place * 64) {
                0 => 0,
                inside @ 1..64 => (1_u64 << inside) - 1,
                _ => u64::MAX,
            };
        }
        bits.without(&Self::singleton(Value::ABSENT))
    }

    pub(crate) fn contains(&self, value: Value) -> bool {
        self.0.get(value.bit() / 64).is_some_and(|word| word >> (value.bit() % 64) & 1 == 1)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// The only value in it, if there is just one.
    pub(crate) fn single(&self) -> Option<Value> {
        let mut found = None;
        for (place, word) in self.0.iter().enumerate() {
            if *word != 0 {
                if found.is_some() || word & (word - 1) != 0 {
                    return None;
                }
                found = Some(Value::from_bit(place as u32 * 64 + word.trailing_zeros()));
            }
        }
        found
    }

    pub(crate) fn lowest(&self) -> Option<Value> {
        let place = self.0.iter().position(|word| *word != 0)?;
        Some(Value::from_bit(place as u32 * 64 + self.0[place].trailing_zeros()))
    }

    pub(crate) fn highest(&self) -> Option<Value> {
        let place = self.0.iter().rposition(|word| *word != 0)?;
        Some(Value::from_bit(place as u32 * 64 + 63 - self.0[place].leading_zeros()))
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
    pub(crate) fn iter(&self) -> impl Iterator<Item = Value> + '_ {
        self.0.iter().enumerate().flat_map(|(place, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(Value::from_bit(place as u32 * 64 + bit))
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
