//! Platforms as data: which distributions, architectures and compilers there are, and which of them CI
//! services use.
//!
//! ```text
//! platforms.toml (or the user's own) ── parse ──> Catalogue ─┬─ platform(id) ──> Entry ── target ──> a column
//!                                 a repository's compilers ──┘─ set(name) ──> entries
//! ```

mod compilers;
mod sets;

pub use compilers::{Compiler, Compilers};

use caravan_revdeps::impact::Target;
use caravan_solver::problem::Constraint;
use caravan_solver::{Flags, Platform, Request, Root};
use opam_parser::index::Index;
use opam_parser::name::PackageName;
use opam_parser::syntax::RelOp;
use opam_parser::version::Version;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The catalogue that caravan has.
pub const BUILTIN: &str = include_str!("platforms.toml");

/// Distributions, compilers and sets of platforms.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Catalogue {
    defaults: Defaults,
    #[serde(default)]
    opam: BTreeMap<String, String>,
    compilers: compilers::Rules,
    #[serde(default, rename = "variant")]
    variants: Vec<Variant>,
    #[serde(rename = "distribution")]
    distributions: Vec<Distribution>,
    #[serde(default, rename = "set")]
    sets: Vec<sets::Set>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Defaults {
    architecture: String,
    opam: String,
    master: String,
}

/// A compiler that is configured otherwise.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Variant {
    name: String,
    packages: Vec<PackageName>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Distribution {
    name: String,
    tier: u8,
    package_manager: String,
    variables: BTreeMap<String, String>,
    architectures: Vec<Architecture>,
    image: String,
}

/// An architecture, perhaps for newer compilers only: `riscv64 >= 4.11`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Architecture {
    name: String,
    since: Option<Version>,
}

impl TryFrom<String> for Architecture {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (name, since) = match text.split_once(">=") {
            None => (text.trim(), None),
            Some((name, since)) => {
                let since = Version::new(since.trim()).ok_or_else(|| format!("`{since}` is not a version of OCaml"))?;
                (name.trim(), Some(since))
            }
        };
        match ARCHITECTURES.contains(&name) {
            true => Ok(Self { name: name.to_owned(), since }),
            false => Err(format!("`{name}` is not one of opam's architectures: {}", ARCHITECTURES.join(", "))),
        }
    }
}

/// opam's names for architectures (`peers.md`, 7.1).
const ARCHITECTURES: [&str; 7] = ["x86_64", "x86_32", "arm64", "arm32", "ppc64", "s390x", "riscv64"];

/// A platform with a compiler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
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
    pub variables: Platform,
    /// The compiler as roots of a question.
    #[serde(skip)]
    pub roots: Vec<Root>,
}

impl Entry {
    /// What is asked of packages on this platform, with some policies.
    pub fn target(&self, request: &Request) -> Target {
        let request = Request { roots: self.roots.clone(), ..request.clone() };
        Target { label: self.id.clone(), platform: self.variables.clone(), request }
    }
}

/// What is wrong with a catalogue, or with what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// It is not TOML, or does not say what a catalogue says. Names line and column.
    #[error("{0}")]
    Malformed(String),
    /// Something in it refers to what it does not have.
    #[error("{place} names {kind} `{name}`, which the catalogue does not have")]
    Dangling {
        /// Where.
        place: String,
        /// What kind of thing.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// A name that cannot be part of a platform's name.
    #[error("`{0}` cannot be a name: it may have letters, digits, dots and dashes")]
    OddName(String),
    /// No platform is called so.
    #[error("`{0}` is not a platform of the catalogue: no distribution begins its name")]
    UnknownPlatform(String),
    /// No set is called so.
    #[error("`{0}` is not a set of platforms")]
    UnknownSet(String),
    /// The platform's name says nothing of the compiler.
    #[error("`{0}` names no compiler: write `{0}-5.4`")]
    NoCompiler(String),
    /// The repository does not have the compiler.
    #[error("the repository has no compiler for OCaml {0}")]
    UnknownCompiler(String),
    /// There are no images of the distribution on the architecture.
    #[error("{distribution} has no {architecture} with OCaml {ocaml}")]
    NoArchitecture {
        /// The distribution.
        distribution: String,
        /// The architecture.
        architecture: String,
        /// The compiler's series.
        ocaml: String,
    },
}

impl Catalogue {
    /// The one that caravan has.
    ///
    /// # Errors
    /// Never: a test reads it.
    pub fn builtin() -> Result<Self, CatalogueError> {
        Self::parse(BUILTIN)
    }

    /// Reads a catalogue.
    ///
    /// # Errors
    /// When it is not TOML or does not say what a catalogue says.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        let read: Self =
            toml::from_str(text).map_err(|error| CatalogueError::Malformed(error.to_string().trim_end().to_owned()))?;
        read.check()?;
        Ok(read)
    }

    /// Everything that is named is there.
    fn check(&self) -> Result<(), CatalogueError> {
        let dangling = |place: &str, kind, name: &str| {
            Err(CatalogueError::Dangling { place: place.to_owned(), kind, name: name.to_owned() })
        };
        if self.distribution(&self.defaults.master).is_none() {
            return dangling("`defaults.master`", "the distribution", &self.defaults.master);
        }
        let names = self.distributions.iter().map(|of| &of.name).chain(self.variants.iter().map(|of| &of.name));
        // They become parts of names of platforms, and these names of files.
        let odd =
            |name: &&String| name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c));
        if let Some(name) = names.into_iter().find(odd) {
            return Err(CatalogueError::OddName(name.clone()));
        }
        self.sets.iter().try_for_each(|set| set.check(self))
    }

    fn distribution(&self, name: &str) -> Option<&Distribution> {
        self.distributions.iter().find(|distribution| distribution.name == name)
    }

    /// The platform of a name, with a compiler of the repository. A compiler alone, `5.4`, stands for that
    /// compiler on the usual distribution.
    ///
    /// # Errors
    /// When there is no such platform.
    pub fn platform(&self, index: &Index, id: &str) -> Result<Entry, CatalogueError> {
        let unknown = || CatalogueError::UnknownPlatform(id.to_owned());
        let (rest, opam) =
            id.split_once("_opam-").map_or((id, self.defaults.opam.as_str()), |(rest, opam)| (rest, opam));
        if Version::new(opam).is_none() {
            return Err(unknown());
        }
        let with_architecture = ARCHITECTURES.iter().find_map(|architecture| {
            let rest = rest.strip_suffix(architecture)?.strip_suffix('_')?;
            Some((rest, *architecture))
        });
        let (rest, architecture) = with_architecture.unwrap_or((rest, self.defaults.architecture.as_str()));
        let compiler = |rest: &str| rest.starts_with(|first: char| first.is_ascii_digit()).then(|| rest.to_owned());
        let found = self.distributions.iter().filter_map(|distribution| {
            let rest = rest.strip_prefix(distribution.name.as_str())?;
            if rest.is_empty() {
                Some((distribution, None))
            } else {
                Some((distribution, compiler(rest.strip_prefix('-')?)))
            }
        });
        let longest = found.max_by_key(|(distribution, _)| distribution.name.len());
        let (distribution, compiler) = match (longest, compiler(rest)) {
            (Some((_, None)), None) => return Err(CatalogueError::NoCompiler(id.to_owned())),
            (Some((distribution, Some(compiler))), _) => (distribution, compiler),
            (_, Some(compiler)) => (self.distribution(&self.defaults.master).ok_or_else(unknown)?, compiler),
            (None, None) => return Err(unknown()),
        };
        let (ocaml, variant) =
            compiler.split_once('+').map_or((compiler.as_str(), None), |(ocaml, variant)| (ocaml, Some(variant)));
        let compilers = Compilers::new(self, index);
        let compiler =
            compilers.find(ocaml, variant).ok_or_else(|| CatalogueError::UnknownCompiler(compiler.clone()))?;
        self.entry(distribution, &compiler, architecture, opam)
    }

    /// The platforms of a set, with the compilers of the repository. Those whose compiler it does not have
    /// are not among them.
    ///
    /// # Errors
    /// When there is no such set.
    pub fn set(&self, index: &Index, name: &str) -> Result<Vec<Entry>, CatalogueError> {
        let set = self.sets.iter().find(|set| set.name == name);
        let set = set.ok_or_else(|| CatalogueError::UnknownSet(name.to_owned()))?;
        let mut entries: Vec<Entry> = Vec::new();
        for entry in set.entries(self, &Compilers::new(self, index))? {
            if entries.iter().all(|known| known.id != entry.id) {
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    /// Names of sets, and what they are.
    pub fn sets(&self) -> impl Iterator<Item = (&str, &str)> {
        self.sets.iter().map(|set| (set.name.as_str(), set.what.as_str()))
    }

    /// Names of distributions.
    pub fn distributions(&self) -> impl Iterator<Item = &str> {
        self.distributions.iter().map(|distribution| distribution.name.as_str())
    }

    fn entry(
        &self,
        distribution: &Distribution,
        compiler: &Compiler,
        architecture: &str,
        opam: &str,
    ) -> Result<Entry, CatalogueError> {
        let series = Version::new(&compiler.series);
        let there = distribution.architectures.iter().any(|known| {
            known.name == architecture
                && known.since.as_ref().is_none_or(|since| series.as_ref().is_some_and(|series| series >= since))
        });
        if !there {
            return Err(CatalogueError::NoArchitecture {
                distribution: distribution.name.clone(),
                architecture: architecture.to_owned(),
                ocaml: compiler.series.clone(),
            });
        }
        let mut variables = Platform::new();
        variables.set("arch", architecture);
        let release = self.opam.get(opam).map_or(opam, String::as_str);
        variables.set("opam-version", release);
        distribution.variables.iter().for_each(|(name, value)| variables.set(name, value));
        let variant = compiler.variant.as_ref().map(|variant| format!("+{variant}")).unwrap_or_default();
        let mut id = format!("{}-{}{variant}", distribution.name, compiler.named);
        if architecture != self.defaults.architecture {
            id = format!("{id}_{architecture}");
        }
        if opam != self.defaults.opam {
            id = format!("{id}_opam-{opam}");
        }
        let image = distribution.image.replace("{distribution}", &distribution.name);
        let image = image.replace("{ocaml}", &compiler.series).replace("{variant}", &variant.replace('+', "-"));
        Ok(Entry {
            id,
            distribution: distribution.name.clone(),
            tier: distribution.tier,
            architecture: architecture.to_owned(),
            ocaml: compiler.version.clone(),
            compiler: compiler
                .packages
                .iter()
                .map(|(name, version)| match version {
                    Some(version) => format!("{name}.{version}"),
                    None => name.to_string(),
                })
                .collect(),
            opam: release.to_owned(),
            image,
            package_manager: distribution.package_manager.clone(),
            variables,
            roots: compiler
                .packages
                .iter()
                .map(|(name, version)| Root {
                    name: name.clone(),
                    constraints: version.iter().map(|version| Constraint(RelOp::Eq, version.clone())).collect(),
                    flags: Flags::default(),
                })
                .collect(),
        })
    }
}
