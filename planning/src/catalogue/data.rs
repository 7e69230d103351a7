//! What a catalogue says: the content of `platforms.toml`.

use opam_parser::name::PackageName;
use opam_parser::version::Version;
use serde::Deserialize;
use std::collections::BTreeMap;

/// opam's names for architectures.
pub(super) const ARCHITECTURES: [&str; 7] = ["x86_64", "x86_32", "arm64", "arm32", "ppc64", "s390x", "riscv64"];

/// Distributions, compilers and sets of platforms.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Catalogue {
    pub(super) defaults: Defaults,
    #[serde(default)]
    /// For each name of an opam release its version.
    pub(super) opam: BTreeMap<String, String>,
    pub(super) compilers: Rules,
    #[serde(default, rename = "variant")]
    pub(super) variants: Vec<Variant>,
    #[serde(rename = "distribution")]
    pub(super) distributions: Vec<Distribution>,
    #[serde(default, rename = "set")]
    pub(super) sets: Vec<Set>,
}

/// What is meant where nothing else is said.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Defaults {
    pub(super) architecture: String,
    pub(super) opam: String,
    pub(super) master: String,
}

/// A compiler that is configured otherwise.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Variant {
    pub(super) name: String,
    pub(super) packages: Vec<PackageName>,
}

/// A distribution, with the architectures that there are images of.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Distribution {
    pub(super) name: String,
    pub(super) tier: u8,
    pub(super) package_manager: String,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) architectures: Vec<Architecture>,
    pub(super) image: String,
}

/// An architecture, perhaps for newer compilers only: `riscv64 >= 4.11`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Architecture {
    pub(super) name: String,
    pub(super) since: Option<Version>,
}

/// Why a text names no architecture.
#[derive(Debug, thiserror::Error)]
pub(super) enum ArchitectureError {
    /// What follows `>=`.
    #[error("`{0}` is not a version of OCaml")]
    NotAVersion(String),
    /// The name.
    #[error("`{name}` is not one of opam's architectures: {}", ARCHITECTURES.join(", "))]
    UnknownName {
        /// As it is written.
        name: String,
    },
}

impl TryFrom<String> for Architecture {
    type Error = ArchitectureError;

    fn try_from(text: String) -> Result<Self, ArchitectureError> {
        let (name, since) = match text.split_once(">=") {
            None => (text.trim(), None),
            Some((name, since)) => {
                let not_a_version = || ArchitectureError::NotAVersion(since.to_owned());
                (name.trim(), Some(Version::new(since.trim()).ok_or_else(not_a_version)?))
            }
        };
        match ARCHITECTURES.contains(&name) {
            true => Ok(Self { name: name.to_owned(), since }),
            false => Err(ArchitectureError::UnknownName { name: name.to_owned() }),
        }
    }
}

/// Which packages are compilers, and which releases of them count.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rules {
    pub(super) release: PackageName,
    pub(super) options: PackageName,
    pub(super) oldest: Version,
    pub(super) significant: Vec<String>,
}

/// A set of platforms.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Set {
    pub(super) name: String,
    pub(super) what: String,
    #[serde(default)]
    pub(super) includes: Vec<String>,
    #[serde(default, rename = "part")]
    pub(super) parts: Vec<Part>,
}

/// A product of distributions, compilers, architectures, variants and versions of opam.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    pub(super) distributions: Vec<String>,
    #[serde(default)]
    pub(super) except: Vec<String>,
    pub(super) ocaml: Vec<String>,
    #[serde(default)]
    pub(super) architectures: Vec<String>,
    #[serde(default)]
    pub(super) variants: Vec<String>,
    #[serde(default)]
    pub(super) opam: Vec<String>,
}

impl Catalogue {
    /// A distribution by its name.
    pub(super) fn distribution(&self, name: &str) -> Option<&Distribution> {
        self.distributions.iter().find(|distribution| distribution.name == name)
    }

    /// Names of distributions.
    pub fn distributions(&self) -> impl Iterator<Item = &str> {
        self.distributions.iter().map(|distribution| distribution.name.as_str())
    }
}
