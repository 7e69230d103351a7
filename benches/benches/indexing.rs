//! Making the index, against merely reading the same files with the same threads; stepping from
//! commit to commit; opening a warm cache.
#![expect(missing_docs, reason = "criterion's macros make public items")]

use caravan_benches::{bare_repository, checkout, last_step, read_all, threads};
use criterion::{Criterion, criterion_group, criterion_main};
use opam_parser::index::Index;
use opam_parser::repository::{Cache, Location};
use opam_parser::source::Source;
use opam_parser::source::directory::DirectorySource;
use opam_parser::source::git::GitSource;
use std::hint::black_box;

fn indexing(c: &mut Criterion) {
    let mut group = c.benchmark_group("index");
    group.sample_size(20);
    let pool = threads(2);
    let checkout = checkout();
    let directory = || DirectorySource::open(&checkout).expect("the checkout is there");
    let index = |source: &dyn Source| pool.install(|| caravan_tests::index_of(source));
    group.bench_function("checkout/floor-read", |b| b.iter(|| pool.install(|| read_all(&directory()))));
    group.bench_function("checkout/index", |b| b.iter(|| index(&directory())));
    if let Some(repository) = bare_repository() {
        let commit = || GitSource::open(&repository, "main").expect("the branch is there");
        group.bench_function("bare-commit/floor-read", |b| b.iter(|| pool.install(|| read_all(&commit()))));
        group.bench_function("bare-commit/index", |b| b.iter(|| index(&commit())));
        let (before, after) = last_step(&repository);
        let before = index(&before);
        group.bench_function("step-to-next-commit", |b| {
            b.iter(|| pool.install(|| drop(black_box(before.read_again(&after)))));
        });
    }
    group.finish();
}

fn opening(c: &mut Criterion) {
    let mut group = c.benchmark_group("warm-cache");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let cache = Cache::new(folder.path());
    let mut bench = |name: &str, location: Location| {
        // The second opening finds what the first one stored; files too young for their times to be
        // trusted are only then recorded.
        for _ in 0..2 {
            cache.open(&location, &|_, _| {}).expect("the repository can be read");
        }
        group.bench_function(name, |b| b.iter(|| cache.open(&location, &|_, _| {})));
    };
    bench("working-tree", Location::Directory { path: checkout(), marks: None });
    if let Some(path) = bare_repository() {
        bench("git-commit", Location::Git { path, revision: "main".into(), before: None });
    }
    let index: Index = caravan_tests::index_of(&DirectorySource::open(&checkout()).expect("the checkout is there"));
    group.bench_function("validate", |b| b.iter(|| Index::from_bytes(index.as_bytes())));
    group.finish();
}

criterion_group!(benches, indexing, opening);
criterion_main!(benches);
