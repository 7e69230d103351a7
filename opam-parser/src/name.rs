//! Package names, `NAME.VERSION`, and the order in which opam lists both.

use crate::version::Version;
use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;

/// A package name: `A-Z a-z 0-9 _ + -` with at least one letter (`docs/semantics.md`, rule N1).
/// Ordered as opam lists names ([`compare_case`]).
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct PackageName(CompactString);

impl PackageName {
    /// The name, if the text may be one.
    pub fn new(text: &str) -> Option<Self> {
        is_valid(text.as_bytes()).then(|| Self(text.into()))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether the bytes may be a package name (rule N1).
pub fn is_valid(text: &[u8]) -> bool {
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || b"_+-".contains(b);
    text.iter().all(allowed) && text.iter().any(u8::is_ascii_alphabetic)
}

impl<'de> Deserialize<'de> for PackageName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = CompactString::deserialize(deserializer)?;
        Self::new(&text).ok_or_else(|| serde::de::Error::custom(format_args!("`{text}` is not a package name")))
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for PackageName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Ord for PackageName {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_case(&self.0, &other.0)
    }
}

impl PartialOrd for PackageName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The order of names in every listing (rule N4; opam, `OpamStd.String.compare_case`): at each
/// position first by the letter without its case, then by the byte itself, then the shorter first.
pub fn compare_case(a: &str, b: &str) -> Ordering {
    for (x, y) in a.bytes().zip(b.bytes()) {
        let order = x.to_ascii_lowercase().cmp(&y.to_ascii_lowercase()).then(x.cmp(&y));
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

/// Splits `NAME.VERSION` at its first dot (rule N3) and checks both halves.
pub fn split_package(text: &str) -> Option<(PackageName, Version)> {
    let (name, version) = text.split_once('.')?;
    Some((PackageName::new(name)?, Version::new(version)?))
}
