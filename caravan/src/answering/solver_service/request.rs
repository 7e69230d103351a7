//! A request with everything that its answer can depend on.

use super::compatible::is_compatible;
use super::given::{self, GivenPackage};
use super::series::{COMPILER, Series};
use super::unreadable::Unreadable;
use crate::key::{Digest, Key};
use crate::protocols::Refusal;
use crate::protocols::solver_service::{SolveRequest, Vars};
use crate::reach::{Reach, closure};
use crate::repository::Repository;
use caravan_solver::Platform;
use opam_parser::formula::{Dependency, Formula};
use opam_parser::index::{Index, Part};
use opam_parser::name::PackageName;
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// The package that says that betas are welcome.
const OCAML_BETA: &str = "opam-version: \"2.0\"\nflags: avoid-version\n";

/// A repository of a request as solver-service reads it: directories name packages.
struct ReadRepository<'r> {
    repository: &'r Repository,
    index: &'r Index,
    /// By their places, which of its names a request can reach.
    reached: Vec<bool>,
}

/// A platform of a request, before anything is solved.
pub(super) struct PreparedPlatform {
    /// Its variables.
    pub(super) variables: Platform,
    /// The roots that are meant for it, by their places in the request.
    pub(super) compatible: Vec<usize>,
    /// Which of the indexes it is solved in.
    pub(super) index: usize,
}

/// What packages there are on some platforms.
struct Packages {
    /// The roots that are pins there, by their places.
    compatible: Vec<usize>,
    /// Whether betas of the compiler are welcome.
    with_betas: bool,
    index: Index,
}

/// A request, read, with the part of the repositories that it can concern.
pub(super) struct PreparedRequest<'r> {
    pub(super) request: &'r SolveRequest,
    /// The packages that must be installed.
    pub(super) roots: Vec<GivenPackage>,
    /// The packages that have this version only.
    pinned: Vec<GivenPackage>,
    /// The platforms, in the order of the request.
    pub(super) platforms: Vec<PreparedPlatform>,
    /// What of the names that can be reached cannot be read.
    pub(super) unreadable: Unreadable,
    repositories: Vec<ReadRepository<'r>>,
    packages: Vec<Packages>,
}

impl<'r> PreparedRequest<'r> {
    /// Reads what the request brings, and finds what it can concern in the repositories, which are in its order.
    ///
    /// # Errors
    /// When a file that it brings is broken, or everything is too large.
    pub(super) fn new(repositories: &'r [Arc<Repository>], request: &'r SolveRequest) -> Result<Self, Refusal> {
        let roots: Vec<GivenPackage> = request.root_pkgs.iter().map(given::read).collect::<Result<_, _>>()?;
        let pinned: Vec<GivenPackage> = request.pinned_pkgs.iter().map(given::read).collect::<Result<_, _>>()?;
        let repositories = read(repositories, request, roots.iter().chain(&pinned))?;
        let mut unreadable = Unreadable::default();
        for ReadRepository { repository, index, reached, .. } in &repositories {
            unreadable.add(repository, index, reached);
        }
        let platforms = vec![];
        let mut prepared = Self { request, roots, pinned, platforms, unreadable, repositories, packages: vec![] };
        prepared.add_platforms()?;
        Ok(prepared)
    }

    /// Finds for each platform which roots are meant for it and what packages there are.
    fn add_platforms(&mut self) -> Result<(), Refusal> {
        let newest = self.repositories.iter().filter_map(|repository| Series::newest_released(repository.index)).max();
        for (_, vars) in &self.request.platforms {
            let variables = platform(vars);
            let is_meant = |place: &usize| is_compatible(&self.roots[*place], &variables, vars);
            let compatible: Vec<usize> = (0..self.roots.len()).filter(is_meant).collect();
            let with_betas = newest.as_ref().is_some_and(|newest| Series::of(&vars.ocaml_version) > *newest);
            let is_same = |packages: &Packages| packages.with_betas == with_betas && packages.compatible == compatible;
            let index = match self.packages.iter().position(is_same) {
                Some(known) => known,
                None => {
                    let index = self.index(&compatible, with_betas)?;
                    self.packages.push(Packages { compatible: compatible.clone(), with_betas, index });
                    self.packages.len() - 1
                }
            };
            self.platforms.push(PreparedPlatform { variables, compatible, index });
        }
        Ok(())
    }

    /// What the request brings on a platform for which some of its roots are meant: each name once, the last one given
    /// (rule C5), pins after roots.
    pub(super) fn brought(&self, compatible: &[usize]) -> Vec<&GivenPackage> {
        let mut known: FxHashSet<&PackageName> = FxHashSet::default();
        let roots = compatible.iter().map(|place| &self.roots[*place]);
        let mut brought: Vec<&GivenPackage> = roots.chain(&self.pinned).collect();
        brought.reverse();
        brought.retain(|(name, ..)| known.insert(name));
        brought
    }

    /// The names that can be reached, with what the request brings. Later repositories are on top.
    fn index(&self, compatible: &[usize], with_betas: bool) -> Result<Index, Refusal> {
        let mut pins: Vec<GivenPackage> = self.brought(compatible).into_iter().cloned().collect();
        if with_betas {
            let beta = given::read(&("ocaml-beta.enabled".to_owned(), OCAML_BETA.into()))?;
            if pins.iter().all(|(name, ..)| *name != beta.0) {
                pins.push(beta);
            }
        }
        let parts: Vec<Part<'_>> = self
            .repositories
            .iter()
            .rev()
            .map(|repository| Part { index: repository.index, names: Some(&repository.reached) })
            .collect();
        Index::from_parts(&parts, &pins).map_err(too_large)
    }

    /// Names everything that the results on all platforms depend on: as long as it is the same, so are they.
    pub(super) fn key(&self) -> Key {
        let mut digest = Digest::default();
        digest.add("solver-service/2");
        let SolveRequest { root_pkgs, pinned_pkgs, platforms, opam_repository_commits } = self.request;
        digest.add(root_pkgs);
        digest.add(pinned_pkgs);
        digest.add(platforms);
        for ((url, _), ReadRepository { index, reached, .. }) in opam_repository_commits.iter().zip(&self.repositories)
        {
            digest.add(url.as_str());
            let stamps: Vec<_> = Part { index, names: Some(reached) }.stamps().collect();
            digest.add(&stamps);
        }
        digest.key()
    }

    /// The packages that there are, for each group of platforms that have the same.
    pub(super) fn indexes(&self) -> impl Iterator<Item = &Index> {
        self.packages.iter().map(|packages| &packages.index)
    }

    /// Whether a package is brought by the request, on whatever platform.
    pub(super) fn brings(&self, name: &str) -> bool {
        self.roots.iter().chain(&self.pinned).any(|(own, ..)| own.as_str() == name)
    }
}

/// The repositories with the names that a request can reach.
fn read<'r, 'g>(
    repositories: &'r [Arc<Repository>],
    request: &SolveRequest,
    brought: impl Iterator<Item = &'g GivenPackage>,
) -> Result<Vec<ReadRepository<'r>>, Refusal> {
    let mut names: Vec<&str> = vec![COMPILER];
    for (name, _, file) in brought {
        names.push(name.as_str());
        mentioned(&file.depends, &mut names);
        mentioned(&file.conflicts, &mut names);
    }
    names.extend(request.platforms.iter().map(|(_, vars)| vars.ocaml_package.as_str()));
    let tables: Vec<(&Index, &Reach)> =
        repositories.iter().map(|repository| repository.by_directory().map_err(too_large)).collect::<Result<_, _>>()?;
    let reached = closure(&tables, names);
    let read = repositories.iter().zip(tables).zip(reached);
    Ok(read.map(|((repository, (index, _)), reached)| ReadRepository { repository, index, reached }).collect())
}

fn mentioned<'f>(formula: &'f Formula<Dependency>, names: &mut Vec<&'f str>) {
    match formula {
        Formula::Empty => {}
        Formula::Atom(dependency) => names.push(dependency.name.as_str()),
        Formula::And(parts) | Formula::Or(parts) => parts.iter().for_each(|part| mentioned(part, names)),
    }
}

/// The platform's variables.
fn platform(vars: &Vars) -> Platform {
    let mut platform = Platform::default();
    for (name, value) in [
        ("arch", vars.arch.as_str()),
        ("os", &vars.os),
        ("os-distribution", &vars.os_distribution),
        ("os-version", &vars.os_version),
        ("os-family", &vars.os_family),
        ("opam-version", &vars.opam_version),
        ("ocaml:native", "true"),
    ] {
        platform.set(name, value);
    }
    platform
}

fn too_large(error: impl std::fmt::Display) -> Refusal {
    Refusal::Msg(error.to_string())
}
