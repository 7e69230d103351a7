//! `caravan health`

use super::columns::{Place, failed, packages, places};
use super::states::open_at;
use crate::arguments::{Columns, Format, Global, Health};
use crate::failure::{Failure, NO};
use crate::output::{Counter, Output};
use crate::session::Session;
use caravan_planning::compare::{Rows, Side, blockers, compare};
use caravan_planning::matrix::Matrix;
use caravan_planning::report::{HealthReport, health_text, markdown, page};
use caravan_revdeps::impact::Target;
use caravan_solver::{Flags, Stop};
use std::process::ExitCode;
use std::time::Duration;

/// Where nothing else is said.
const USUAL: &str = "health-check";

pub(crate) fn run(global: &Global, arguments: &Health, output: &mut Output) -> Result<ExitCode, Failure> {
    let stop = match arguments.time_limit {
        Some(limit) => Stop::new().within(Duration::from_millis(limit)),
        None => Stop::new(),
    };
    let report = match arguments.compare.as_deref() {
        Some([a, b]) => compared(global, arguments, a, b, &stop, output)?,
        _ => {
            let session = Session::open(global, output)?;
            let places = places(&arguments.columns, &session.index, USUAL)?;
            let matrix = matrix(arguments, &session, &places, &stop, output)?;
            let label = session.label();
            let sides = (0..places.len()).map(|column| (Side { matrix: &matrix, column }, label.clone()));
            HealthReport::new(&sides.collect::<Vec<_>>(), rows(arguments), None)
        }
    };
    match output.format {
        Format::Json => output.json(&report)?,
        Format::HealthCheck => output.json(&report.health_check())?,
        Format::Markdown => output.bytes(markdown(&report).as_bytes())?,
        Format::Html => output.bytes(page(&report, "What can be installed").as_bytes())?,
        _ => {
            // Of thousands of packages the numbers are shown, of a few each one.
            let each = arguments.verbose || !arguments.rows.patterns.is_empty() && report.comparison.is_none();
            let named = report.packages.len() <= 20 && !arguments.rows.patterns.is_empty();
            output.bytes(health_text(&report, each, arguments.verbose || named).as_bytes())?;
        }
    }
    let lost = report.comparison.as_ref().is_some_and(|comparison| !comparison.lost.is_empty());
    Ok(if lost { ExitCode::from(NO) } else { ExitCode::SUCCESS })
}

fn rows(arguments: &Health) -> Rows {
    if arguments.rows.all_versions { Rows::ByVersion } else { Rows::ByName }
}

fn matrix<'s>(
    arguments: &Health,
    session: &'s Session,
    places: &[Place],
    stop: &Stop,
    output: &mut Output,
) -> Result<Matrix<'s>, Failure> {
    let index = &session.index;
    let packages = packages(&arguments.rows, index)?;
    let targets: Vec<Target> = places.iter().map(|place| place.target.clone()).collect();
    let flags = Flags { with_test: arguments.with_test, with_doc: arguments.with_doc, ..Flags::default() };
    let counter = Counter::new(output, "solving", packages.len() * targets.len());
    let made = Matrix::new(index, &targets, packages, flags, stop, &|done| counter.done(done));
    drop(counter);
    made.map_err(|error| failed(index, &targets, error))
}

/// One side of `--compare`: a platform, a commit, or both.
struct Spec<'t> {
    platform: Option<&'t str>,
    revision: Option<&'t str>,
}

impl<'t> Spec<'t> {
    fn new(text: &'t str) -> Self {
        let (platform, revision) = text.split_once('@').map_or((text, None), |(a, b)| (a, Some(b)));
        Self {
            platform: Some(platform).filter(|text| !text.is_empty()),
            revision: revision.filter(|text| !text.is_empty()),
        }
    }

    /// Its platform; without one, the only one that `--platform` and `--ocaml` name, else the newest
    /// compiler.
    fn place(&self, arguments: &Columns, session: &Session) -> Result<Place, Failure> {
        let own = Columns {
            platforms: self.platform.map_or_else(|| arguments.platforms.clone(), |text| vec![text.to_owned()]),
            ocaml: if self.platform.is_some_and(|text| !text.contains('/')) { vec![] } else { arguments.ocaml.clone() },
            catalogue: arguments.catalogue.clone(),
        };
        let mut places = places(&own, &session.index, "docs-ci")?;
        match (places.pop(), places.is_empty()) {
            (Some(only), true) => Ok(only),
            _ => Err(Failure::usage("`--compare` compares two platforms, not sets of them").hint(
                "write for instance `--compare 5.4 5.5`, or `--compare @HEAD~10 @HEAD --platform debian-13-5.4`",
            )),
        }
    }
}

fn compared(
    global: &Global,
    arguments: &Health,
    a: &str,
    b: &str,
    stop: &Stop,
    output: &mut Output,
) -> Result<HealthReport, Failure> {
    let (a, b) = (Spec::new(a), Spec::new(b));
    let open = |revision: Option<&str>, output: &mut Output| match revision {
        Some(revision) => open_at(global, revision, output),
        None => Session::open(global, output),
    };
    let before = open(a.revision, output)?;
    let after = open(b.revision, output)?;
    let (mut old, mut new) = (a.place(&arguments.columns, &before)?, b.place(&arguments.columns, &after)?);
    if old.target.label == new.target.label {
        // Columns are told apart by their labels.
        for (place, spec) in [(&mut old, &a), (&mut new, &b)] {
            if let Some(revision) = spec.revision {
                place.target.label = format!("{}@{revision}", place.target.label);
            }
        }
    }
    if old.target.label == new.target.label {
        return Err(Failure::usage("`--compare` was given the same platform and commit twice")
            .hint("write for instance `--compare 5.4 5.5`, or `--compare @HEAD~10 @HEAD`"));
    }
    let first = matrix(arguments, &before, &[old], stop, output)?;
    let second = matrix(arguments, &after, &[new], stop, output)?;
    let (first, second) = (Side { matrix: &first, column: 0 }, Side { matrix: &second, column: 0 });
    let comparison = compare(first, second, rows(arguments));
    let lost: Vec<usize> = comparison.lost.iter().map(|(_, row)| *row).collect();
    let found =
        output.spinning("looking for what stands in the way", || blockers(second, &lost, arguments.blockers, stop));
    let found = found.map_err(super::solve::failure)?;
    let sides = [(first, before.label()), (second, after.label())];
    Ok(HealthReport::new(&sides, rows(arguments), Some((&comparison, &found))))
}
