//! Sets of versions of one package, as bits: bit 0 is the state "not installed", bit `p + 1` the version at
//! position `p`, the oldest being at position 0.
//!
//! No name of opam-repository has more than 96 versions, so two words hold nearly every mask.

use crate::value::Value;
use smallvec::{SmallVec, smallvec};

/// A set of versions of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask(SmallVec<[u64; 2]>);

const fn word(value: Value) -> usize {
    value.bit() / 64
}

const fn bit(value: Value) -> u64 {
    1 << (value.bit() % 64)
}

impl Mask {
    /// No version, for a name with `versions` of them.
    pub fn empty(versions: usize) -> Self {
        Self(smallvec![0; versions / 64 + 1])
    }

    /// All versions of a name that has `versions` of them; not "not installed".
    pub fn all(versions: usize) -> Self {
        Self::range(versions, 0, versions)
    }

    /// The versions from position `start` up to and without `end`.
    pub fn range(versions: usize, start: usize, end: usize) -> Self {
        let mut mask = Self::empty(versions);
        for (place, word) in mask.0.iter_mut().enumerate() {
            let base = place * 64;
            let below = |position: usize| match Value::at(position).bit().saturating_sub(base) {
                0 => 0,
                inside @ 1..64 => (1_u64 << inside) - 1,
                _ => u64::MAX,
            };
            *word = below(end) & !below(start);
        }
        mask
    }

    /// Everything that is not in it, for a name with `versions` of them; "not installed" included, as it
    /// is in no mask that was made of versions.
    #[must_use]
    pub fn complement(&self, versions: usize) -> Self {
        let mut rest = Self::all(versions);
        rest.0[word(Value::ABSENT)] |= bit(Value::ABSENT);
        rest.subtract(self);
        rest
    }

    /// Whether all of it is in `other`.
    pub fn subset_of(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(word, other)| word & !other == 0)
    }

    /// Adds the version at a position, which has to be one of the name's.
    pub fn insert(&mut self, position: usize) {
        let value = Value::at(position);
        self.0[word(value)] |= bit(value);
    }

    /// Whether the version at a position is in it.
    pub fn contains(&self, position: usize) -> bool {
        let value = Value::at(position);
        self.0.get(word(value)).is_some_and(|word| word & bit(value) != 0)
    }

    /// Whether there is none in it.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Keeps what is also in `other`.
    pub fn intersect(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word &= other);
    }

    /// Adds what is in `other`.
    pub fn unite(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }

    /// Removes what is in `other`.
    pub fn subtract(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word &= !other);
    }

    /// Whether the two share a version.
    pub fn intersects(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(word, other)| word & other != 0)
    }

    /// The bits, 64 a word.
    pub fn words(&self) -> &[u64] {
        &self.0
    }

    /// The positions of the versions in it, oldest first.
    pub fn positions(&self) -> impl Iterator<Item = usize> + '_ {
        (0..).zip(&self.0).flat_map(|(place, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(Value::from_bit(place * 64 + bit))
            })
            .filter_map(Value::position)
        })
    }
}
