//! Which of several answers is the best, where requests and dialects differ.

use serde::{Deserialize, Serialize};

/// Which versions are preferred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Preference {
    /// The newest.
    #[default]
    Newest,
    /// The oldest.
    Oldest,
}

/// What to do about versions with `avoid-version` or `deprecated`. What is asked for by its exact
/// version is not avoided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Avoid {
    /// They do not exist.
    Never,
    /// Only where there is no answer without: no answer has fewer of them.
    IfNeeded,
    /// After all other versions of their name.
    LastOfName,
    /// Like any other version.
    Ignore,
}

/// What to do about packages each of which wants the next to be installed before it, and the last the
/// first, `post` dependencies aside (rules S10 and S11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Cycles {
    /// They cannot be installed, as `opam install` has it.
    Refuse,
    /// They can, as `opam list --installable` has it.
    Allow,
}

/// Which packages are pushed to their oldest versions with [`Preference::Oldest`]; the others are
/// kept as new as can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct LowerBounds {
    /// Those that stand for something of the system: flag `conf` or a name that begins with `conf-`.
    pub conf: bool,
    /// Those with a version that has the flag `compiler`, and `ocaml`.
    pub compilers: bool,
    /// Of versions that differ only in their packaging, as `4.08.1` and `4.08.1-1`: the oldest.
    pub revisions: bool,
}

impl LowerBounds {
    /// Everything is as old as can be, as solver-service has it.
    pub const EVERYTHING: Self = Self { conf: true, compilers: true, revisions: true };
}
