//! What matrices and a comparison found, as data.

use super::{
    Blocker, BlockerField, HealthAnswer, HealthCell, HealthComparison, HealthLost, HealthPackage, HealthPlatform,
    HealthReason,
};
use crate::answer::variables;
use caravan_planning::compare::{self, Comparison, MatrixPlatform, Rows};
use caravan_planning::matrix::{BlockingConstraint, Cell, Reason};
use opam_parser::index::{Index, PackageId};
use opam_parser::name::{PackageName, split_package};
use opam_parser::version::Version;
use std::collections::BTreeMap;

impl HealthAnswer {
    /// What matrices of one's own found: of some platforms, each with its repository's label, and of a comparison of the
    /// last two. [`ask`](crate::ask) makes it of the platforms that a question can name; here a platform may also have
    /// other roots than a compiler.
    pub fn of_matrices(
        sides: &[(MatrixPlatform<'_, '_>, String)],
        rows: Rows,
        comparison: Option<(&Comparison, &[compare::Blocker])>,
    ) -> Self {
        let comparison = comparison.and_then(|(comparison, blockers)| {
            let [.., (before, _), (after, _)] = sides else { return None };
            Some(compared(*before, *after, comparison, blockers))
        });
        Self {
            schema: "caravan.health/1".into(),
            platforms: sides.iter().map(|(side, repository)| platform(*side, repository)).collect(),
            packages: packages(sides, rows),
            comparison,
            names_packages: false,
        }
    }
}

/// A row for each version, or for each name, whose version may differ between the platforms.
fn packages(sides: &[(MatrixPlatform<'_, '_>, String)], rows: Rows) -> Vec<HealthPackage> {
    let mut packages: BTreeMap<(PackageName, Option<Version>), HealthPackage> = BTreeMap::new();
    for (place, (side, _)) in sides.iter().enumerate() {
        let index = side.index();
        for (package, cell) in side.matrix.rows.iter().zip(side.cells()) {
            let text = index.package_text(*package);
            let Some((name, version)) = split_package(&text) else { continue };
            let key = (name, (rows == Rows::ByVersion).then_some(version));
            let empty = || HealthPackage { package: String::new(), cells: vec![None; sides.len()] };
            let row = packages.entry(key).or_insert_with(empty);
            row.package = text;
            row.cells[place] = Some(health_cell(index, *package, cell));
        }
    }
    packages.into_values().collect()
}

fn platform(side: MatrixPlatform<'_, '_>, repository: &str) -> HealthPlatform {
    let target = &side.target_view().target;
    let mut not_installable = BTreeMap::new();
    for reason in side.cells().iter().filter_map(Cell::reason) {
        *not_installable.entry(reason.class.into()).or_default() += 1;
    }
    HealthPlatform {
        id: target.label.clone(),
        repository: repository.to_owned(),
        variables: variables(&target.platform),
        installable: side.matrix.installable(side.platform),
        not_installable,
        not_told: side.cells().iter().filter(|cell| cell.not_told().is_some()).count(),
    }
}

fn texts(index: &Index, packages: &[PackageId]) -> Vec<String> {
    packages.iter().map(|package| index.package_text(*package)).collect()
}

fn health_reason(index: &Index, reason: &Reason) -> HealthReason {
    HealthReason {
        class: reason.class.into(),
        path: texts(index, &reason.path),
        cause: reason.cause.clone(),
        facts: reason.facts.iter().map(Into::into).collect(),
    }
}

fn health_cell(index: &Index, package: PackageId, cell: &Cell) -> HealthCell {
    let package = index.package_text(package);
    match cell {
        Cell::Installable(selection) => {
            HealthCell::Installable { package, selection: texts(index, selection.packages()) }
        }
        Cell::Not(reason) => HealthCell::Not { package, reason: health_reason(index, reason) },
        Cell::NotTold(why) => HealthCell::NotTold { package, not_told: why.to_string() },
    }
}

fn compared(
    before: MatrixPlatform<'_, '_>,
    after: MatrixPlatform<'_, '_>,
    found: &Comparison,
    blockers: &[compare::Blocker],
) -> HealthComparison {
    let label = |side: MatrixPlatform<'_, '_>| side.target_view().target.label.clone();
    let row = |side: MatrixPlatform<'_, '_>, row: usize| side.index().package_text(side.matrix.rows[row]);
    let lost = found.lost.iter().filter_map(|(_, place)| {
        let reason = after.cells()[*place].reason()?;
        Some(HealthLost { package: row(after, *place), reason: health_reason(after.index(), reason) })
    });
    HealthComparison {
        before: label(before),
        after: label(after),
        lost: lost.collect(),
        won: found.won.iter().map(|(_, place)| row(after, *place)).collect(),
        both: found.both,
        neither: found.neither,
        not_told: found.not_told,
        gone: found.gone.iter().map(|place| row(before, *place)).collect(),
        new: found.new.iter().map(|place| row(after, *place)).collect(),
        blockers: blockers.iter().map(|found| blocker(after, found)).collect(),
    }
}

/// A constraint that stands in the way on a side.
fn blocker(side: MatrixPlatform<'_, '_>, found: &compare::Blocker) -> Blocker {
    let index = side.index();
    let (field, on) = match found.blocking {
        BlockingConstraint::Available { .. } => (BlockerField::Available, None),
        BlockingConstraint::Bound { package, on } => {
            let depends = side.target_view().view.package(package).needs().any(|(name, _)| name == on);
            let field = if depends { BlockerField::Depends } else { BlockerField::Conflicts };
            (field, Some(index.name(on).to_owned()))
        }
    };
    let frees: Vec<PackageId> = found.frees.iter().map(|place| side.matrix.rows[*place]).collect();
    Blocker {
        package: index.package_text(found.package),
        field,
        on,
        constraint: found.constraint.clone(),
        keeps_out: found.keeps_out.map(|package| index.package_text(package)),
        alternatives: texts(index, &found.alternatives),
        frees: texts(index, &frees),
        together: found.freed_with_earlier,
    }
}
