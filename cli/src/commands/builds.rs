//! `caravan builds`

use super::columns::{failed, packages, places};
use super::states::last_changes;
use crate::arguments::{Builds as Arguments, Format, Global};
use crate::failure::{Failure, Kind};
use crate::output::{Counter, Output};
use crate::session::Session;
use caravan_planning::builds::dockerfile::dockerfile;
use caravan_planning::builds::fingerprint::fingerprint;
use caravan_planning::builds::keys::keys;
use caravan_planning::builds::layers::{Layers, Sharing};
use caravan_planning::builds::recipe::{Recipe, Repository};
use caravan_planning::builds::schedule::schedule;
use caravan_planning::builds::{Builds, Times};
use caravan_planning::catalogue::Entry;
use caravan_planning::matrix::Matrix;
use caravan_planning::report::{BuildsReport, builds_text, dot};
use caravan_revdeps::impact::Target;
use caravan_solver::{Flags, Stop};
use opam_parser::index::{Index, PackageId};
use rayon::prelude::*;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Where nothing else is said.
const USUAL: &str = "health-check";

pub(crate) fn run(global: &Global, arguments: &Arguments, output: &mut Output) -> Result<ExitCode, Failure> {
    if arguments.per_job && arguments.obuilder.is_none() && arguments.dockerfile.is_none() {
        return Err(Failure::usage("`--per-job` is for recipes, and none are wanted")
            .hint("add `--obuilder DIR` or `--dockerfile DIR`"));
    }
    let times = times(arguments)?;
    let session = Session::open(global, output)?;
    let index = &session.index;
    let places = places(&arguments.columns, index, USUAL)?;
    let targets: Vec<Target> = places.iter().map(|place| place.target.clone()).collect();
    let entries: Vec<Entry> = places
        .into_iter()
        .map(|place| {
            place.entry.ok_or_else(|| {
                Failure::usage(format!("`{}` has no image to build in", place.target.label))
                    .hint("name platforms of the catalogue; `caravan platforms` lists them")
            })
        })
        .collect::<Result<_, _>>()?;
    let rows = packages(&arguments.rows, index)?;
    let flags = Flags { with_test: arguments.with_test, ..Flags::default() };
    let counter = Counter::new(output, "solving", rows.len() * targets.len());
    let matrix = Matrix::new(index, &targets, rows, flags, &Stop::new(), &|done| counter.done(done));
    drop(counter);
    let matrix = matrix.map_err(|error| failed(index, &targets, error))?;
    let builds = Builds::of(&matrix);
    if arguments.obuilder.is_some() || arguments.dockerfile.is_some() {
        recipes(arguments, &session, &builds, &entries)?;
    }
    let time_of = |build: &caravan_planning::builds::Build| {
        let (name, version) = (index.package_name(build.package), index.package_version(build.package));
        times.of(index.name(name), index.version(version))
    };
    let times: Vec<Duration> = builds.builds.iter().map(time_of).collect();
    let schedule = schedule(&builds, &times, usize::from(arguments.workers));
    let platforms: Vec<String> = entries.iter().map(platform_text).collect();
    // Names of builds are only for programs, and cost a look into every file.
    let keys = match output.format {
        Format::Text => vec![],
        _ => {
            let fingerprints = fingerprints(&session, &builds)?;
            keys(&builds, index, &platforms, &|package| fingerprints[package.place()])
        }
    };
    let report = BuildsReport::new(&builds, index, &entries, &keys, &times, &schedule, usize::from(arguments.workers));
    match output.format {
        Format::Json => output.json(&report)?,
        Format::Dot => output.bytes(dot(&report).as_bytes())?,
        _ => output.bytes(builds_text(&report).as_bytes())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn times(arguments: &Arguments) -> Result<Times, Failure> {
    let Some(file) = &arguments.times else { return Ok(Times::default()) };
    let text = fs_err::read_to_string(file).map_err(|error| Failure::usage(error.to_string()))?;
    Times::parse(&file.display().to_string(), &text).map_err(|error| {
        Failure::usage("the file of times is malformed")
            .details(error.to_string())
            .hint("each line has a package and seconds: `dune 45.5`, `dune.3.20.0 41`, `* 5`")
    })
}

/// All that makes a platform what it is for builds.
fn platform_text(entry: &Entry) -> String {
    let variables = entry.variables.iter().map(|(name, value)| format!("{name}={value}"));
    std::iter::once(entry.image.clone()).chain(variables).collect::<Vec<_>>().join("\n")
}

/// What of each package's opam file matters to its build.
fn fingerprints(session: &Session, builds: &Builds) -> Result<Vec<u128>, Failure> {
    let index = &session.index;
    let mut needed: Vec<PackageId> = builds.builds.iter().map(|build| build.package).collect();
    needed.sort_unstable();
    needed.dedup();
    let one = |package: &PackageId| Ok((*package, fingerprint(&session.text(index.package_file(*package))?)));
    let found = needed.par_iter().map(one).collect::<Result<Vec<_>, Failure>>()?;
    let mut all = vec![0; index.package_count()];
    found.into_iter().for_each(|(package, fingerprint)| all[package.place()] = fingerprint);
    Ok(all)
}

fn recipes(arguments: &Arguments, session: &Session, builds: &Builds, entries: &[Entry]) -> Result<(), Failure> {
    let index: &Index = &session.index;
    if session.locations.len() > 1 {
        return Err(Failure::usage("recipes are written for one repository, and there are several"));
    }
    let commits = last_changes(&session.locations[0], index)?;
    let newest = |packages: &[PackageId]| -> String {
        let changes = packages.iter().filter_map(|package| commits.as_ref()?.of(*package));
        let newest = changes.min_by_key(|(age, _)| *age).map(|(_, commit)| commit.to_owned());
        newest.or_else(|| commits.as_ref().map(|commits| commits.oldest.clone())).unwrap_or_default()
    };
    for (platform, entry) in entries.iter().enumerate() {
        let layers = Layers::of(builds, platform, Sharing::default());
        let recipe = Recipe {
            builds,
            layers: &layers,
            index,
            entry,
            repository: if commits.is_some() { Repository::Commit(&newest) } else { Repository::Copied },
        };
        let jobs: Vec<String> = recipe.jobs().map(|(_, text)| text).collect();
        if let Some(directory) = &arguments.obuilder {
            if arguments.per_job {
                for (place, text) in jobs.iter().enumerate() {
                    let spec = recipe.job(place).map(|spec| spec.to_string()).unwrap_or_default();
                    write(&directory.join(&entry.id), &format!("{text}.spec"), &spec)?;
                }
            } else {
                write(directory, &format!("{}.spec", entry.id), &recipe.all().to_string())?;
            }
        }
        if let Some(directory) = &arguments.dockerfile {
            if arguments.per_job {
                for (place, text) in jobs.iter().enumerate() {
                    let spec = recipe.job(place).map(|spec| dockerfile(&spec)).unwrap_or_default();
                    write(&directory.join(&entry.id), &format!("{text}.Dockerfile"), &spec)?;
                }
            } else {
                write(directory, &format!("{}.Dockerfile", entry.id), &recipe.dockerfile())?;
            }
        }
    }
    Ok(())
}

fn write(directory: &Path, file: &str, text: &str) -> Result<(), Failure> {
    let done = fs_err::create_dir_all(directory).and_then(|()| fs_err::write(directory.join(file), text));
    done.map_err(|error| Failure::new(Kind::System, error.to_string()))
}
