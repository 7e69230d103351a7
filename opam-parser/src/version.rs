//! Versions and their order.
//!
//! opam's order is Debian's without epochs (`docs/semantics.md`, rule V1; opam,
//! `opamVersionCompare.ml`): a version splits at its *last* `-` into upstream and revision, and each
//! part is compared by runs: a run of non-digits by character, where `~` comes before the end of the
//! part, letters come next and everything else last; then a run of digits by its number. Versions
//! that compare equal (`1.0` and `1.00`) *are* the same version everywhere (rule N5), which is why
//! [`Version`] is equal by this order and hashes nothing: keep versions in ordered collections.

use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize};
use std::cmp::Ordering;
use std::fmt;

/// A version as it is written; `Eq` and `Ord` are opam's.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Version(CompactString);

impl Version {
    /// Checks that the text may be a version: not empty, and of `A-Z a-z 0-9 . _ + ~ -` (rule N2).
    pub fn new(text: &str) -> Option<Self> {
        is_valid(text.as_bytes()).then(|| Self(text.into()))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether the bytes may be a version (rule N2).
pub fn is_valid(text: &[u8]) -> bool {
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || b"._+~-".contains(b);
    !text.is_empty() && text.iter().all(allowed)
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = CompactString::deserialize(deserializer)?;
        Self::new(&text).ok_or_else(|| serde::de::Error::custom(format_args!("`{text}` is not a version")))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

/// Compares any two texts as versions. A total preorder on all byte strings; allocates nothing.
pub fn compare(a: &[u8], b: &[u8]) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    let (a_upstream, a_revision) = split(a);
    let (b_upstream, b_revision) = split(b);
    compare_part(a_upstream, b_upstream).then_with(|| compare_part(a_revision, b_revision))
}

fn split(version: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memrchr(b'-', version) {
        Some(at) => (&version[..at], &version[at + 1..]),
        None => (version, b""),
    }
}

/// Where a byte that is no digit sorts; the end of the part, and a digit, weigh 0.
fn weight(byte: Option<&u8>) -> i32 {
    match byte {
        Some(b'~') => -1,
        None => 0,
        Some(b) if b.is_ascii_digit() => 0,
        Some(b) if b.is_ascii_alphabetic() => i32::from(*b),
        Some(b) => i32::from(*b) + 256,
    }
}

fn compare_part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    let is_text = |part: &[u8]| part.first().is_some_and(|byte| !byte.is_ascii_digit());
    while !a.is_empty() || !b.is_empty() {
        while is_text(a) || is_text(b) {
            match weight(a.first()).cmp(&weight(b.first())) {
                Ordering::Equal => {}
                unequal => return unequal,
            }
            // Equal weights here mean equal bytes, so neither side is at its end.
            a = &a[1..];
            b = &b[1..];
        }
        let (a_number, a_rest) = take_number(a);
        let (b_number, b_rest) = take_number(b);
        let by_number = a_number.len().cmp(&b_number.len()).then_with(|| a_number.cmp(b_number));
        if by_number.is_ne() {
            return by_number;
        }
        (a, b) = (a_rest, b_rest);
    }
    Ordering::Equal
}

/// The leading digits without leading zeros, and what follows.
fn take_number(part: &[u8]) -> (&[u8], &[u8]) {
    let digits = part.iter().take_while(|b| b.is_ascii_digit()).count();
    let zeros = part[..digits].iter().take_while(|&&b| b == b'0').count();
    (&part[zeros..digits], &part[digits..])
}
