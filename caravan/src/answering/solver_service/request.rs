//! A request with everything that its answer can depend on.

use super::given::{self, GivenPackage};
use super::series::{COMPILER, Series};
use crate::key::{Digest, Key};
use crate::protocols::Refusal;
use crate::protocols::solver_service::SolveRequest;
use crate::reach::{Reach, closure, mentioned};
use crate::repository::Repository;
use opam_parser::index::{Index, Part};
use opam_parser::name::PackageName;
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// The package that says that betas are welcome.
const OCAML_BETA: &str = "opam-version: \"2.0\"\nflags: avoid-version\n";

/// A request, read, with the part of the repositories that it can concern.
pub(super) struct PreparedRequest<'r> {
    repositories: &'r [Arc<Repository>],
    pub(super) request: &'r SolveRequest,
    /// The packages that must be installed.
    pub(super) roots: Vec<GivenPackage>,
    /// All packages that the request brings, each name once.
    pub(super) pins: Vec<GivenPackage>,
    /// For each repository, which of its names can be reached.
    reached: Vec<Vec<bool>>,
    /// These names alone, with the pins.
    index: Index,
    /// For each platform, whether its compiler is of a series without a release.
    is_development: Vec<bool>,
    /// The index for such compilers, in which betas are welcome.
    index_with_betas: Option<Index>,
}

impl<'r> PreparedRequest<'r> {
    /// Reads what the request brings, and finds what it can concern in the repositories, which are in its order.
    ///
    /// # Errors
    /// When a file that it brings is broken, or everything is too large.
    pub(super) fn new(repositories: &'r [Arc<Repository>], request: &'r SolveRequest) -> Result<Self, Refusal> {
        let roots: Vec<GivenPackage> = request.root_pkgs.iter().map(given::read).collect::<Result<_, _>>()?;
        let pinned: Vec<GivenPackage> = request.pinned_pkgs.iter().map(given::read).collect::<Result<_, _>>()?;
        let mut known: FxHashSet<&PackageName> = FxHashSet::default();
        let pins: Vec<GivenPackage> = roots.iter().chain(&pinned).filter(|pin| known.insert(&pin.0)).cloned().collect();
        let reached = reached(repositories, request, &pins)?;
        let newest = repositories.iter().filter_map(|repository| Series::newest_released(repository.index())).max();
        let is_development: Vec<bool> = request
            .platforms
            .iter()
            .map(|(_, vars)| newest.as_ref().is_some_and(|newest| Series::of(&vars.ocaml_version) > *newest))
            .collect();
        let index = index_of(repositories, &reached, &pins)?;
        let index_with_betas = is_development.contains(&true).then(|| {
            let beta = given::read(&("ocaml-beta.enabled".to_owned(), OCAML_BETA.into()))?;
            index_of(repositories, &reached, &[pins.as_slice(), &[beta]].concat())
        });
        let index_with_betas = index_with_betas.transpose()?;
        Ok(Self { repositories, request, roots, pins, reached, index, is_development, index_with_betas })
    }

    /// Names everything that the results on all platforms depend on: as long as it is the same, so are they.
    pub(super) fn key(&self) -> Key {
        let mut digest = Digest::default();
        digest.add("solver-service/1");
        let SolveRequest { root_pkgs, pinned_pkgs, platforms, opam_repository_commits } = self.request;
        digest.add(root_pkgs);
        digest.add(pinned_pkgs);
        digest.add(platforms);
        for (((url, _), repository), names) in opam_repository_commits.iter().zip(self.repositories).zip(&self.reached)
        {
            digest.add(url.as_str());
            let stamps: Vec<_> = Part { index: repository.index(), names: Some(names) }.stamps().collect();
            digest.add(&stamps);
        }
        digest.key()
    }

    /// How many repositories it names.
    pub(super) fn repository_count(&self) -> usize {
        self.repositories.len()
    }

    /// The index for each platform, and whether it is the one in which betas are welcome.
    pub(super) fn indexes(&self) -> impl Iterator<Item = (&Index, bool)> {
        self.is_development.iter().map(|is_development| match &self.index_with_betas {
            Some(index) if *is_development => (index, true),
            _ => (&self.index, false),
        })
    }
}

/// For each repository, which of its names a request can reach.
fn reached(
    repositories: &[Arc<Repository>],
    request: &SolveRequest,
    pins: &[GivenPackage],
) -> Result<Vec<Vec<bool>>, Refusal> {
    let alone = Index::from_parts(&[], pins).map_err(too_large)?;
    let mut mentions = Vec::new();
    alone.packages().for_each(|package| mentioned(&alone, package, true, &mut mentions));
    let names = mentions.iter().map(|name| alone.name(*name));
    let names = names.chain(pins.iter().map(|(name, ..)| name.as_str()));
    let compilers = request.platforms.iter().map(|(_, vars)| vars.ocaml_package.as_str());
    let tables: Vec<(&Index, &Reach)> =
        repositories.iter().map(|repository| (repository.index(), repository.reach())).collect();
    Ok(closure(&tables, names.chain(compilers).chain([COMPILER])))
}

/// The names that can be reached, with pins. Later repositories are on top.
fn index_of(repositories: &[Arc<Repository>], reached: &[Vec<bool>], pins: &[GivenPackage]) -> Result<Index, Refusal> {
    let parts: Vec<Part<'_>> = repositories
        .iter()
        .zip(reached)
        .rev()
        .map(|(repository, names)| Part { index: repository.index(), names: Some(names) })
        .collect();
    Index::from_parts(&parts, pins).map_err(too_large)
}

fn too_large(error: impl std::fmt::Display) -> Refusal {
    Refusal::Msg(error.to_string())
}
