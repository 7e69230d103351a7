//! A platform with what is installed on it already, and which answers there a change of some packages can
//! change.
//!
//! ```text
//! Index ── Mentions ──┐
//! changed packages ───┼─ find_affected ──> the packages whose answers can differ
//! Target ── View ─────┘
//! ```

use crate::error::SolveError;
use crate::platform::Platform;
use crate::problem::{Request, Root};
use crate::solve::batch::Verdict;
use crate::solver::Solver;
use crate::stop::Stop;
use crate::view::View;
use opam_parser::index::{Index, NameId, PackageId};
use opam_parser::version;

/// A platform to look at, with what is installed on it already: a compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// A line that names it: `linux x86_64 debian-13, OCaml 5.4`.
    pub label: String,
    /// The platform.
    pub platform: Platform,
    /// What every solution has as its first roots, and the policies.
    pub request: Request,
}

/// For each name of an index the packages whose `depends` or `depopts` mention it, whatever the platform:
/// made once, for all questions about who needs whom.
pub struct Mentions {
    /// For each name where its packages begin in `packages`; one number more than there are names.
    starts: Vec<u32>,
    packages: Vec<PackageId>,
}

impl Mentions {
    /// Looks at every package's formulas, but evaluates nothing.
    pub fn new(index: &Index) -> Self {
        let mut pairs: Vec<(NameId, PackageId)> = Vec::new();
        for package in index.packages() {
            let start = pairs.len();
            let names = index.depends(package).names().chain(index.depopts(package).names());
            pairs.extend(names.map(|name| (name, package)));
            pairs[start..].sort_unstable();
        }
        // A package's pairs are together, so equal ones are neighbours.
        pairs.dedup();
        let mut starts = vec![0; index.name_count() + 1];
        pairs.iter().for_each(|(name, _)| starts[name.place() + 1] += 1);
        (1..starts.len()).for_each(|place| starts[place] += starts[place - 1]);
        let mut next = starts.clone();
        let mut packages: Vec<PackageId> = pairs.iter().map(|(_, package)| *package).collect();
        for (name, package) in pairs {
            packages[next[name.place()] as usize] = package;
            next[name.place()] += 1;
        }
        Self { starts, packages }
    }

    /// The packages that mention a name, in opam's order.
    pub fn of(&self, name: NameId) -> &[PackageId] {
        &self.packages[self.starts[name.place()] as usize..self.starts[name.place() + 1] as usize]
    }
}

/// Whether what a request names, such as a compiler, does not exist.
pub fn is_unknown(error: &SolveError) -> bool {
    matches!(error, SolveError::UnknownName { .. } | SolveError::UnknownVersion { .. } | SolveError::Broken { .. })
}

/// The packages whose answers can be others because some packages changed, as one flag for each package of
/// the view's index: the changed ones, and what can reach one of them that can be installed.
///
/// `changed` are the packages of this state of a repository that another state does not have, or that say
/// something else there. An answer is the same in both states if its package is affected in neither. The
/// mentions are those of the view's index.
///
/// # Errors
/// When it was stopped.
pub fn find_affected(
    view: &View<'_>,
    mentions: &Mentions,
    request: &Request,
    changed: &[PackageId],
    stop: &Stop,
) -> Result<Vec<bool>, SolveError> {
    let index = view.index();
    let usable = keep_installable(view, request, changed, stop)?;
    let mut affected = reach_dependents(view, mentions, usable);
    // What every question has as its root concerns every package.
    let concerns = |root: &Root| {
        let allowed = |package: &PackageId| {
            let version = index.version(index.package_version(*package)).as_bytes();
            root.constraints.iter().all(|of| of.0.holds(version::compare(version, of.1.as_str().as_bytes())))
        };
        let versions = index.find_name(root.name.as_str()).into_iter().flat_map(|name| index.versions_of(name));
        versions.filter(allowed).any(|package| affected[package.place()])
    };
    if request.roots.iter().any(concerns) {
        affected.fill(true);
    }
    changed.iter().for_each(|package| affected[package.place()] = true);
    Ok(affected)
}

/// Of some packages those that can be installed; none where what the request names does not exist.
fn keep_installable(
    view: &View<'_>,
    request: &Request,
    packages: &[PackageId],
    stop: &Stop,
) -> Result<Vec<PackageId>, SolveError> {
    if packages.is_empty() {
        return Ok(vec![]);
    }
    let found = match Solver::new(view).stop(stop).witnesses(request, packages, &[]) {
        Ok(found) => found,
        Err(error) if is_unknown(&error) => return Ok(vec![]),
        Err(error) => return Err(error),
    };
    // What is not told may be.
    let installable = packages.iter().zip(found.verdicts).filter(|(_, verdict)| *verdict != Verdict::Not);
    Ok(installable.map(|(package, _)| *package).collect())
}

/// The packages from which one of some packages can be reached through what solutions can need, alternatives
/// included, and these packages themselves: one flag for each package.
fn reach_dependents(view: &View<'_>, mentions: &Mentions, packages: Vec<PackageId>) -> Vec<bool> {
    let index = view.index();
    let mut reached = vec![false; index.package_count()];
    packages.iter().for_each(|package| reached[package.place()] = true);
    let mut waiting = packages;
    while let Some(target) = waiting.pop() {
        let name = index.package_name(target);
        let position = index.version_position(target);
        let needs = |package: PackageId| {
            let mut needs = view.package(package).needs();
            needs.any(|(needed, versions)| needed == name && versions.contains(position))
        };
        for package in mentions.of(name) {
            if !reached[package.place()] && needs(*package) {
                reached[package.place()] = true;
                waiting.push(*package);
            }
        }
    }
    reached
}
