//! A listing as data: the JSON of `caravan revdeps` and `caravan deps` (`docs/json.md`).

use caravan_solver::View;
use caravan_solver::report::{PackageReport, variables};
use opam_parser::atom::Atom;
use opam_parser::index::PackageId;
use serde::Serialize;
use std::collections::BTreeMap;

/// `caravan.revdeps/1` or `caravan.deps/1`
#[derive(Serialize)]
pub struct ListReport {
    schema: &'static str,
    platform: BTreeMap<String, String>,
    targets: Vec<String>,
    packages: Vec<PackageReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edges: Option<Vec<[String; 2]>>,
}

impl ListReport {
    /// The JSON: what was asked for, what was found, and, if somebody wants them, which packages depend on
    /// which.
    pub fn new(
        schema: &'static str,
        view: &View<'_>,
        targets: &[Atom],
        found: &[PackageId],
        edges: Option<&[(PackageId, PackageId)]>,
    ) -> Self {
        let text = |package: &PackageId| view.index().package_text(*package);
        Self {
            schema,
            platform: variables(view.platform()),
            targets: targets.iter().map(Atom::to_string).collect(),
            packages: PackageReport::all(view.index(), found),
            edges: edges.map(|edges| edges.iter().map(|(from, to)| [text(from), text(to)]).collect()),
        }
    }
}
