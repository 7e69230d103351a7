//! Questions to an index that is there: a view, solves, reverse dependencies.
#![expect(missing_docs, reason = "criterion's macros make public items")]

use caravan_benches::checkout;
use caravan_planning::builds::Builds;
use caravan_planning::catalogue::Catalogue;
use caravan_planning::docs::Docs;
use caravan_planning::matrix::{Matrix, MatrixRequest, latest};
use caravan_revdeps::impact::impact;
use caravan_revdeps::rebuild::Policy;
use caravan_revdeps::{Options, PackageSet, direct, recursive};
use caravan_solver::{Flags, Platform, Request, Solver, Stop, View};
use caravan_tests::steps::{targets, with_step};
use criterion::{Criterion, criterion_group, criterion_main};
use opam_parser::index::PackageId;
use opam_parser::source::directory::DirectorySource;
use std::hint::black_box;

fn asking(c: &mut Criterion) {
    let index = caravan_tests::index_of(&DirectorySource::open(&checkout()).expect("the checkout is there"));
    let platform = Platform::linux_x86_64();
    let root = if index.find_name("utop").is_some() { "utop" } else { "caravan-demo" };
    let request = Request::new([root.parse().expect("a name")]);
    let mut group = c.benchmark_group("ask");
    group.sample_size(20);
    group.bench_function("view-and-solve-one", |b| {
        b.iter(|| Solver::new(&View::new(&index, &platform)).solve(&request).is_ok());
    });
    let view = View::new(&index, &platform);
    group.bench_function("solve-one", |b| b.iter(|| Solver::new(&view).solve(&request).is_ok()));
    group.bench_function("solve-newest-of-every-name", |b| {
        let requests: Vec<Request> = index
            .names()
            .filter(|name| !view.name(*name).available.is_empty())
            .filter_map(|name| Some(Request::new([index.name(name).parse().ok()?])))
            .collect();
        b.iter(|| requests.iter().filter(|request| Solver::new(&view).solve(request).is_ok()).count());
    });
    if let Some(name) = index.find_name("ocaml") {
        let targets = PackageSet::of(&index, name, |_| true);
        let options = Options::default();
        group.bench_function("revdeps-of-ocaml", |b| b.iter(|| black_box(direct(&view, &targets, &options))));
        group.bench_function("recursive-revdeps-of-ocaml", |b| {
            b.iter(|| black_box(recursive(&view, &targets, &options)));
        });
    }
    group.finish();
}

/// A pull request of the usual size, and one that concerns half the repository: a release of dune.
fn impact_of(c: &mut Criterion) {
    let Some(repository) = caravan_benches::bare_repository() else { return };
    let mut group = c.benchmark_group("impact");
    group.sample_size(10);
    for (name, head) in [("usual", "main~3"), ("dune", "9725cf3dc4")] {
        with_step(&repository, &format!("{head}^"), head, |step| {
            group.bench_function(name, |b| {
                b.iter(|| black_box(impact(step, &targets(), &Policy::default(), &Stop::new())));
            });
        });
    }
    group.finish();
}

/// A health check of all latest versions on two compilers, what to build for it, and documentation.
fn planning(c: &mut Criterion) {
    let index = caravan_tests::index_of(&DirectorySource::open(&checkout()).expect("the checkout is there"));
    let Ok(catalogue) = Catalogue::builtin() else { return };
    let places = ["4.14", "5.4"].map(|platform| catalogue.platform(&index, platform).expect("it is there"));
    let targets = places.map(|place| place.target(&Request::default()));
    let rows: Vec<PackageId> = latest(&index, &index.packages().collect::<Vec<_>>());
    let matrix = || {
        Matrix::decide(
            &index,
            MatrixRequest { targets: &targets, rows: rows.clone(), flags: Flags::default() },
            &Stop::new(),
            &|_| {},
        )
    };
    let mut group = c.benchmark_group("plan");
    group.sample_size(10);
    group.bench_function("matrix", |b| b.iter(|| black_box(matrix().is_ok())));
    if let Ok(matrix) = matrix() {
        group.bench_function("builds", |b| b.iter(|| black_box(Builds::of(&matrix).builds.len())));
    }
    group.bench_function("documentation", |b| {
        b.iter(|| black_box(Docs::new(&index, &targets[1], index.packages().collect(), &Stop::new(), &|_| {}).is_ok()));
    });
    group.finish();
}

criterion_group!(benches, asking, impact_of, planning);
criterion_main!(benches);
