//! Whether a selection that was found elsewhere is one here: much cheaper than looking for another.

use super::SolveError;
use super::cycle::circle;
use crate::mask::Mask;
use crate::problem::{Avoid, Request};
use crate::question::{Question, Side};
use crate::view::{Compiled, Requirement, View};
use opam_parser::index::{NameId, PackageId};
use rayon::prelude::*;

/// For each of some selections, sorted in opam's order, whether it is an answer to the request. Runs on all
/// threads of rayon's current pool.
///
/// # Errors
/// When the request names something that does not exist.
pub fn hold(view: &View<'_>, request: &Request, selections: &[Vec<PackageId>]) -> Result<Vec<bool>, SolveError> {
    let question = Question::new(&[view], request)?;
    Ok(selections.par_iter().with_min_len(64).map(|selection| holds(&question, selection)).collect())
}

fn holds(question: &Question<'_, '_>, selection: &[PackageId]) -> bool {
    let Some(side) = question.sides.first() else { return false };
    let index = side.view.index();
    let once = selection.windows(2).all(|pair| index.package_name(pair[0]) < index.package_name(pair[1]));
    let asked =
        |package: PackageId| side.roots.iter().any(|root| root.exact && root.name == index.package_name(package));
    let allowed = |package: &PackageId| {
        side.view.is_available(*package)
            && (question.avoid != Avoid::Never || !side.view.is_avoided(*package) || asked(*package))
    };
    let mut classes: Vec<NameId> =
        selection.iter().flat_map(|package| side.compiled(*package).classes.iter().copied()).collect();
    classes.sort_unstable();
    once && selection.iter().all(allowed)
        && side.roots.iter().all(|root| is_in(side, selection, root.name, &root.mask))
        && selection.iter().all(|package| is_content(side, selection, side.compiled(*package)))
        && classes.windows(2).all(|pair| pair[0] != pair[1])
        && (!question.refuses_cycles || circle(side, selection).is_none())
}

/// Whether one of the versions of a name is selected.
fn is_in(side: &Side<'_, '_>, selection: &[PackageId], name: NameId, versions: &Mask) -> bool {
    let range = side.view.index().package_range(name);
    let place = selection.partition_point(|package| package.0 < range.start);
    selection.get(place).is_some_and(|found| found.0 < range.end && versions.contains((found.0 - range.start) as usize))
}

fn is_content(side: &Side<'_, '_>, selection: &[PackageId], package: &Compiled) -> bool {
    package.impossible.is_none()
        && package.requires.iter().all(|requirement| is_met(side, selection, package, requirement))
        && !package.conflicts.iter().any(|(name, versions)| is_in(side, selection, *name, versions))
}

fn is_met(side: &Side<'_, '_>, selection: &[PackageId], of: &Compiled, requirement: &Requirement) -> bool {
    match requirement {
        Requirement::Package(name, versions) => is_in(side, selection, *name, versions),
        Requirement::Choice(choice) => of.choices[*choice as usize]
            .branches
            .iter()
            .any(|branch| branch.iter().all(|requirement| is_met(side, selection, of, requirement))),
    }
}
