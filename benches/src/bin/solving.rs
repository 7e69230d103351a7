//! The figures of solving, measured on the real repository and printed with their limits, with resolvo
//! on the same packages beside them: `cargo run --profile dist -p caravan-benches --bin solving`. Exits with
//! 1 if one is missed.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "it prints figures, and a failure ends it")]

use caravan_benches::floor::Universe;
use caravan_benches::{Figures, median, threads, time};
use caravan_solver::problem::{LowerBounds, Preference};
use caravan_solver::{Dialect, Platform, Request, SolveError, Solver, View};
use caravan_tests::{hard, pigeons};
use opam_parser::index::PackageId;
use rayon::prelude::*;
use std::process::ExitCode;

// As the command line and the services have it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Times of single solves, in milliseconds, sorted.
struct Times(Vec<f64>);

impl Times {
    fn of(requests: &[Request], mut work: impl FnMut(&Request)) -> Self {
        let mut times: Vec<f64> = requests.iter().map(|request| time(|| work(request))).collect();
        times.sort_by(f64::total_cmp);
        Self(times)
    }

    fn total(&self) -> f64 {
        self.0.iter().sum()
    }

    fn quantile(&self, share: f64) -> f64 {
        self.0[((self.0.len() as f64 * share) as usize).min(self.0.len() - 1)]
    }

    fn show(&self, what: &str) {
        let [p50, p99, max] = [0.5, 0.99, 1.0].map(|share| self.quantile(share));
        println!("{what:<44} total {:>8.1} ms, p50 {p50:.3}, p99 {p99:.3}, max {max:.3}", self.total());
    }
}

/// Of several runs the one with the median total.
fn typical(mut runs: Vec<Times>) -> Times {
    runs.sort_by(|a, b| a.total().total_cmp(&b.total()));
    runs.swap_remove(runs.len() / 2)
}

fn requests(view: &View<'_>, packages: &[PackageId], prefer: Preference) -> Vec<Request> {
    let request = |package: &PackageId| Request {
        prefer,
        lower_bounds: Some(LowerBounds::EVERYTHING),
        ..Request::new([view.index().package_text(*package).parse().unwrap()])
    };
    packages.iter().map(request).collect()
}

fn main() -> ExitCode {
    let index = caravan_tests::shared_index();
    let platform = Platform::linux_x86_64();
    let mut figures = Figures::default();

    let whole = |dialect| {
        let view = View::in_dialect(&index, &platform, dialect);
        index.packages().collect::<Vec<_>>().par_iter().for_each(|package| {
            view.package(*package);
        });
        index.names().for_each(|name| {
            view.name(name);
        });
        view
    };
    let build = |count| {
        let pool = threads(count);
        let mut made = None;
        let mut once = || {
            made = None;
            time(|| made = Some(pool.install(|| whole(Dialect::Opam))))
        };
        median((0..21).map(|_| once()).collect())
    };
    println!("a view with every package looked at, on one thread: {:.1} ms", build(1));
    figures.report("a view with every package looked at, two threads", build(2), 10.0, "ms");
    let lazy = median((0..21).map(|_| time(|| drop(View::new(&index, &platform)))).collect());
    println!("a view before anything is looked at: {lazy:.2} ms");

    // The same packages for both: no versions are avoided, as resolvo would not.
    let view = whole(Dialect::Opam0install);
    let newest: Vec<PackageId> = index
        .names()
        .filter_map(|name| index.versions_of(name).nth(view.name(name).available.positions().last()?))
        .collect();
    let newest_first = requests(&view, &newest, Preference::Newest);
    let oldest_first = requests(&view, &newest, Preference::Oldest);
    println!("{} names, each with its newest available version as the root, on one thread:", newest.len());
    let universe = Universe::new(&view);
    let mut solver = universe.solver();
    let (mut ours, mut proved, mut oldest, mut floor) = (vec![], vec![], vec![], vec![]);
    for round in 0..5 {
        ours.push(Times::of(&newest_first, |request| drop(Solver::new(&view).solve(request))));
        proved.push(Times::of(&newest_first, |request| drop(Solver::new(&view).prove(true).solve(request))));
        oldest.push(Times::of(&oldest_first, |request| drop(Solver::new(&view).solve(request))));
        // It takes so much longer that three rounds are enough.
        if round < 3 {
            let mut packages = newest.iter();
            let mut next = |_: &Request| {
                packages.next().map(|package| universe.solve(&mut solver, *package));
            };
            floor.push(Times::of(&newest_first, &mut next));
        }
    }
    // Both agree on what can be installed.
    for (request, package) in newest_first.iter().zip(&newest) {
        assert_eq!(Solver::new(&view).solve(request).is_ok(), universe.solve(&mut solver, *package), "{request:?}");
    }
    let [ours, proved, oldest, floor] = [ours, proved, oldest, floor].map(typical);
    ours.show("  caravan");
    proved.show("  caravan, proved to be the best");
    oldest.show("  caravan, oldest first");
    floor.show("  resolvo");
    figures.at_least("faster than resolvo", floor.total() / ours.total(), 8.0, "x");
    figures.at_least("faster than resolvo, with the proof", floor.total() / proved.total(), 4.0, "x");
    figures.report("p99 of one solve", ours.quantile(0.99), 0.5, "ms");
    figures.report("p99 of one solve, with the proof", proved.quantile(0.99), 2.0, "ms");
    figures.report("oldest first, times newest first", oldest.total() / ours.total(), 3.0, "x");

    let opam = whole(Dialect::Opam);
    let versions: Vec<PackageId> = index.packages().filter(|package| opam.is_available(*package)).collect();
    let all = requests(&opam, &versions, Preference::Newest);
    let batch = |count| {
        let pool = threads(count);
        let run = || pool.install(|| Solver::new(&opam).solve_all(&all));
        median((0..5).map(|_| time(|| assert_eq!(run().len(), all.len()))).collect())
    };
    let (one, two) = (batch(1), batch(2));
    println!("{} available versions as roots: {one:.0} ms on one thread, {two:.0} ms on two", versions.len());
    figures.at_least("speed-up by a second core", one / two, 1.8, "x");

    for dialect in [Dialect::Opam, Dialect::Opam0install] {
        let jobs = hard::jobs();
        let mut times = Vec::new();
        let mut solvable = 0;
        for (index, jobs) in &jobs {
            let views = hard::views(index, jobs, dialect);
            for job in jobs {
                let view = &views[&job.platform];
                times.push(time(|| solvable += usize::from(Solver::new(view).solve(&job.request).is_ok())));
            }
        }
        times.sort_by(f64::total_cmp);
        let times = Times(times);
        let count = times.0.len();
        times.show(&format!("jobs that opam's solver gave up on, {dialect:?}"));
        println!("  {solvable} of {count} have a solution");
        figures.report("p99 of those jobs", times.quantile(0.99), 5.0, "ms");
        figures.report("the slowest of those jobs", times.quantile(1.0), 50.0, "ms");
    }

    // A puzzle that takes minutes, ended by its deadline.
    let puzzle = pigeons(14);
    let view = View::new(&puzzle, &platform);
    let mut request = Request::new(["flock".parse().unwrap()]);
    request.time_limit_ms = Some(30);
    let late = |work: &dyn Fn() -> bool| (0..21).map(|_| time(|| assert!(work())) - 30.0).fold(0.0, f64::max);
    let stopped = |error| matches!(error, SolveError::Stopped(_));
    let solving = late(&|| Solver::new(&view).solve(&request).is_err_and(stopped));
    let explaining = late(&|| Solver::new(&view).explain(&request).is_err_and(stopped));
    figures.report("a solve ends after its deadline, at most", solving, 10.0, "ms");
    figures.report("an explanation ends after its deadline, at most", explaining, 10.0, "ms");
    figures.verdict()
}
