//! A documentation plan as data: the JSON of `caravan docs`.

use crate::docs::Docs;
use serde::Serialize;

/// What to build for documentation, and what of it is shown.
#[derive(Clone, Debug, Serialize)]
pub struct DocsReport {
    /// `caravan.docs/1`
    pub schema: &'static str,
    /// The platform.
    pub platform: String,
    /// The repository and its state.
    pub head: String,
    /// The earlier state whose documentation is there already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// How many versions there are.
    pub versions: usize,
    /// How many of them have a solution.
    pub solutions: usize,
    /// How many were solved for; fewer than all if there is an earlier state.
    pub solved: usize,
    /// How many packages there are, with each universe counted.
    pub universes: usize,
    /// What to install.
    pub jobs: Vec<DocsJob>,
    /// The documentation that is shown of each version.
    pub blessed: Vec<Blessed>,
}

/// A solution to install.
#[derive(Clone, Debug, Serialize)]
pub struct DocsJob {
    /// The version that it is the solution of.
    pub package: String,
    /// All packages to install, in an order in which that can be done.
    pub install: Vec<String>,
    /// Those whose documentation is new, each with its universe: what ocaml-docs-ci prepares.
    pub prepare: Vec<Prepared>,
}

/// A package in a universe.
#[derive(Clone, Debug, Serialize)]
pub struct Prepared {
    /// `NAME.VERSION`
    pub package: String,
    /// The hash of its universe, 32 hexadecimal digits.
    pub universe: String,
}

/// The documentation that is shown of a version.
#[derive(Clone, Debug, Serialize)]
pub struct Blessed {
    /// `NAME.VERSION`
    pub package: String,
    /// The hash of the universe in which it was built.
    pub universe: String,
    /// How many packages that universe has.
    pub size: usize,
}

impl DocsReport {
    /// The report of a plan.
    pub fn new(docs: &Docs<'_>, head: String, base: Option<String>) -> Self {
        let column = &docs.matrix.columns[0];
        let index = column.view.index();
        let text = |build: u32| index.package_text(docs.builds.builds[build as usize].package);
        let universe = |build: u32| docs.universes[build as usize].to_string();
        let jobs = docs.jobs.iter().map(|preparation| {
            let job = &docs.builds.jobs[preparation.job];
            let prepared = |build: &u32| Prepared { package: text(*build), universe: universe(*build) };
            DocsJob {
                package: index.package_text(job.package),
                install: job.builds.iter().map(|build| text(*build)).collect(),
                prepare: preparation.new.iter().map(prepared).collect(),
            }
        });
        let blessed = docs.blessed.iter().map(|(package, build)| Blessed {
            package: index.package_text(*package),
            universe: universe(*build),
            size: docs.universes[*build as usize].size,
        });
        Self {
            schema: "caravan.docs/1",
            platform: column.target.label.clone(),
            head,
            base,
            versions: docs.matrix.rows.len(),
            solutions: docs.builds.jobs.len(),
            solved: docs.solved,
            universes: docs.builds.builds.len(),
            jobs: jobs.collect(),
            blessed: blessed.collect(),
        }
    }
}
