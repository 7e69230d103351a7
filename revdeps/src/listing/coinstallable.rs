//! Who can be installed together with a package: `opam list --coinstallable-with` (rules D11 and D12),
//! and the three lists of opam-repo-ci (rule D15).

use super::dependents::{direct, recursive};
use super::options::Options;
use super::package_set::PackageSet;
use caravan_solver::problem::{Cycles, Flags, Request, Root};
use caravan_solver::{SolveError, Solver, Stop, View};
use opam_parser::index::PackageId;

/// Of some packages those that can each be installed together with everything that the request asks
/// for. As for opam, packages may want to be installed before each other. For tests of every package
/// use [`View::with_flags_of_all`].
///
/// # Errors
/// When the request names something that does not exist, or it was stopped.
pub fn coinstallable(
    view: &View<'_>,
    request: &Request,
    packages: &[PackageId],
    stop: &Stop,
) -> Result<Vec<PackageId>, SolveError> {
    let request = Request { cycles: Some(Cycles::Allow), ..request.clone() };
    let verdicts = Solver::new(view).stop(stop).installable(&request, packages, Flags::default())?;
    Ok(packages.iter().zip(verdicts).filter(|(_, installable)| *installable).map(|(package, _)| *package).collect())
}

/// What opam-repo-ci tests after a change of a package: what depends on it directly, optionally or for
/// its tests, or through others, is available, and can be installed together with it and with what the
/// request asks for (a compiler). The package itself is not in it.
///
/// # Errors
/// As [`coinstallable`].
pub fn like_opam_repo_ci(
    view: &View<'_>,
    request: &Request,
    package: PackageId,
    stop: &Stop,
) -> Result<Vec<PackageId>, SolveError> {
    let index = view.index();
    let targets = PackageSet::one(index, package);
    let mut request = request.clone();
    request.roots.extend(Root::exactly(index, package, Flags::default()));
    let plain = Options::default();
    let available = |mut packages: Vec<PackageId>| {
        packages.retain(|found| *found != package && view.is_available(*found));
        packages
    };
    // The first two of its three lists, without tests.
    let mut found = available(direct(view, &targets, &Options { depopts: true, ..plain }));
    found.extend(available(recursive(view, &targets, &plain)));
    found.sort_unstable();
    found.dedup();
    let mut union = coinstallable(view, &request, &found, stop)?;
    // The third, for which the tests of every package count.
    let tested = View::in_dialect(index, view.platform(), view.dialect())
        .with_flags_of_all(Flags { with_test: true, ..Flags::default() });
    let found = available(direct(view, &targets, &Options { depopts: true, with_test: true, ..plain }));
    union.extend(coinstallable(&tested, &request, &found, stop)?);
    union.sort_unstable();
    union.dedup();
    Ok(union)
}
