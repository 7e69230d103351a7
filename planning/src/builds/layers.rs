//! Steps that many jobs begin with, so that they are done once.
//!
//! The builds of a job are put in the order of how many jobs need them. What a build needs is needed by as
//! many jobs at least, so that is an order in which they can be done; and jobs that have much in common
//! begin with the same builds. Where enough jobs go the same way, that way is a layer; what is left is the
//! job's own last step, so that what changes most comes last.

use super::graph::{BuildId, Builds};
use std::cmp::Reverse;

/// How much is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sharing {
    /// A layer is made for this many jobs at least.
    pub jobs: usize,
    /// A job goes through this many layers at most: each is a snapshot that a worker has to keep.
    pub depth: usize,
}

impl Default for Sharing {
    fn default() -> Self {
        Self { jobs: 10, depth: 8 }
    }
}

/// Builds that several jobs begin with, after those of another layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The layer before it; `None` for the first.
    pub after: Option<usize>,
    /// What it adds, in an order in which it can be done.
    pub builds: Vec<BuildId>,
    /// How many jobs go through it.
    pub jobs: usize,
}

/// How the jobs of a platform share what they build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layers {
    /// The layers; each comes after the one that it continues.
    pub layers: Vec<Layer>,
    /// The jobs of the platform, in the order of [`Builds::jobs`].
    pub jobs: Vec<LayeredJob>,
}

/// A job that begins with layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayeredJob {
    /// Its place in [`Builds::jobs`].
    pub job: usize,
    /// The last layer that it goes through; `None` if it goes through none.
    pub layer: Option<usize>,
    /// What it adds by itself, in an order in which it can be done.
    pub builds: Vec<BuildId>,
}

impl Layers {
    /// The layers of one platform's jobs.
    pub fn of(builds: &Builds, platform: usize, sharing: Sharing) -> Self {
        let order = |build: &BuildId| (Reverse(builds.builds[*build as usize].jobs), *build);
        let jobs = builds.jobs.iter().enumerate().filter(|(_, job)| job.platform == platform);
        let mut jobs: Vec<(usize, Vec<BuildId>)> = jobs
            .map(|(place, job)| {
                let mut ordered = job.builds.clone();
                ordered.sort_unstable_by_key(order);
                (place, ordered)
            })
            .collect();
        // Jobs that begin alike become neighbours.
        jobs.sort_unstable_by(|(_, a), (_, b)| a.iter().map(order).cmp(b.iter().map(order)));
        let mut split = Split { layers: Self::default(), jobs: sharing.jobs.max(2) };
        split.split(&jobs, 0, None, sharing.depth);
        let mut layers = split.layers;
        layers.jobs.sort_unstable_by_key(|job| job.job);
        layers
    }

    /// The layers that lead to one, first to last.
    pub fn path(&self, layer: Option<usize>) -> Vec<usize> {
        let mut path = Vec::new();
        let mut at = layer;
        while let Some(layer) = at {
            path.push(layer);
            at = self.layers[layer].after;
        }
        path.reverse();
        path
    }
}

/// Layers that are being made.
struct Split {
    layers: Layers,
    /// A layer is made for this many jobs at least.
    jobs: usize,
}

impl Split {
    /// Makes at most `depth` layers on the way of jobs whose builds are the same up to the place `from`, after
    /// the layer `after`. The jobs are given by their places, with their builds in order; those that begin alike
    /// are neighbours.
    fn split(&mut self, jobs: &[(usize, Vec<BuildId>)], from: usize, after: Option<usize>, depth: usize) {
        for group in jobs.chunk_by(|(_, a), (_, b)| a.get(from) == b.get(from)) {
            let (Some((_, first)), Some((_, last))) = (group.first(), group.last()) else { continue };
            // They are sorted, so what the first and the last have in common, all have.
            let common = first[from.min(first.len())..].iter().zip(&last[from.min(last.len())..]);
            let common = common.take_while(|(a, b)| a == b).count();
            if group.len() < self.jobs || depth == 0 || common == 0 {
                let own = |(job, builds): &(usize, Vec<BuildId>)| LayeredJob {
                    job: *job,
                    layer: after,
                    builds: builds[from..].to_vec(),
                };
                self.layers.jobs.extend(group.iter().map(own));
                continue;
            }
            let layer = self.layers.layers.len();
            let builds = first[from..from + common].to_vec();
            self.layers.layers.push(Layer { after, builds, jobs: group.len() });
            self.split(group, from + common, Some(layer), depth - 1);
        }
    }
}
