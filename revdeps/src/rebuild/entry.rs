//! What to build and test again, as data.

use caravan_solver::Selection;
use opam_parser::index::PackageId;

/// What to build and test again on one platform.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rebuild {
    /// In opam's order. Packages are those of the later index.
    pub entries: Vec<RebuildEntry>,
    /// What depends on the change and is not among them.
    pub left_out: LeftOut,
}

/// One package version to build or test again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RebuildEntry {
    /// The package.
    pub package: PackageId,
    /// Why it is here.
    pub reason: RebuildReason,
    /// How to build it; `None` if only its tests have to do with the change.
    pub build: Option<RebuildJob>,
    /// Its tests.
    pub tests: Tests,
    /// How many other entries need it, directly or through others.
    pub dependents: usize,
}

/// A build, or a build with tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RebuildJob {
    /// From 1: it needs no build of this stage or a later one.
    pub stage: usize,
    /// The entries whose builds are in its selections and that it depends on, in opam's order: if one of
    /// them fails there is no use in trying.
    pub needs: Vec<PackageId>,
    /// What to install, each with some of the changed packages; most often there is one.
    pub selections: Vec<SelectionWithChange>,
}

/// The tests of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tests {
    /// It has none.
    None,
    /// They can be run.
    Job(RebuildJob),
    /// What they need cannot be installed together with the change.
    Impossible {
        /// Nor could it before, without it.
        before: bool,
    },
}

impl RebuildEntry {
    /// The test job, if there is one.
    pub fn test(&self) -> Option<&RebuildJob> {
        match &self.tests {
            Tests::Job(job) => Some(job),
            Tests::None | Tests::Impossible { .. } => None,
        }
    }

    /// Its jobs.
    pub fn jobs(&self) -> impl Iterator<Item = &RebuildJob> {
        self.build.iter().chain(self.test())
    }

    /// The first stage in which there is something to do for it.
    pub fn stage(&self) -> usize {
        self.jobs().map(|job| job.stage).min().unwrap_or(1)
    }

    /// The changed packages that it is built or tested with, in opam's order.
    pub fn with(&self) -> Vec<PackageId> {
        let selections = self.jobs().flat_map(|job| &job.selections);
        let mut with: Vec<PackageId> = selections.flat_map(|selection| selection.with.iter().copied()).collect();
        with.sort_unstable();
        with.dedup();
        with
    }
}

/// What depends on the change and is not built again, and why not. In opam's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// They cannot be installed together with what they depend on of the change.
    pub not_together: Vec<PackageId>,
    /// They can be installed together with it, but then nothing of what they need uses it.
    pub unused: Vec<PackageId>,
    /// The policy takes another version.
    pub other_version: Vec<PackageId>,
    /// They are to be avoided (`avoid-version`, `deprecated`).
    pub avoided: Vec<PackageId>,
    /// Nobody maintains them.
    pub abandoned: Vec<PackageId>,
    /// It could not be told: the search took more steps than one solve may.
    pub not_told: Vec<PackageId>,
}

impl Rebuild {
    /// How many stages there are.
    pub fn stages(&self) -> usize {
        self.entries.iter().flat_map(RebuildEntry::jobs).map(|job| job.stage).max().unwrap_or(0)
    }
}

/// The shortest way from a package to a changed one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RebuildReason {
    /// The package, those between, the changed one: each depends on the next.
    pub path: Vec<PackageId>,
    /// How the package depends on the second of them.
    pub relation: Relation,
}

/// How a package depends on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// By its `depends`.
    Depends,
    /// By its `depopts`.
    Depopts,
    /// By what its tests need.
    Tests,
    /// By another choice of versions than the one that it is built with.
    Possible,
}

/// A selection with some of the changed packages in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectionWithChange {
    /// The changed packages that it was made for, in opam's order.
    pub with: Vec<PackageId>,
    /// All packages, as the later index numbers them.
    pub selection: Selection,
}
