//! When to do which build, on a number of workers.

use super::graph::{BuildId, Builds};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// A plan for some workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// For each build when it begins, and on which worker.
    pub builds: Vec<ScheduledBuild>,
    /// When the last build ends.
    pub end: Duration,
    /// The builds that decide how short it can be at best, first to last.
    pub critical_path: Vec<BuildId>,
    /// How long the critical path takes: no number of workers is faster.
    pub critical_time: Duration,
    /// How long all builds take together.
    pub work: Duration,
}

/// A build in a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScheduledBuild {
    /// When it begins.
    pub start: Duration,
    /// On which worker, from 0.
    pub worker: usize,
}

/// Plans builds: whenever a worker is free, it does the build on which most of what is left to do waits,
/// counted along the longest path.
pub fn schedule(builds: &Builds, times: &[Duration], workers: usize) -> Schedule {
    let count = builds.builds.len();
    let time = |build: usize| times.get(build).copied().unwrap_or_default();
    let mut wanted_by: Vec<Vec<BuildId>> = vec![Vec::new(); count];
    for (place, build) in builds.builds.iter().enumerate() {
        build.needs.iter().for_each(|need| wanted_by[*need as usize].push(place as BuildId));
    }
    // What a build needs has a smaller number, so one way through the numbers is enough.
    let mut rest = vec![Duration::ZERO; count];
    for place in (0..count).rev() {
        let after = wanted_by[place].iter().map(|next| rest[*next as usize]).max().unwrap_or_default();
        rest[place] = time(place) + after;
    }
    let mut critical_path = Vec::new();
    let mut at = (0..count).max_by_key(|place| (rest[*place], Reverse(*place)));
    while let Some(place) = at {
        critical_path.push(place as BuildId);
        let next = wanted_by[place].iter().map(|next| *next as usize);
        at = next.max_by_key(|place| (rest[*place], Reverse(*place)));
    }
    let mut missing: Vec<usize> = builds.builds.iter().map(|build| build.needs.len()).collect();
    let mut ready: BinaryHeap<(Duration, Reverse<usize>)> =
        (0..count).filter(|place| missing[*place] == 0).map(|place| (rest[place], Reverse(place))).collect();
    let mut free: BinaryHeap<Reverse<usize>> = (0..workers.max(1)).map(Reverse).collect();
    let mut running: BinaryHeap<Reverse<(Duration, usize, usize)>> = BinaryHeap::new();
    let mut scheduled = vec![ScheduledBuild { start: Duration::ZERO, worker: 0 }; count];
    let mut now = Duration::ZERO;
    loop {
        while let (Some(_), Some(_)) = (ready.peek(), free.peek()) {
            let (Some((_, Reverse(place))), Some(Reverse(worker))) = (ready.pop(), free.pop()) else { break };
            scheduled[place] = ScheduledBuild { start: now, worker };
            running.push(Reverse((now + time(place), worker, place)));
        }
        let Some(Reverse((end, worker, place))) = running.pop() else { break };
        now = end;
        free.push(Reverse(worker));
        for next in &wanted_by[place] {
            let next = *next as usize;
            missing[next] -= 1;
            if missing[next] == 0 {
                ready.push((rest[next], Reverse(next)));
            }
        }
    }
    let critical_time = critical_path.first().map_or(Duration::ZERO, |first| rest[*first as usize]);
    Schedule { builds: scheduled, end: now, critical_path, critical_time, work: (0..count).map(time).sum() }
}
