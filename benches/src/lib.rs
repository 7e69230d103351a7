//! The data of the benchmarks: the real opam-repository, where it is there, else the example
//! repository (whose figures say little).

// A benchmark that cannot read its data has nothing else to do than to stop.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "programs that measure print figures, and a failure ends them"
)]

pub mod floor;
mod report;

pub use report::{Figures, median, time};

use caravan_solver::{Flags, Request, Root, Solver, View};
use caravan_tests::steps::target;
use opam_parser::index::Index;
use opam_parser::source::git::GitSource;
use opam_parser::source::{Reader, Source};
use rayon::prelude::*;
use std::hint::black_box;
use std::path::PathBuf;

/// A checkout.
pub fn checkout() -> PathBuf {
    if caravan_tests::shared_folder().is_some() {
        caravan_tests::shared_checkout()
    } else {
        eprintln!("benchmarks run on the example repository");
        caravan_tests::workspace().join("examples/repository")
    }
}

/// A bare repository whose branch `main` has a history; there is none without the shared data.
pub fn bare_repository() -> Option<PathBuf> {
    caravan_tests::shared_folder().map(|_| caravan_tests::shared_repository("opam-repository.bundle"))
}

/// All opam files of a checkout.
pub fn opam_files() -> Vec<PathBuf> {
    let list = |directory: PathBuf| fs_err::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        list(checkout().join("packages")).flat_map(list).map(|directory| directory.join("opam")).collect();
    files.sort();
    files
}

/// A pool of so many threads.
pub fn threads(count: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(count).build().unwrap()
}

/// The floor of indexing: reads every opam file of a source, with the threads of the current pool and
/// in the same pieces, and looks at none of them. Gives the bytes read.
pub fn read_all(source: &dyn Source) -> usize {
    let tops = source.tops().unwrap();
    let piece = tops.len().div_ceil(rayon::current_num_threads() * 8).max(1);
    let read = |reader: &mut dyn Reader, top: &opam_parser::source::Top| {
        let mut bytes = 0;
        let mut top = top.clone();
        let mut sink = |entry: &mut dyn opam_parser::source::Entry| {
            bytes += entry.opam()?.map_or(0, <[u8]>::len);
            Ok(())
        };
        reader.visit(&mut top, &mut sink).unwrap();
        bytes
    };
    tops.par_chunks(piece)
        .map(|tops| {
            let mut reader = source.reader().unwrap();
            tops.iter().map(|top| read(&mut *reader, top)).sum::<usize>()
        })
        .sum()
}

/// The last commit of the history, and the one before it.
pub fn last_step(repository: &std::path::Path) -> (GitSource, GitSource) {
    let open = |revision| GitSource::open(repository, revision).unwrap();
    (open("main~1"), open("main"))
}

/// How many milliseconds it takes to solve every version of every package, from a fresh view.
pub fn full_solve(index: &Index) -> f64 {
    let mut target = target("5.4");
    let root = target.request.roots.remove(0);
    let requests: Vec<Request> = index
        .packages()
        .filter_map(|package| Root::exactly(index, package, Flags::default()))
        .map(|package| Request { roots: vec![root.clone(), package], ..Request::default() })
        .collect();
    time(|| {
        let view = View::new(index, &target.platform);
        black_box(Solver::new(&view).solve_all(&requests));
    })
}
