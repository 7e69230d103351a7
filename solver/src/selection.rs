//! Answers.

use opam_parser::index::{Index, NameId, PackageId};

/// The packages to install, in opam's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    packages: Vec<PackageId>,
}

impl Selection {
    /// The packages, sorted by name.
    pub fn packages(&self) -> &[PackageId] {
        &self.packages
    }

    /// The version of a name that was chosen.
    pub fn get(&self, index: &Index, name: NameId) -> Option<PackageId> {
        let place = self.packages.binary_search_by_key(&name, |package| index.package_name(*package)).ok()?;
        Some(self.packages[place])
    }
}

impl From<Vec<PackageId>> for Selection {
    /// A selection that is known from elsewhere, such as another state of the repository.
    fn from(mut packages: Vec<PackageId>) -> Self {
        packages.sort_unstable();
        Self { packages }
    }
}
