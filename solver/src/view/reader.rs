//! What packages of an index say on one platform, worked out anew each time.

use super::overrides::{LiftedMasks, Overrides};
use crate::dialect::{Dialect, Rules};
use crate::environment::{DependencyFlags, Environment, Variables};
use crate::platform::Platform;
use crate::problem::Flags as RootFlags;
use crate::reduce::{Reduced, Reduction, Sets, UndefinedBound};
use opam_parser::file::Flags as OpamFlags;
use opam_parser::filter::{Value, eval, eval_to_bool};
use opam_parser::index::{FormulaRef, Index, PackageId};
use opam_parser::version;

/// An index, a platform, and a reading of opam files.
#[derive(Clone)]
pub(super) struct Reader<'i> {
    pub(super) index: &'i Index,
    pub(super) dialect: Dialect,
    pub(super) rules: Rules,
    pub(super) variables: Variables,
    /// The dependency flags of packages that were not themselves asked for.
    pub(super) flags_of_all: RootFlags,
    pub(super) overrides: Overrides,
}

impl<'i> Reader<'i> {
    pub(super) fn new(index: &'i Index, platform: &Platform, dialect: Dialect) -> Self {
        let rules = dialect.rules();
        let variables = Variables::new(index, platform, &rules);
        let overrides = Overrides::new();
        Self { index, dialect, rules, variables, flags_of_all: RootFlags::default(), overrides }
    }

    /// The variables as a package sees them.
    pub(super) fn environment(&self, package: PackageId, flags: DependencyFlags) -> Environment<'_, 'i> {
        Environment { variables: &self.variables, index: self.index, package, flags }
    }

    /// Whether the dialect avoids a version.
    pub(super) fn is_avoided(&self, package: PackageId) -> bool {
        let flags = self.index.flags(package);
        flags.intersects(OpamFlags::AVOID_VERSION)
            || self.rules.avoids_deprecated && flags.intersects(OpamFlags::DEPRECATED)
    }

    /// Whether a package's `available` is true.
    pub(super) fn is_available(&self, package: PackageId) -> bool {
        if let Some(said) = self.overrides.availability(package) {
            return said;
        }
        let filter = self.index.available(package);
        filter.is_true() || {
            let environment = self.environment(package, DependencyFlags::default());
            match self.rules.available_may_be_string {
                true => eval_to_bool(filter, &environment, false),
                false => matches!(eval(filter, &environment), Value::Bool(true)),
            }
        }
    }

    /// The dependency flags of a package, with those of a root where it is one.
    pub(super) fn flags(&self, package: PackageId, root: Option<RootFlags>) -> DependencyFlags {
        let is_dev = match self.rules.dev_by_source {
            true => self.index.is_dev(package),
            false => {
                let version = self.index.version(self.index.package_version(package));
                version::compare(version.as_bytes(), b"dev").is_eq()
            }
        };
        let root = root.unwrap_or_default().united(self.flags_of_all);
        DependencyFlags {
            with_test: Some(root.with_test),
            with_doc: Some(root.with_doc),
            with_dev_setup: Some(root.with_dev_setup),
            ..DependencyFlags::solving(root.dev.unwrap_or(is_dev))
        }
    }

    /// opam's conflicts do not see the dependency flags (section 3.4 of `docs/semantics.md`).
    pub(super) fn conflict_flags(&self, flags: DependencyFlags) -> DependencyFlags {
        if self.rules.flags_in_conflicts { flags } else { DependencyFlags::default() }
    }

    /// Constraints as masks, without those that are lifted.
    pub(super) fn lifted_masks(&self, package: PackageId) -> LiftedMasks<'_, '_> {
        LiftedMasks { index: self.index, lifted: self.overrides.lifted(package) }
    }

    /// What an undefined version bound in `depends` does.
    pub(super) fn undefined_bound(&self) -> UndefinedBound {
        match self.rules.undefined_bound_is_false {
            true => UndefinedBound::False,
            false => UndefinedBound::Dropped,
        }
    }

    /// The dependencies of a package with their filters evaluated; `None` if nothing is left of them.
    pub(super) fn depends<S: Sets>(
        &self,
        package: PackageId,
        flags: DependencyFlags,
        sets: &S,
    ) -> Option<Reduced<S::Set>> {
        let environment = self.environment(package, flags);
        reduce(self.index.depends(package), &environment, self.undefined_bound(), sets)
    }

    /// The conflicts of a package with their filters evaluated; `None` if nothing is left of them. The
    /// flags are those of its dependencies.
    pub(super) fn conflicts<S: Sets>(
        &self,
        package: PackageId,
        flags: DependencyFlags,
        sets: &S,
    ) -> Option<Reduced<S::Set>> {
        let environment = self.environment(package, self.conflict_flags(flags));
        reduce(self.index.conflicts(package), &environment, UndefinedBound::Dropped, sets)
    }
}

fn reduce<S: Sets>(
    formula: FormulaRef<'_>,
    environment: &Environment<'_, '_>,
    undefined_bound: UndefinedBound,
    sets: &S,
) -> Option<Reduced<S::Set>> {
    if formula.is_empty() {
        return None;
    }
    let index = environment.index;
    Reduction { index, environment, default: false, undefined_bound, sets }.formula(formula)
}
