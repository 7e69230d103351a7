//! Parsing all opam files, against merely reading them.
#![expect(missing_docs, reason = "criterion's macros make public items")]

use caravan_benches::{opam_files, threads};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use opam_parser::file::{Extent, OpamFile};
use opam_parser::syntax;
use rayon::prelude::*;
use std::hint::black_box;

fn parsing(c: &mut Criterion) {
    let files = opam_files();
    let texts: Vec<Vec<u8>> = files.iter().map(|path| fs_err::read(path).unwrap_or_default()).collect();
    let mut group = c.benchmark_group("all-files");
    group.throughput(Throughput::Bytes(texts.iter().map(|text| text.len() as u64).sum())).sample_size(20);
    for count in [1, std::thread::available_parallelism().map_or(2, usize::from)] {
        let pool = threads(count);
        group.bench_function(format!("floor-read/{count}"), |b| {
            b.iter(|| pool.install(|| files.par_iter().for_each(|path| drop(black_box(fs_err::read(path))))));
        });
        group.bench_function(format!("syntax/{count}"), |b| {
            b.iter(|| pool.install(|| texts.par_iter().for_each(|text| drop(black_box(syntax::parse_file(text))))));
        });
        group.bench_function(format!("solving-fields/{count}"), |b| {
            let parse = |text: &Vec<u8>| drop(black_box(OpamFile::parse_extent(text, Extent::Solving)));
            b.iter(|| pool.install(|| texts.par_iter().for_each(parse)));
        });
        group.bench_function(format!("all-fields/{count}"), |b| {
            b.iter(|| pool.install(|| texts.par_iter().for_each(|text| drop(black_box(OpamFile::parse(text))))));
        });
    }
    group.finish();
}

criterion_group!(benches, parsing);
criterion_main!(benches);
