//! The two readings of opam files: opam's own, and that of the opam-0install family.
//!
//! They agree but for a few rules, each of which is a field here (sections 3.4, 4.3, 4.6 and 5 of
//! `docs/semantics.md`).

use crate::policy::{Avoid, Cycles, LowerBounds};
use serde::{Deserialize, Serialize};

/// Whose reading of opam files counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// That of opam 2.6.
    #[default]
    Opam,
    /// That of the `opam-0install` command: flags are not looked at.
    #[serde(rename = "opam-0install")]
    Opam0install,
    /// That of solver-service: as `opam-0install`, but `avoid-version` comes last within its name.
    SolverService,
}

/// Where the dialects differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// `name`, `_:name` and `_:version` are defined (rule F27).
    pub(crate) own_variables: bool,
    /// `dev` holds for what has a source under version control (rule F34), not for the version `dev`.
    pub(crate) dev_by_source: bool,
    /// A version bound with an undefined variable makes its constraint false, instead of being
    /// dropped (rule F29).
    pub(crate) undefined_bound_is_false: bool,
    /// Conflicts see the dependency flags (rule Z3).
    pub(crate) flags_in_conflicts: bool,
    /// A version that conflicts with itself cannot be installed (rule Z4), instead of the conflict being
    /// ignored (rule S3).
    pub(crate) self_conflict_excludes: bool,
    /// `available: "true"`, a string, is as good as the boolean (rule S16).
    pub(crate) available_may_be_string: bool,
    /// In a disjunction between versions of one package the newest comes first (rule O2), not the branch
    /// that is written first (rule Z2).
    pub(crate) one_name_by_version: bool,
    /// Packages that need each other in a cycle, `post` aside, cannot be installed (rules S10 and S11).
    pub(crate) refuses_cycles: bool,
    /// `deprecated` makes a version one to avoid, as `avoid-version` does (rule S19).
    pub(crate) avoids_deprecated: bool,
}

impl Dialect {
    pub(crate) fn rules(self) -> Rules {
        match self {
            Dialect::Opam => Rules {
                own_variables: true,
                dev_by_source: true,
                undefined_bound_is_false: true,
                flags_in_conflicts: false,
                self_conflict_excludes: false,
                available_may_be_string: true,
                one_name_by_version: true,
                refuses_cycles: true,
                avoids_deprecated: true,
            },
            Dialect::Opam0install | Dialect::SolverService => Rules {
                own_variables: false,
                dev_by_source: false,
                undefined_bound_is_false: false,
                flags_in_conflicts: true,
                self_conflict_excludes: true,
                available_may_be_string: false,
                one_name_by_version: false,
                refuses_cycles: false,
                avoids_deprecated: false,
            },
        }
    }

    /// How this dialect treats versions to avoid unless a request says otherwise.
    pub fn avoid(self) -> Avoid {
        match self {
            Dialect::Opam => Avoid::IfNeeded,
            Dialect::Opam0install => Avoid::Ignore,
            Dialect::SolverService => Avoid::LastOfName,
        }
    }

    /// What this dialect does about cycles unless a request says otherwise.
    pub fn cycles(self) -> Cycles {
        if self.rules().refuses_cycles { Cycles::Refuse } else { Cycles::Allow }
    }

    /// What this dialect pushes to its oldest versions unless a request says otherwise.
    pub fn lower_bounds(self) -> LowerBounds {
        match self {
            Dialect::Opam => LowerBounds::default(),
            Dialect::Opam0install | Dialect::SolverService => LowerBounds::EVERYTHING,
        }
    }
}
