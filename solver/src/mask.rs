//! Sets of versions of one package, as bits.
//!
//! Bit 0 is the state "not installed"; bit *i* + 1 is the *i*-th version of the name, oldest first.
//! No name of opam-repository has more than 96 versions, so two words hold nearly every mask.

use smallvec::{SmallVec, smallvec};

/// A set of versions of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask(SmallVec<[u64; 2]>);

/// The bit for "not installed".
pub const ABSENT: u32 = 0;

impl Mask {
    /// No version, for a name with `versions` of them.
    pub fn empty(versions: usize) -> Self {
        Self(smallvec![0; versions / 64 + 1])
    }

    /// All versions of a name that has `versions` of them; not "not installed".
    pub fn all(versions: usize) -> Self {
        Self::range(versions, 0, versions)
    }

    /// The versions from place `start` up to and without `end`.
    pub fn range(versions: usize, start: usize, end: usize) -> Self {
        let mut mask = Self::empty(versions);
        for (place, word) in mask.0.iter_mut().enumerate() {
            let base = place * 64;
            let below = |bit: usize| match bit.saturating_sub(base) {
                0 => 0,
                1..64 => (1_u64 << (bit - base)) - 1,
                _ => u64::MAX,
            };
            *word = below(end + 1) & !below(start + 1);
        }
        mask
    }

    /// Everything that is not in it, for a name with `versions` of them; "not installed" included, as it
    /// is in no mask that was made of versions.
    #[must_use]
    pub fn complement(&self, versions: usize) -> Self {
        let mut rest = Self::all(versions);
        rest.0[0] |= 1 << ABSENT;
        rest.subtract(self);
        rest
    }

    /// Whether all of it is in `other`.
    pub fn subset_of(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(word, other)| word & !other == 0)
    }

    /// Adds the version at a place.
    pub fn insert(&mut self, place: usize) {
        self.0[(place + 1) / 64] |= 1 << ((place + 1) % 64);
    }

    /// Whether the version at a place is in it.
    pub fn contains(&self, place: usize) -> bool {
        self.0.get((place + 1) / 64).is_some_and(|word| word >> ((place + 1) % 64) & 1 == 1)
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

    /// Places of the versions in it, oldest first.
    pub fn places(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(place, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
                rest &= rest - 1;
                (place * 64 + bit).checked_sub(1)
            })
        })
    }
}
