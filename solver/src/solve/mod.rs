//! One question, one answer.

mod bits;
mod explain;
mod provider;

pub use explain::{Explanation, Fact};

use crate::mask::Mask;
use crate::problem::{Preference, Problem, Root};
use crate::reduce::{Bound, Sets};
use crate::view::{Compiled, Masks, View};
use bits::Bits;
use opam_parser::index::{Found, Index, NameId, PackageId};
use opam_parser::syntax::RelOp;
use provider::{Avoided, Provider, TooWide, Var};
use pubgrub::PubGrubError;
use rustc_hash::FxHashMap;

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

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SolveError {
    /// No package has this name, and none mentions it.
    #[error("there is no package `{name}`")]
    UnknownName {
        /// What was asked for.
        name: String,
        /// Names that may have been meant, nearest first.
        near: Vec<String>,
    },
    /// The package has no such version.
    #[error("there is no version `{version}` of `{name}`")]
    UnknownVersion {
        /// The package.
        name: String,
        /// What was asked for.
        version: String,
        /// Its newest versions, newest first.
        known: Vec<String>,
    },
    /// The version's opam file could not be read.
    #[error("`{package}` is set aside because its opam file is broken")]
    Broken {
        /// `NAME.VERSION`
        package: String,
        /// Its file.
        file: opam_parser::index::FileId,
    },
    /// The constraints contradict each other.
    #[error("no solution")]
    NoSolution(Explanation),
    /// More versions of one name, or alternatives in one disjunction, than the solver can count.
    #[error("a package has more than {limit} versions or alternatives")]
    TooWide {
        /// The limit.
        limit: usize,
    },
}

/// A root as the solver sees it.
struct ResolvedRoot {
    name: NameId,
    mask: Mask,
    flags: crate::problem::Flags,
    /// A single version was asked for, so it may be one that is otherwise avoided.
    exact: bool,
}

/// Finds a selection that satisfies the problem, preferring newer (or older) versions of what is
/// listed first. Versions with `avoid-version` or `deprecated` are used only if there is no solution
/// without them.
///
/// # Errors
/// When something asked for does not exist, or the constraints contradict each other.
pub fn solve(view: &View<'_>, problem: &Problem) -> Result<Selection, SolveError> {
    let roots = problem.roots.iter().map(|root| resolve_root(view, root)).collect::<Result<Vec<_>, _>>()?;
    let mut outcome = match view.widest() {
        0..128 => attempt::<2>(view, problem, &roots),
        128..256 => attempt::<4>(view, problem, &roots),
        // In 2024, before old ones were archived, `ocaml-variants` had 596 versions.
        256..1024 => attempt::<16>(view, problem, &roots),
        _ => Err(Outcome::TooWide),
    };
    if let Err(Outcome::TooWide) = outcome {
        outcome = attempt::<64>(view, problem, &roots);
    }
    outcome.map_err(|outcome| match outcome {
        Outcome::NoSolution(explanation) => SolveError::NoSolution(explanation),
        Outcome::TooWide => SolveError::TooWide { limit: Bits::<64>::CAPACITY },
    })
}

fn resolve_root(view: &View<'_>, root: &Root) -> Result<ResolvedRoot, SolveError> {
    let index = view.index();
    let exists = |name: &NameId| {
        !index.package_range(*name).is_empty() || index.broken_files().any(|file| index.file_name(file) == *name)
    };
    let name = index.find_name(root.name.as_str()).filter(exists).ok_or_else(|| SolveError::UnknownName {
        name: root.name.to_string(),
        near: index.near_names(root.name.as_str(), 3).into_iter().map(|near| index.name(near).to_owned()).collect(),
    })?;
    let sets = Masks(index);
    let mut mask = Mask::all(index.package_range(name).len());
    for (op, version) in &root.constraints {
        mask.intersect(&sets.constraint(name, *op, Bound::Text(version.as_str())));
        if *op == RelOp::Eq {
            match index.find(name, version.as_str()) {
                Some(Found::Package(_)) => {}
                Some(Found::Broken(file)) => {
                    return Err(SolveError::Broken { package: index.file_text(file), file });
                }
                None => {
                    let text = |package| index.version(index.package_version(package)).to_owned();
                    return Err(SolveError::UnknownVersion {
                        name: root.name.to_string(),
                        version: version.to_string(),
                        known: index.versions_of(name).rev().take(5).map(text).collect(),
                    });
                }
            }
        }
    }
    let exact = root.constraints.iter().any(|(op, _)| *op == RelOp::Eq);
    Ok(ResolvedRoot { name, mask, flags: root.flags, exact })
}

enum Outcome {
    NoSolution(Explanation),
    TooWide,
}

/// Compiles the versions of the roots with their own dependency flags.
fn own_packages(view: &View<'_>, roots: &[ResolvedRoot]) -> FxHashMap<PackageId, Compiled> {
    let index = view.index();
    let mut own = FxHashMap::default();
    for root in roots.iter().filter(|root| root.flags != crate::problem::Flags::default()) {
        for package in index.versions_of(root.name) {
            let flags = crate::environment::DependencyFlags {
                with_test: Some(root.flags.with_test),
                with_doc: Some(root.flags.with_doc),
                with_dev_setup: Some(root.flags.with_dev_setup),
                ..crate::environment::DependencyFlags::solving(root.flags.dev.unwrap_or(index.is_dev(package)))
            };
            own.insert(package, view.compile(package, flags));
        }
    }
    own
}

fn attempt<const W: usize>(view: &View<'_>, problem: &Problem, roots: &[ResolvedRoot]) -> Result<Selection, Outcome> {
    let own = own_packages(view, roots);
    let oldest = problem.preference == Preference::Oldest;
    let mut provider = Provider::<W>::new(view, roots, &own, oldest, Avoided::Never);
    let mut result = pubgrub::resolve(&provider, Var::Root, 0_u32);
    if matches!(result, Err(PubGrubError::NoSolution(_))) {
        provider = Provider::new(view, roots, &own, oldest, Avoided::Last);
        result = pubgrub::resolve(&provider, Var::Root, 0_u32);
    }
    match result {
        Ok(solution) => {
            let index = view.index();
            let mut packages: Vec<PackageId> = solution
                .iter()
                .filter_map(|(var, bit)| match var {
                    Var::Name(name) if *bit != crate::mask::ABSENT => {
                        Some(PackageId(index.package_range(*name).start + bit - 1))
                    }
                    _ => None,
                })
                .collect();
            packages.sort_unstable();
            Ok(Selection { packages })
        }
        Err(PubGrubError::NoSolution(tree)) => Err(Outcome::NoSolution(explain::explain(&provider, &tree))),
        // The provider has one error, and gives it in all three places.
        Err(
            PubGrubError::ErrorRetrievingDependencies { source: TooWide, .. }
            | PubGrubError::ErrorChoosingVersion { source: TooWide, .. }
            | PubGrubError::ErrorInShouldCancel(TooWide),
        ) => Err(Outcome::TooWide),
    }
}
