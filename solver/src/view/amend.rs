//! What if packages said something else? A view with a few answers changed, without editing files.

use super::{Compiled, Requirement, View};
use crate::mask::Mask;
use opam_parser::index::{NameId, PackageId};
use rustc_hash::{FxHashMap, FxHashSet};

/// Changes to what packages say on a platform.
#[derive(Clone, Debug, Default)]
pub struct Amendments {
    available: FxHashSet<PackageId>,
    excluded: FxHashSet<PackageId>,
    lifted: FxHashMap<PackageId, Vec<(NameId, Mask)>>,
}

impl Amendments {
    /// No change.
    pub fn new() -> Self {
        Self::default()
    }

    /// A package counts as available, whatever its `available` says.
    pub fn make_available(&mut self, package: PackageId) {
        self.available.insert(package);
    }

    /// A package counts as unavailable.
    pub fn exclude(&mut self, package: PackageId) {
        self.excluded.insert(package);
    }

    /// Wherever a package depends on `on`, it accepts these versions, too; and it conflicts with none of
    /// them.
    pub fn lift(&mut self, package: PackageId, on: NameId, versions: Mask) {
        self.lifted.entry(package).or_default().push((on, versions));
    }

    /// What they say of a package's availability; `None` if nothing.
    pub(super) fn availability(&self, package: PackageId) -> Option<bool> {
        match () {
            () if self.excluded.contains(&package) => Some(false),
            () if self.available.contains(&package) => Some(true),
            () => None,
        }
    }

    pub(super) fn apply(&self, package: PackageId, compiled: &mut Compiled) {
        for (on, versions) in self.lifted.get(&package).into_iter().flatten() {
            let branches = compiled.choices.iter_mut().flat_map(|choice| choice.branches.iter_mut().flatten());
            for requirement in compiled.requires.iter_mut().chain(branches) {
                match requirement {
                    Requirement::Package(name, mask) if name == on => mask.unite(versions),
                    _ => {}
                }
            }
            for (_, mask) in compiled.conflicts.iter_mut().filter(|(name, _)| name == on) {
                mask.subtract(versions);
            }
            compiled.conflicts.retain(|(_, mask)| !mask.is_empty());
        }
    }
}

impl<'i> View<'i> {
    /// The same view, but with changes to what packages say. They take the place of earlier ones.
    #[must_use]
    pub fn amended(&self, amendments: Amendments) -> View<'i> {
        let mut made = Self::in_dialect(self.index, self.variables.platform(), self.dialect);
        made.everyone = self.everyone;
        made.amendments = amendments;
        made
    }
}
