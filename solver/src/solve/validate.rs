//! Whether a selection that was found elsewhere is one here: much cheaper than looking for another.

use super::cycle;
use crate::error::SolveError;
use crate::mask::Mask;
use crate::policy::Avoid;
use crate::problem::Request;
use crate::question::{PlatformQuestion, Question};
use crate::view::{Compiled, Requirement, View};
use opam_parser::index::{NameId, PackageId};
use rayon::prelude::*;

/// For each of some selections, sorted in opam's order, whether it is an answer to the request.
pub(crate) fn are_solutions(
    view: &View<'_>,
    request: &Request,
    selections: &[Vec<PackageId>],
) -> Result<Vec<bool>, SolveError> {
    let question = Question::new(&[view], request)?;
    Ok(selections.par_iter().with_min_len(64).map(|selection| is_solution(&question, selection)).collect())
}

fn is_solution(question: &Question<'_, '_>, selection: &[PackageId]) -> bool {
    let Some(platform) = question.platforms.first() else { return false };
    let index = platform.view.index();
    let once = selection.windows(2).all(|pair| index.package_name(pair[0]) < index.package_name(pair[1]));
    let allowed = |package: &PackageId| {
        platform.view.is_available(*package)
            && (question.avoid != Avoid::Never
                || !platform.view.is_avoided(*package)
                || platform.asked_exactly(index.package_name(*package)))
    };
    let mut classes: Vec<NameId> =
        selection.iter().flat_map(|package| platform.compiled(*package).classes.iter().copied()).collect();
    classes.sort_unstable();
    once && selection.iter().all(allowed)
        && platform.roots.iter().all(|root| is_in(platform, selection, root.name, &root.mask))
        && selection.iter().all(|package| accepts(platform, selection, platform.compiled(*package)))
        && classes.windows(2).all(|pair| pair[0] != pair[1])
        && (!question.refuses_cycles || cycle::find_in(platform, selection).is_none())
}

/// Whether one of the versions of a name is selected.
fn is_in(platform: &PlatformQuestion<'_, '_>, selection: &[PackageId], name: NameId, versions: &Mask) -> bool {
    let range = platform.view.index().package_range(name);
    let selected = range.first_index_in(selection).and_then(|at| range.position(selection[at]));
    selected.is_some_and(|position| versions.contains(position))
}

/// Whether a package has everything that it requires and nothing that it conflicts with.
fn accepts(platform: &PlatformQuestion<'_, '_>, selection: &[PackageId], package: &Compiled) -> bool {
    package.impossible.is_none()
        && package.requires.iter().all(|requirement| is_met(platform, selection, package, requirement))
        && !package.conflicts.iter().any(|(name, versions)| is_in(platform, selection, *name, versions))
}

fn is_met(
    platform: &PlatformQuestion<'_, '_>,
    selection: &[PackageId],
    of: &Compiled,
    requirement: &Requirement,
) -> bool {
    match requirement {
        Requirement::Package(name, versions) => is_in(platform, selection, *name, versions),
        Requirement::Choice(choice) => of.choices[*choice as usize]
            .branches
            .iter()
            .any(|branch| branch.iter().all(|requirement| is_met(platform, selection, of, requirement))),
    }
}
