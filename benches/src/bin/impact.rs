//! The figures of reverse dependencies, impact and history, measured on the real repository and printed with
//! their limits and as ratios to a full solve of the repository in the same run:
//! `cargo run --profile dist -p caravan-benches --bin impact`. Exits with 1 if one is missed.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "it prints figures, and a failure ends it")]

use caravan_benches::{Figures, full_solve, median, time};
use caravan_revdeps::RepositoryChange;
use caravan_revdeps::bisect::{Bisect, Sought};
use caravan_revdeps::impact::impact;
use caravan_revdeps::rebuild::Policy;
use caravan_revdeps::{Options, PackageSet, direct};
use caravan_solver::{Platform, Root, Stop, View};
use caravan_tests::steps::{each_step, target, targets};
use std::hint::black_box;
use std::process::ExitCode;

// As the command line and the services have it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let index = caravan_tests::shared_index();
    let mut figures = Figures::default();
    let full = median((0..5).map(|_| full_solve(&index)).collect());
    println!("full solve of the repository, {} versions: {full:.1} ms", index.package_count());

    let targets = targets();
    let mut times: Vec<(f64, String)> = Vec::new();
    each_step(|commit, step| {
        let measured = time(|| {
            let step = RepositoryChange::new(step.before, step.after, step.changes.clone());
            black_box(impact(&step, &targets, &Policy::default(), &Stop::new()));
        });
        times.push((measured, commit.summary.clone()));
    });
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (place, (time, what)) in times.iter().enumerate().rev().take(5) {
        println!("{place:>4} {time:>8.1} ms  {what}");
    }
    let (middle, worst) = (times[times.len() / 2].0, times[times.len() - 1].0);
    println!(
        "impact of {} pull requests on two platforms: as full solves {:.2}, worst {:.2}",
        times.len(),
        middle / full,
        worst / full
    );
    figures.report("impact of a pull request, median", middle, 300.0, "ms");
    figures.report("impact of a pull request, worst", worst, 1500.0, "ms");

    let view = View::new(&index, &Platform::linux_x86_64());
    let ocaml = PackageSet::of(&index, index.find_name("ocaml").unwrap(), |_| true);
    let revdeps =
        median((0..15).map(|_| time(|| drop(black_box(direct(&view, &ocaml, &Options::default()))))).collect());
    println!("reverse dependencies of ocaml: as full solves {:.3}", revdeps / full);
    figures.report("reverse dependencies of ocaml", revdeps, 20.0, "ms");
    // The costliest of some: what never changed is sought to the first commit.
    let repository = caravan_tests::shared_repository("opam-repository.bundle");
    let target = target("5.4");
    let bisect = |package: &str, sought| {
        let mut request = target.request.clone();
        request.roots.push(Root::from(package.parse::<opam_parser::atom::Atom>().unwrap()));
        let search = Bisect {
            path: &repository,
            head: "main",
            base: Some("main~300"),
            platform: &target.platform,
            request: &request,
            sought,
            limit: usize::MAX,
        };
        time(|| drop(black_box(search.run(&index, &Stop::new(), &|_| {}).unwrap())))
    };
    let packages = ["dune", "utop", "irmin-unix", "coq-core", "zarith"];
    let times = packages.map(|package| bisect(package, Sought::Installable).max(bisect(package, Sought::Solution)));
    let worst = times.into_iter().fold(0.0, f64::max);
    println!("bisect over 300 commits, all turns of {}: as full solves {:.1}", packages.join(", "), worst / full);
    figures.report("bisect over 300 commits, the worst of them", worst, 5000.0, "ms");
    figures.verdict()
}
