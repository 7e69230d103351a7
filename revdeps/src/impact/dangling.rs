//! Names that nothing has any more, and that others still mention.

use crate::repository_change::RepositoryChange;
use opam_parser::index::{FormulaRef, Index, NameId, PackageId};

/// A name without versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dangling {
    /// The name.
    pub name: String,
    /// The packages whose `depends` mentions it, as `NAME.VERSION` in opam's order.
    pub required_by: Vec<String>,
    /// Those whose `depopts` does.
    pub wanted_by: Vec<String>,
}

/// The names that have versions before and none after, and are mentioned after.
pub(super) fn dangling(repository: &RepositoryChange<'_>) -> Vec<Dangling> {
    let (before, after) = (repository.before, repository.after);
    let gone: Vec<NameId> = before
        .names()
        .filter(|name| !before.package_range(*name).is_empty())
        .filter_map(|name| repository.matching.name_after(name))
        .filter(|name| after.package_range(*name).is_empty())
        .collect();
    let mentioning = |name: NameId, formula: fn(&Index, PackageId) -> FormulaRef<'_>| -> Vec<String> {
        let found = after.packages().filter(|package| formula(after, *package).names().any(|other| other == name));
        found.map(|package| after.package_text(package)).collect()
    };
    let dangling = |name: NameId| Dangling {
        name: after.name(name).to_owned(),
        required_by: mentioning(name, Index::depends),
        wanted_by: mentioning(name, Index::depopts),
    };
    let found = gone.into_iter().map(dangling);
    found.filter(|found| !found.required_by.is_empty() || !found.wanted_by.is_empty()).collect()
}
