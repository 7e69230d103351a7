//! The figures of plans over the whole of the real repository, with their limits and as ratios to a full solve
//! of it in the same run: `cargo run --profile dist -p caravan-benches --bin planning`. Exits with 1 if one is missed.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "it prints figures, and a failure ends it")]

use caravan::Answer;
use caravan::answer::HealthAnswer;
use caravan::render::{Format, TextOptions, render};
use caravan_benches::{Figures, full_solve, median, time};
use caravan_planning::builds::Builds;
use caravan_planning::builds::keys::keys;
use caravan_planning::builds::schedule::schedule;
use caravan_planning::catalogue::Catalogue;
use caravan_planning::compare::{MatrixPlatform, Rows, blockers, compare};
use caravan_planning::docs::Docs;
use caravan_planning::matrix::{Matrix, MatrixRequest, latest};
use caravan_solver::target::Target;
use caravan_solver::{Flags, Platform, Request, Stop};
use opam_parser::index::{Index, PackageId};
use opam_parser::source::git::GitSource;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;

// As the command line and the services have it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PLATFORMS: [&str; 8] = ["4.11", "4.14", "5.1", "5.2", "5.3", "5.4", "5.5", "5.5_arm64"];

fn matrix<'i>(index: &'i Index, targets: &[Target]) -> Matrix<'i> {
    let rows = latest(index, &index.packages().collect::<Vec<_>>());
    Matrix::decide(index, MatrixRequest { targets, rows, flags: Flags::default() }, &Stop::new(), &|_| {}).ok().unwrap()
}

fn main() -> ExitCode {
    let index = caravan_tests::shared_index();
    let mut figures = Figures::default();
    let full = median((0..5).map(|_| full_solve(&index)).collect());
    println!("full solve of the repository, {} versions: {full:.1} ms", index.package_count());

    let catalogue = Catalogue::builtin().unwrap();
    let targets = PLATFORMS.map(|platform| catalogue.platform(&index, platform).unwrap().target(&Request::default()));
    // Views are made anew each time, so that nothing is known of a package.
    let cold = median((0..5).map(|_| time(|| drop(black_box(matrix(&index, &targets))))).collect());
    println!("matrix of all latest versions on 8 platforms: as full solves {:.2}", cold / full);
    figures.report("matrix, 8 platforms, cold", cold, 2500.0, "ms");

    let solved = matrix(&index, &targets);
    let build = median(
        (0..5)
            .map(|_| {
                time(|| {
                    let builds = Builds::of(&solved);
                    let times = vec![Duration::from_secs(1); builds.builds.len()];
                    black_box(schedule(&builds, &times, 64));
                    black_box(keys(&builds, &index, &PLATFORMS.map(str::to_owned), &|_| 0));
                })
            })
            .collect(),
    );
    let builds = Builds::of(&solved);
    println!(
        "{} builds for {} jobs, {} without sharing: as full solves {:.2}",
        builds.builds.len(),
        builds.jobs.len(),
        builds.without_sharing(),
        build / full
    );
    figures.report("build plan of it, with schedule and keys", build, 1000.0, "ms");

    let (old, new) = (MatrixPlatform { matrix: &solved, platform: 5 }, MatrixPlatform { matrix: &solved, platform: 6 });
    let comparison = compare(old, new, Rows::ByName);
    let lost: Vec<usize> = comparison.lost.iter().map(|(_, row)| *row).collect();
    let found = median((0..3).map(|_| time(|| drop(black_box(blockers(new, &lost, 10, &Stop::new()))))).collect());
    println!("ten constraints in the way of 5.5: {found:.0} ms, as full solves {:.2}", found / full);
    let sides: Vec<(MatrixPlatform<'_, '_>, String)> = (0..8)
        .map(|column| (MatrixPlatform { matrix: &solved, platform: column }, "opam-repository".to_owned()))
        .collect();
    let answer = Answer::Health(HealthAnswer::of_matrices(&sides, Rows::ByName, None).into());
    let page = || render(&answer, Format::Html, TextOptions::default()).unwrap();
    let mut size = 0;
    let shown = median((0..3).map(|_| time(|| size = black_box(page()).len())).collect());
    println!("page of the matrix: {shown:.0} ms, {:.1} MB", size as f64 / 1e6);

    let target = Target {
        label: "docs".to_owned(),
        platform: Platform::linux_x86_64(),
        request: Request::new(["ocaml-base-compiler<=5.5.0".parse().unwrap()]),
    };
    let planned = median((0..5).map(|_| time(|| drop(black_box(plan(&index, &target))))).collect());
    println!("documentation plan of all {} versions: as full solves {:.2}", index.package_count(), planned / full);
    figures.report("documentation plan", planned, 4000.0, "ms");
    let repository = caravan_tests::shared_repository("opam-repository.bundle");
    let at = |revision: String| caravan_tests::index_of(&GitSource::open(&repository, &revision).unwrap());
    let mut steps: Vec<(f64, usize)> = Vec::new();
    for place in (0..470).step_by(10) {
        let (old, new) = (at(format!("main~{}", place + 1)), at(format!("main~{place}")));
        let before = plan(&old, &target);
        let packages: Vec<PackageId> = new.packages().collect();
        let mut solved = 0;
        let measured = time(|| {
            solved = black_box(before.step(&new, packages.clone(), &Stop::new()).ok().unwrap()).solved;
        });
        steps.push((measured, solved));
    }
    steps.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (middle, worst) = (steps[steps.len() / 2], steps[steps.len() - 1]);
    println!(
        "steps over {} pull requests: the usual one solves {} versions again, the worst {} in {:.0} ms",
        steps.len(),
        middle.1,
        worst.1,
        worst.0
    );
    figures.report("documentation step, median pull request", middle.0, 500.0, "ms");
    figures.verdict()
}

fn plan<'i>(index: &'i Index, target: &Target) -> Docs<'i> {
    Docs::new(index, target, index.packages().collect(), &Stop::new(), &|_| {}).ok().unwrap()
}
