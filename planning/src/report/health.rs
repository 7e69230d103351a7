//! A health check as data: the JSON of `caravan health`, from which every other form is made.

use crate::compare::{Blocker, Comparison, Rows, Side};
use crate::matrix::{Cell, Class, Culprit, Reason};
use caravan_revdeps::report::Said;
use opam_parser::index::{Index, PackageId};
use opam_parser::name::{PackageName, split_package};
use serde::Serialize;
use std::collections::BTreeMap;

/// Which packages can be installed on which platforms, with what, and why not.
#[derive(Clone, Debug, Serialize)]
pub struct HealthReport {
    /// `caravan.health/1`
    pub schema: &'static str,
    /// The platforms, in the order of the cells.
    pub platforms: Vec<PlatformReport>,
    /// The packages, in opam's order.
    pub packages: Vec<PackageReport>,
    /// Two of the platforms beside each other, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<ComparisonReport>,
}

/// A platform, and how many packages can be installed there.
#[derive(Clone, Debug, Serialize)]
pub struct PlatformReport {
    /// What it is called.
    pub id: String,
    /// The repository and its state.
    pub repository: String,
    /// opam's variables.
    pub variables: BTreeMap<String, String>,
    /// How many packages can be installed.
    pub installable: usize,
    /// How many cannot, by the kind of reason.
    pub not_installable: BTreeMap<Class, usize>,
}

impl PlatformReport {
    /// How many packages were asked about.
    pub fn total(&self) -> usize {
        self.installable + self.not_installable.values().sum::<usize>()
    }
}

/// A package on all platforms.
#[derive(Clone, Debug, Serialize)]
pub struct PackageReport {
    /// `NAME.VERSION`; where the platforms have different versions, that of the last.
    pub package: String,
    /// What became of it on each platform; `null` where the repository does not have it.
    pub cells: Vec<Option<CellReport>>,
}

/// A package on a platform.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum CellReport {
    /// It can be installed.
    Installable {
        /// `NAME.VERSION`
        package: String,
        /// The best selection, itself included, each `NAME.VERSION`.
        selection: Vec<String>,
    },
    /// It cannot.
    Not {
        /// `NAME.VERSION`
        package: String,
        /// Why not.
        reason: ReasonReport,
    },
}

impl CellReport {
    /// Why it cannot be installed.
    pub fn reason(&self) -> Option<&ReasonReport> {
        match self {
            Self::Installable { .. } => None,
            Self::Not { reason, .. } => Some(reason),
        }
    }
}

/// Why a package cannot be installed.
#[derive(Clone, Debug, Serialize)]
pub struct ReasonReport {
    /// The kind of reason.
    pub class: Class,
    /// From the package to the one that the cause speaks of, each needing the next.
    pub path: Vec<String>,
    /// The cause in a line.
    pub cause: String,
    /// The facts that together exclude it, where the cause alone does not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Said>,
}

/// Two platforms beside each other.
#[derive(Clone, Debug, Serialize)]
pub struct ComparisonReport {
    /// The first platform.
    pub before: String,
    /// The second.
    pub after: String,
    /// Packages that can be installed on the first only, with the reason on the second.
    pub lost: Vec<LostReport>,
    /// Packages that can be installed on the second only.
    pub won: Vec<String>,
    /// How many can be installed on both.
    pub both: usize,
    /// How many on neither.
    pub neither: usize,
    /// Packages that only the first has.
    pub gone: Vec<String>,
    /// Packages that only the second has.
    pub new: Vec<String>,
    /// What is responsible: the constraints that would free the most of what is lost, first the one that
    /// would free most.
    pub blockers: Vec<BlockerReport>,
}

/// A package that can no longer be installed.
#[derive(Clone, Debug, Serialize)]
pub struct LostReport {
    /// `NAME.VERSION` on the second platform.
    pub package: String,
    /// Why not there.
    pub reason: ReasonReport,
}

/// A constraint that stands in the way.
#[derive(Clone, Debug, Serialize)]
pub struct BlockerReport {
    /// Whose it is, `NAME.VERSION`.
    pub package: String,
    /// The field that says it: `depends`, `conflicts` or `available`.
    pub field: &'static str,
    /// On what; `null` for `available`.
    pub on: Option<String>,
    /// What it says: `ocaml < 5.5`
    pub constraint: String,
    /// The version that it keeps out, the newest that can be there; `null` for `available`.
    pub keeps_out: Option<String>,
    /// Versions that say the same, and would free nothing else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<String>,
    /// The packages that could be installed without it, found by solving again.
    pub frees: Vec<String>,
    /// How many could be installed without it and all before it.
    pub together: usize,
}

/// A package in the JSON of opam-health-check, `/api/v1/latest/packages` (`peers.md`, 4.4).
#[derive(Clone, Debug, Serialize)]
pub struct HealthCheckPackage {
    name: String,
    statuses: Vec<HealthCheckStatus>,
}

#[derive(Clone, Debug, Serialize)]
struct HealthCheckStatus {
    compiler: String,
    status: &'static str,
}

fn text(index: &Index, package: PackageId) -> String {
    index.package_text(package)
}

fn reason_report(index: &Index, reason: &Reason) -> ReasonReport {
    let said = |fact: &caravan_solver::explain::Fact| Said { text: fact.to_string(), fact: fact.clone(), place: None };
    ReasonReport {
        class: reason.class,
        path: reason.path.iter().map(|package| text(index, *package)).collect(),
        cause: reason.cause.clone(),
        facts: reason.facts.iter().map(said).collect(),
    }
}

fn cell_report(index: &Index, package: PackageId, cell: &Cell) -> CellReport {
    let package = text(index, package);
    match cell {
        Cell::Installable(selection) => {
            let selection = selection.packages().iter().map(|package| text(index, *package)).collect();
            CellReport::Installable { package, selection }
        }
        Cell::Not(reason) => CellReport::Not { package, reason: reason_report(index, reason) },
    }
}

impl HealthReport {
    /// The report of some columns, each with its repository's label, and of a comparison of the last two.
    pub fn new(sides: &[(Side<'_, '_>, String)], rows: Rows, comparison: Option<(&Comparison, &[Blocker])>) -> Self {
        let mut packages: BTreeMap<(PackageName, Option<opam_parser::version::Version>), PackageReport> =
            BTreeMap::new();
        for (place, (side, _)) in sides.iter().enumerate() {
            let index = side.index();
            for (package, cell) in side.matrix.rows.iter().zip(side.cells()) {
                let package_text = text(index, *package);
                let Some((name, version)) = split_package(&package_text) else { continue };
                let key = (name, (rows == Rows::ByVersion).then_some(version));
                let empty = || PackageReport { package: String::new(), cells: vec![None; sides.len()] };
                let row = packages.entry(key).or_insert_with(empty);
                row.package = package_text;
                row.cells[place] = Some(cell_report(index, *package, cell));
            }
        }
        let platforms = sides.iter().map(|(side, repository)| {
            let column = side.column();
            let mut not_installable: BTreeMap<Class, usize> = BTreeMap::new();
            for reason in side.cells().iter().filter_map(Cell::reason) {
                *not_installable.entry(reason.class).or_default() += 1;
            }
            PlatformReport {
                id: column.target.label.clone(),
                repository: repository.clone(),
                variables: column
                    .target
                    .platform
                    .iter()
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect(),
                installable: side.matrix.installable(side.column),
                not_installable,
            }
        });
        let comparison = comparison.and_then(|(comparison, blockers)| {
            let [.., (before, _), (after, _)] = sides else { return None };
            Some(compared(*before, *after, comparison, blockers))
        });
        Self {
            schema: "caravan.health/1",
            platforms: platforms.collect(),
            packages: packages.into_values().collect(),
            comparison,
        }
    }

    /// The same in the form of opam-health-check's API: what can be installed is `good`, all else
    /// `not-available`.
    pub fn health_check(&self) -> Vec<HealthCheckPackage> {
        let package = |row: &PackageReport| HealthCheckPackage {
            name: row.package.clone(),
            statuses: self
                .platforms
                .iter()
                .zip(&row.cells)
                .map(|(platform, cell)| HealthCheckStatus {
                    compiler: platform.id.clone(),
                    status: match cell {
                        Some(CellReport::Installable { .. }) => "good",
                        _ => "not-available",
                    },
                })
                .collect(),
        };
        self.packages.iter().map(package).collect()
    }
}

fn compared(before: Side<'_, '_>, after: Side<'_, '_>, found: &Comparison, blockers: &[Blocker]) -> ComparisonReport {
    let label = |side: Side<'_, '_>| side.column().target.label.clone();
    let row = |side: Side<'_, '_>, row: usize| text(side.index(), side.matrix.rows[row]);
    let lost = found.lost.iter().filter_map(|(_, place)| {
        let reason = after.cells()[*place].reason()?;
        Some(LostReport { package: row(after, *place), reason: reason_report(after.index(), reason) })
    });
    let blocker = |blocker: &Blocker| {
        let index = after.index();
        let view = &after.column().view;
        let (field, on) = match blocker.culprit {
            Culprit::Available { .. } => ("available", None),
            Culprit::Bound { package, on } => {
                let depends = view.package(package).needs().any(|(name, _)| name == on);
                (if depends { "depends" } else { "conflicts" }, Some(index.name(on).to_owned()))
            }
        };
        BlockerReport {
            package: text(index, blocker.package),
            field,
            on,
            constraint: blocker.constraint.clone(),
            keeps_out: blocker.keeps_out.map(|package| text(index, package)),
            alternatives: blocker.alternatives.iter().map(|package| text(index, *package)).collect(),
            frees: blocker.frees.iter().map(|place| row(after, *place)).collect(),
            together: blocker.together,
        }
    };
    ComparisonReport {
        before: label(before),
        after: label(after),
        lost: lost.collect(),
        won: found.won.iter().map(|(_, place)| row(after, *place)).collect(),
        both: found.both,
        neither: found.neither,
        gone: found.gone.iter().map(|place| row(before, *place)).collect(),
        new: found.new.iter().map(|place| row(after, *place)).collect(),
        blockers: blockers.iter().map(blocker).collect(),
    }
}
