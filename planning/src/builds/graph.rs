//! A graph of distinct builds, and the jobs that need them.

use caravan_solver::Flags;
use opam_parser::index::PackageId;
use rustc_hash::FxHashSet;

/// A build, by its place in [`Builds::builds`].
pub type BuildId = u32;

/// A package built with certain others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Which of the platforms.
    pub platform: usize,
    /// The package.
    pub package: PackageId,
    /// What the package was asked for with, such as its tests.
    pub flags: Flags,
    /// The builds that it is built with directly; each has a smaller number than this one.
    pub needs: Vec<BuildId>,
    /// How many jobs need it.
    pub jobs: u32,
}

/// A solution to be realised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Which of the platforms.
    pub platform: usize,
    /// The package that it is about.
    pub package: PackageId,
    /// The build of that package.
    pub build: BuildId,
    /// All builds of the solution, in the order of their numbers.
    pub builds: Vec<BuildId>,
}

/// Distinct builds, and the jobs that need them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Builds {
    /// The builds; what a build needs comes before it.
    pub builds: Vec<Build>,
    /// The jobs, by platform and package.
    pub jobs: Vec<Job>,
}

impl Builds {
    /// Adds the builds and jobs of a platform.
    pub(super) fn append(&mut self, platform: usize, part: Self) {
        let offset = self.builds.len() as BuildId;
        self.builds.extend(part.builds.into_iter().map(|mut build| {
            build.platform = platform;
            build.needs.iter_mut().for_each(|need| *need += offset);
            build
        }));
        self.jobs.extend(part.jobs.into_iter().map(|mut job| {
            job.platform = platform;
            job.build += offset;
            job.builds.iter_mut().for_each(|build| *build += offset);
            job
        }));
    }

    /// How many builds there would be if every job did its own.
    pub fn without_sharing(&self) -> usize {
        self.jobs.iter().map(|job| job.builds.len()).sum()
    }

    /// Everything that a build is built with, itself included, in the order of numbers.
    pub fn closure(&self, build: BuildId) -> Vec<BuildId> {
        let mut found = vec![build];
        let mut seen: FxHashSet<BuildId> = found.iter().copied().collect();
        let mut next = 0;
        while let Some(at) = found.get(next).copied() {
            next += 1;
            found.extend(self.builds[at as usize].needs.iter().filter(|need| seen.insert(**need)));
        }
        found.sort_unstable();
        found
    }
}
