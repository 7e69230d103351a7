//! The answer of `show`.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// `caravan.show/1`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ShowAnswer {
    /// `caravan.show/1`
    #[cfg_attr(feature = "schema", schemars(extend("const" = "caravan.show/1")))]
    pub schema: Cow<'static, str>,
    /// The packages, in the question's order.
    pub packages: Vec<ShownPackage>,
}

/// What is known about a package; formulas as they would be written in an opam file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ShownPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// All versions of the name, oldest first.
    pub all_versions: Vec<String>,
    /// Whether the platform has it.
    pub available: bool,
    /// What it is, in a line or more.
    pub synopsis: String,
    /// What it is, at length.
    pub description: String,
    /// Its authors.
    pub authors: Vec<String>,
    /// Who maintains it.
    pub maintainer: Vec<String>,
    /// Its licenses.
    pub license: Vec<String>,
    /// Its pages on the web.
    pub homepage: Vec<String>,
    /// Where to report bugs.
    pub bug_reports: Vec<String>,
    /// Its flags, as opam files have them.
    pub flags: Vec<String>,
    /// The filter that says which platforms have it.
    pub available_if: String,
    /// The conjuncts of what it depends on.
    pub depends: Vec<String>,
    /// What it uses if it is there.
    pub depopts: String,
    /// What it cannot be together with.
    pub conflicts: String,
    /// The classes of which it must be the only member.
    pub conflict_class: Vec<String>,
    /// The URL of its sources.
    pub source: Option<String>,
    /// Where its opam file is.
    pub file: String,
    /// The bytes of its opam file. Not in JSON, which has what they say.
    #[serde(skip)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub opam: Vec<u8>,
}

impl ShowAnswer {
    /// The opam files, byte for byte as the repository has them, one after the other. Empty for an answer that was read
    /// from JSON.
    pub fn raw(&self) -> Vec<u8> {
        self.packages.iter().flat_map(|package| package.opam.iter().copied()).collect()
    }
}
