//! What is asked, as data: one type for the library, the command line and services.
//!
//! A [`Problem`] has two halves. The [`Setting`] decides what the packages look like: platform,
//! dialect, pins. A [`View`](crate::View) is made from it once. The [`Request`] is one question to
//! that view. `docs/json.md` describes the JSON that both read and write.

use crate::dialect::Dialect;
use crate::platform::Platform;
use crate::stop::Stop;
use opam_parser::atom::Atom;
use opam_parser::file::{OpamFile, Parsed};
use opam_parser::index::{Index, PackageId, Precedence, TooLarge};
use opam_parser::name::PackageName;
use opam_parser::syntax::RelOp;
use opam_parser::version::Version;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Deref;
use std::time::Duration;

pub use crate::constraint::Constraint;
pub use crate::policy::{Avoid, Cycles, LowerBounds, Preference};

/// A question with everything that decides its answer but the repositories.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// What the packages look like.
    #[serde(default)]
    pub setting: Setting,
    /// What is asked of them.
    pub request: Request,
}

/// Everything that decides what the packages of a repository look like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Setting {
    /// The machine's variables.
    pub platform: Platform,
    /// Whose reading of opam files counts.
    pub dialect: Dialect,
    /// Of several repositories that have the same version of a package, which one counts.
    pub precedence: Precedence,
    /// Packages that have exactly one version, which need not be in a repository.
    pub pins: Vec<Pin>,
}

/// A package with the one version that it may have (the manual, "Pinning").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The package.
    pub name: PackageName,
    /// The version that it gets.
    pub version: Version,
    /// The text of its opam file.
    pub opam: String,
}

/// Why the repositories and pins of a setting make no index.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    /// A pin's opam file cannot be read.
    #[error("the opam file of the pin `{name}` is broken:\n{diagnostics}")]
    BrokenPin {
        /// The pinned package.
        name: String,
        /// What is wrong, with its place and source.
        diagnostics: String,
    },
    /// Two pins of one name.
    #[error("`{0}` is pinned twice")]
    PinnedTwice(String),
    /// Together they are too large.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// All packages of a setting.
pub enum Universe<'i> {
    /// Those of one repository, as they are.
    One(&'i Index),
    /// Those of several, or with pins.
    Made(Box<Index>),
}

impl Deref for Universe<'_> {
    type Target = Index;

    fn deref(&self) -> &Index {
        match self {
            Universe::One(index) => index,
            Universe::Made(index) => index,
        }
    }
}

impl Setting {
    /// A platform read as opam reads it, nothing pinned.
    pub fn new(platform: Platform) -> Self {
        Self { platform, ..Self::default() }
    }

    /// The packages that a setting has: the repositories laid over each other, and the pins.
    ///
    /// # Errors
    /// When a pin's opam file is broken or its name pinned twice, or everything is too large.
    pub fn index<'i>(&self, repositories: &[&'i Index]) -> Result<Universe<'i>, SettingError> {
        let mut index = match repositories {
            [only] => Universe::One(only),
            several => Universe::Made(Box::new(Index::overlay(several, self.precedence)?)),
        };
        if !self.pins.is_empty() {
            let pins = self.pins.iter().map(Pin::read).collect::<Result<Vec<_>, _>>()?;
            let mut names: Vec<&PackageName> = self.pins.iter().map(|pin| &pin.name).collect();
            names.sort_unstable();
            if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(SettingError::PinnedTwice(twice[0].to_string()));
            }
            index = Universe::Made(Box::new(index.with_pins(&pins)?));
        }
        Ok(index)
    }
}

impl Pin {
    fn read(&self) -> Result<(PackageName, Version, OpamFile), SettingError> {
        let Parsed { file, diagnostics } = OpamFile::parse(self.opam.as_bytes());
        let label = format!("{}.{}/opam", self.name, self.version);
        let render = |found: &opam_parser::diagnostic::Diagnostic| found.render(&label, self.opam.as_bytes(), false);
        let file = file.ok_or_else(|| SettingError::BrokenPin {
            name: self.name.to_string(),
            diagnostics: diagnostics.iter().map(render).collect::<Vec<_>>().join("\n\n"),
        })?;
        Ok((self.name.clone(), self.version.clone(), file))
    }
}

/// One question to a view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What must be installed; the earlier ones get the better versions where they compete.
    pub roots: Vec<Root>,
    /// Which versions are preferred.
    #[serde(default)]
    pub prefer: Preference,
    /// What to do about versions with `avoid-version` or `deprecated`; `None`: what the dialect does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avoid: Option<Avoid>,
    /// Which packages `oldest` pushes down; `None`: what the dialect does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower_bounds: Option<LowerBounds>,
    /// What to do about packages that want to be installed before each other; `None`: what the dialect
    /// does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycles: Option<Cycles>,
    /// After how many milliseconds to give up; `None`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit_ms: Option<u64>,
}

impl Request {
    /// A request for the newest versions.
    pub fn new(roots: impl IntoIterator<Item = Atom>) -> Self {
        Self { roots: roots.into_iter().map(Root::from).collect(), ..Self::default() }
    }

    /// When to give up: when asked to, or when the request's time is over.
    pub(crate) fn limit(&self, stop: &Stop) -> Stop {
        match self.time_limit_ms {
            Some(limit) => stop.within(Duration::from_millis(limit)),
            None => stop.clone(),
        }
    }
}

/// A package that must be in the answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Root {
    /// Its name.
    pub name: PackageName,
    /// Constraints on its version that all have to hold: `>= 2.0`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<Constraint>,
    /// Its dependency flags.
    #[serde(default, skip_serializing_if = "Flags::are_default")]
    pub flags: Flags,
}

impl Root {
    /// One package of an index. `None` never happens: its names and versions are valid.
    pub fn exactly(index: &Index, package: PackageId, flags: Flags) -> Option<Self> {
        let name = PackageName::new(index.name(index.package_name(package)))?;
        let version = Version::new(index.version(index.package_version(package)))?;
        Some(Self { name, constraints: vec![Constraint(RelOp::Eq, version)], flags })
    }
}

impl From<Atom> for Root {
    fn from(atom: Atom) -> Self {
        let constraints = atom.constraint.map(|(op, version)| Constraint(op, version)).into_iter().collect();
        Self { name: atom.name, constraints, flags: Flags::default() }
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)?;
        for (place, constraint) in self.constraints.iter().enumerate() {
            write!(f, "{} {constraint}", if place > 0 { " &" } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} {:?}", self.flags)
    }
}

/// Which optional dependencies of a root are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Flags {
    /// Those for its tests (`with-test`).
    pub with_test: bool,
    /// Those for its documentation (`with-doc`).
    pub with_doc: bool,
    /// Those for working on it (`with-dev-setup`).
    pub with_dev_setup: bool,
    /// Those of its development version (`dev`); `None`: as its source says (rule F34).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dev: Option<bool>,
}

impl Flags {
    /// What either wants.
    #[must_use]
    pub fn united(self, other: Self) -> Self {
        Self {
            with_test: self.with_test || other.with_test,
            with_doc: self.with_doc || other.with_doc,
            with_dev_setup: self.with_dev_setup || other.with_dev_setup,
            dev: self.dev.or(other.dev),
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    fn are_default(&self) -> bool {
        *self == Self::default()
    }
}
