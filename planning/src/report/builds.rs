//! A build plan as data: the JSON of `caravan builds`.

use crate::builds::Builds;
use crate::builds::keys::Key;
use crate::builds::schedule::Schedule;
use crate::catalogue::Entry;
use opam_parser::index::Index;
use serde::Serialize;
use std::fmt::Write;
use std::time::Duration;

/// Which builds realise the solutions of a matrix, and when.
#[derive(Clone, Debug, Serialize)]
pub struct BuildsReport {
    /// `caravan.builds/1`
    pub schema: &'static str,
    /// The platforms.
    pub platforms: Vec<PlatformBuilds>,
    /// The builds; what a build needs comes before it.
    pub builds: Vec<BuildReport>,
    /// The jobs.
    pub jobs: Vec<JobReport>,
    /// How many builds there would be if every job did its own.
    pub without_sharing: usize,
    /// How many workers the schedule is for.
    pub workers: usize,
    /// When the last build ends, in seconds.
    pub seconds: f64,
    /// How long it takes at best, with any number of workers.
    pub critical_seconds: f64,
    /// How long it takes on one worker.
    pub work_seconds: f64,
    /// The builds that decide how long it takes at best, by their places.
    pub critical_path: Vec<usize>,
}

/// A platform's part of a build plan.
#[derive(Clone, Debug, Serialize)]
pub struct PlatformBuilds {
    /// What it is called.
    pub id: String,
    /// The image in which builds start.
    pub image: String,
    /// How many solutions there are.
    pub jobs: usize,
    /// How many distinct builds.
    pub builds: usize,
    /// How many builds there would be if every job did its own.
    pub without_sharing: usize,
}

/// A build.
#[derive(Clone, Debug, Serialize)]
pub struct BuildReport {
    /// A name that stays the same as long as nothing changes that concerns it: 32 hexadecimal digits.
    pub key: String,
    /// `NAME.VERSION`
    pub package: String,
    /// The place of its platform.
    pub platform: usize,
    /// The places of the builds that it is built with directly.
    pub needs: Vec<u32>,
    /// How many jobs need it.
    pub jobs: u32,
    /// When it begins, in seconds.
    pub start: f64,
    /// How long it takes, in seconds.
    pub seconds: f64,
    /// On which worker.
    pub worker: usize,
}

/// A job.
#[derive(Clone, Debug, Serialize)]
pub struct JobReport {
    /// The package that it is about.
    pub package: String,
    /// The place of its platform.
    pub platform: usize,
    /// The place of that package's build; what that needs, and so on, is the whole of it.
    pub build: u32,
}

impl BuildsReport {
    /// The report of a plan.
    pub fn new(
        builds: &Builds,
        index: &Index,
        platforms: &[Entry],
        keys: &[Key],
        times: &[Duration],
        schedule: &Schedule,
        workers: usize,
    ) -> Self {
        let mut of: Vec<PlatformBuilds> = platforms
            .iter()
            .map(|entry| PlatformBuilds {
                id: entry.id.clone(),
                image: entry.image.clone(),
                jobs: 0,
                builds: 0,
                without_sharing: 0,
            })
            .collect();
        builds.builds.iter().for_each(|build| of[build.platform].builds += 1);
        for job in &builds.jobs {
            of[job.platform].jobs += 1;
            of[job.platform].without_sharing += job.builds.len();
        }
        let build = |(place, build): (usize, &crate::builds::Build)| BuildReport {
            key: keys.get(place).map(ToString::to_string).unwrap_or_default(),
            package: index.package_text(build.package),
            platform: build.platform,
            needs: build.needs.clone(),
            jobs: build.jobs,
            start: schedule.slots[place].start.as_secs_f64(),
            seconds: times[place].as_secs_f64(),
            worker: schedule.slots[place].worker,
        };
        let job = |job: &crate::builds::Job| JobReport {
            package: index.package_text(job.package),
            platform: job.platform,
            build: job.build,
        };
        Self {
            schema: "caravan.builds/1",
            platforms: of,
            builds: builds.builds.iter().enumerate().map(build).collect(),
            jobs: builds.jobs.iter().map(job).collect(),
            without_sharing: builds.without_sharing(),
            workers,
            seconds: schedule.end.as_secs_f64(),
            critical_seconds: schedule.critical_time.as_secs_f64(),
            work_seconds: schedule.work.as_secs_f64(),
            critical_path: schedule.critical_path.iter().map(|build| *build as usize).collect(),
        }
    }
}

/// The graph for Graphviz: an arrow from each build to what it needs.
pub fn dot(report: &BuildsReport) -> String {
    let mut text = String::from("digraph builds {\n  node [shape=box];\n");
    for (place, build) in report.builds.iter().enumerate() {
        let platform = report.platforms.get(build.platform).map_or("", |platform| platform.id.as_str());
        let label = match report.platforms.len() {
            1 => build.package.clone(),
            _ => format!("{}\\n{platform}", build.package),
        };
        let style = if report.critical_path.contains(&place) { ", style=bold" } else { "" };
        let _ = writeln!(text, "  b{place} [label=\"{label}\", tooltip=\"{}\"{style}];", build.key);
    }
    for (place, build) in report.builds.iter().enumerate() {
        for need in &build.needs {
            let _ = writeln!(text, "  b{place} -> b{need};");
        }
    }
    text.push_str("}\n");
    text
}
