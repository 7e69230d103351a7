//! Answers `builds`.

mod recipes;

use super::context::Context;
use super::plans::{PlatformNames, count_solved, not_told, packages, plan_error, plan_platforms, targets};
use crate::answer::{BuildsAnswer, BuildsPlatform, PlannedBuild, PlannedJob};
use crate::error::Error;
use crate::plan_input::times;
use crate::question::Builds;
use crate::repository::Repository;
use caravan_planning::builds::fingerprint::fingerprint;
use caravan_planning::builds::keys::{Key, keys};
use caravan_planning::builds::schedule::schedule;
use caravan_planning::builds::{self, Build, Job, Times};
use caravan_planning::catalogue::CatalogueEntry;
use caravan_planning::matrix::{Matrix, MatrixRequest};
use caravan_solver::Flags;
use caravan_solver::target::Target;
use opam_parser::index::{Index, PackageId};
use rayon::prelude::*;
use std::time::Duration;

/// Where nothing else is said.
const USUAL: &str = "health-check";

pub(super) fn answer(question: &Builds, context: &mut Context<'_>) -> Result<BuildsAnswer, Error> {
    if question.recipes.is_some_and(|wanted| wanted.per_job && !wanted.obuilder && !wanted.dockerfile) {
        return Err(Error::question("`--per-job` is for recipes, and none are wanted")
            .with_hint("add `--obuilder DIR` or `--dockerfile DIR`"));
    }
    if question.workers == 0 {
        return Err(Error::question("without workers nothing is built").with_hint("`workers` is at least 1"));
    }
    let times = question.times.as_deref().map(|text| times("times", text)).transpose()?.unwrap_or_default();
    let precedence = context.repositories.precedence();
    let repository = context.open(&question.repositories, precedence)?;
    let index = repository.index();
    let (targets, entries) = platforms(question, index)?;
    let packages = packages(&question.patterns, question.all_versions, index)?;
    let flags = Flags { with_test: question.with_test, ..Flags::default() };
    let matrix = count_solved(context.observer, packages.len() * targets.len(), |done| {
        Matrix::decide(index, MatrixRequest { targets: &targets, rows: packages, flags }, context.stop, done)
    });
    let matrix = matrix.map_err(|error| plan_error(index, &targets, error, context.stop))?;
    let not_told = not_told(&matrix, context.stop)?;
    let builds = builds::Builds::of(&matrix);
    let recipes = match question.recipes {
        Some(wanted) => recipes::recipes(wanted, &repository, &builds, &entries)?,
        None => vec![],
    };
    let keys = if question.keys { build_keys(&repository, &builds, &entries)? } else { vec![] };
    let plan = Plan { index, builds: &builds, entries: &entries, keys: &keys };
    Ok(BuildsAnswer { recipes, not_told, ..plan.answer(&times, usize::from(question.workers)) })
}

/// The platforms, all of which are the catalogue's.
fn platforms(question: &Builds, index: &Index) -> Result<(Vec<Target>, Vec<CatalogueEntry>), Error> {
    let names = PlatformNames {
        platforms: &question.platforms,
        ocaml: &question.ocaml,
        machine: None,
        catalogue: question.catalogue.as_deref(),
    };
    let platforms = plan_platforms(names, index, USUAL)?;
    let targets = targets(&platforms);
    let entries = platforms.into_iter().map(|platform| {
        platform.entry.ok_or_else(|| {
            Error::question(format!("`{}` has no image to build in", platform.target.label))
                .with_hint("name platforms of the catalogue; `caravan platforms` lists them")
        })
    });
    Ok((targets, entries.collect::<Result<_, _>>()?))
}

fn build_keys(repository: &Repository, builds: &builds::Builds, entries: &[CatalogueEntry]) -> Result<Vec<Key>, Error> {
    let platforms: Vec<String> = entries.iter().map(platform_text).collect();
    let fingerprints = fingerprints(repository, builds)?;
    Ok(keys(builds, repository.index(), &platforms, &|package| fingerprints[package.place()]))
}

/// All that makes a platform what it is for builds.
fn platform_text(entry: &CatalogueEntry) -> String {
    let variables = entry.variables.iter().map(|(name, value)| format!("{name}={value}"));
    std::iter::once(entry.image.clone()).chain(variables).collect::<Vec<_>>().join("\n")
}

/// What of each package's opam file matters to its build, in the index's order; 0 for packages that are not built.
fn fingerprints(repository: &Repository, builds: &builds::Builds) -> Result<Vec<u128>, Error> {
    let index = repository.index();
    let mut needed: Vec<PackageId> = builds.builds.iter().map(|build| build.package).collect();
    needed.sort_unstable();
    needed.dedup();
    let one = |package: &PackageId| Ok((*package, fingerprint(&repository.text(index.package_file(*package))?)));
    let found = needed.par_iter().map(one).collect::<Result<Vec<_>, Error>>()?;
    let mut all = vec![0; index.package_count()];
    found.into_iter().for_each(|(package, fingerprint)| all[package.place()] = fingerprint);
    Ok(all)
}

/// A build plan, to be told.
struct Plan<'p> {
    index: &'p Index,
    builds: &'p builds::Builds,
    entries: &'p [CatalogueEntry],
    /// The key of each build; empty if nobody wants them.
    keys: &'p [Key],
}

impl Plan<'_> {
    /// The answer without recipes.
    fn answer(&self, times: &Times, workers: usize) -> BuildsAnswer {
        let Self { index, builds, .. } = *self;
        let time = |build: &Build| {
            let (name, version) = (index.package_name(build.package), index.package_version(build.package));
            times.of(index.name(name), index.version(version))
        };
        let times: Vec<Duration> = builds.builds.iter().map(time).collect();
        let schedule = schedule(builds, &times, workers);
        let build = |(place, build): (usize, &Build)| PlannedBuild {
            key: self.keys.get(place).map(ToString::to_string).unwrap_or_default(),
            package: index.package_text(build.package),
            platform: build.platform,
            needs: build.needs.clone(),
            jobs: build.jobs,
            start: schedule.builds[place].start.as_secs_f64(),
            seconds: times[place].as_secs_f64(),
            worker: schedule.builds[place].worker,
        };
        let job = |job: &Job| PlannedJob {
            package: index.package_text(job.package),
            platform: job.platform,
            build: job.build,
        };
        BuildsAnswer {
            schema: "caravan.builds/1".into(),
            platforms: self.platforms(),
            builds: builds.builds.iter().enumerate().map(build).collect(),
            jobs: builds.jobs.iter().map(job).collect(),
            without_sharing: builds.without_sharing(),
            workers,
            seconds: schedule.end.as_secs_f64(),
            critical_seconds: schedule.critical_time.as_secs_f64(),
            work_seconds: schedule.work.as_secs_f64(),
            critical_path: schedule.critical_path.iter().map(|build| *build as usize).collect(),
            recipes: vec![],
            not_told: vec![],
        }
    }

    fn platforms(&self) -> Vec<BuildsPlatform> {
        let empty = |entry: &CatalogueEntry| BuildsPlatform {
            id: entry.id.clone(),
            image: entry.image.clone(),
            jobs: 0,
            builds: 0,
            without_sharing: 0,
        };
        let mut platforms: Vec<BuildsPlatform> = self.entries.iter().map(empty).collect();
        self.builds.builds.iter().for_each(|build| platforms[build.platform].builds += 1);
        for job in &self.builds.jobs {
            platforms[job.platform].jobs += 1;
            platforms[job.platform].without_sharing += job.builds.len();
        }
        platforms
    }
}
