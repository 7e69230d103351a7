//! The answer of `platforms`.

use super::{Variables, variables};
use caravan_planning::catalogue::CatalogueEntry;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The platforms that plans are made for: `caravan.platforms/1`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlatformsAnswer {
    /// `caravan.platforms/1`
    #[cfg_attr(feature = "schema", schemars(extend("const" = "caravan.platforms/1")))]
    pub schema: Cow<'static, str>,
    /// All sets of platforms, if the question names none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<PlatformSet>,
    /// The platforms that the question names.
    pub platforms: Vec<CataloguePlatform>,
    /// The distributions of the catalogue: parts of the names of platforms, which text lists below the sets.
    #[serde(skip)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub distributions: Vec<String>,
}

/// A set of platforms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlatformSet {
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub what: String,
    /// What its platforms are called.
    pub platforms: Vec<String>,
}

/// A platform of the catalogue, with a compiler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CataloguePlatform {
    /// What it is called: `debian-13-5.4+flambda_arm64`
    pub id: String,
    /// The distribution, or the system where that has none.
    pub distribution: String,
    /// How much the distribution matters: 1 is built with everything.
    pub tier: u8,
    /// opam's name of the architecture.
    pub architecture: String,
    /// The version of OCaml: `5.4.1`
    pub ocaml: String,
    /// The packages that are the compiler, each `NAME.VERSION` or a name.
    pub compiler: Vec<String>,
    /// The opam there.
    pub opam: String,
    /// The image in which builds start.
    pub image: String,
    /// The command that installs system packages.
    pub package_manager: String,
    /// opam's variables.
    pub variables: Variables,
}

impl From<CatalogueEntry> for CataloguePlatform {
    fn from(entry: CatalogueEntry) -> Self {
        Self {
            variables: variables(&entry.variables),
            id: entry.id,
            distribution: entry.distribution,
            tier: entry.tier,
            architecture: entry.architecture,
            ocaml: entry.ocaml,
            compiler: entry.compiler,
            opam: entry.opam,
            image: entry.image,
            package_manager: entry.package_manager,
        }
    }
}
