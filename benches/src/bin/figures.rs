//! The figures that the project promises, measured on the real repository and printed with their
//! limits: `cargo run --profile dist -p caravan-benches --bin figures`. Exits with 1 if one is missed.
//!
//! Times are medians; a ratio is the median of ratios of runs that alternate. Whole commands are
//! run as a user runs them, with two threads.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "it prints figures, and a failure ends it")]

use caravan_benches::{Figures, checkout, last_step, median, read_all, threads, time};
use opam_parser::source::Source;
use opam_parser::source::directory::DirectorySource;
use opam_parser::source::git::GitSource;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// How much longer indexing takes than reading.
fn ratio(open: impl Fn() -> Box<dyn Source> + Sync) -> (f64, f64, f64) {
    let pool = threads(2);
    let (mut reading, mut indexing, mut ratios) = (vec![], vec![], vec![]);
    for _ in 0..15 {
        let read = time(|| assert!(pool.install(|| read_all(&*open())) > 0));
        let index = time(|| drop(pool.install(|| caravan_tests::index_of(&*open()))));
        reading.push(read);
        indexing.push(index);
        ratios.push(index / read);
    }
    (median(reading), median(indexing), median(ratios))
}

fn caravan() -> PathBuf {
    let root = caravan_tests::workspace();
    let status = Command::new("cargo")
        .args(["build", "--quiet", "--profile", "dist", "-p", "caravan-cli", "--features", "full"])
        .current_dir(&root)
        .status();
    assert!(status.unwrap().success(), "caravan cannot be built");
    root.join("target/dist/caravan")
}

/// `caravan solve utop`, from somewhere.
fn solve(binary: &Path, cache: &Path, from: &dyn Fn(&mut Command)) -> f64 {
    let mut command = Command::new(binary);
    command.args(["solve", "utop"]).env("CARAVAN_CACHE_DIR", cache).env("RAYON_NUM_THREADS", "2");
    command.stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
    from(&mut command);
    time(|| assert!(command.status().unwrap().success(), "{command:?} failed"))
}

fn warm(binary: &Path, from: &dyn Fn(&mut Command)) -> f64 {
    let cache = tempfile::tempdir().unwrap();
    // The first run stores the index, the second sees that its files are old enough to be trusted.
    for _ in 0..3 {
        solve(binary, cache.path(), from);
    }
    median((0..41).map(|_| solve(binary, cache.path(), from)).collect())
}

fn peak_mib() -> f64 {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN).unwrap();
    usage.max_rss() as f64 / 1024.0
}

/// What a process of its own does for [`main`]: one cold start, and the peak of its memory.
fn measure_peak(binary: &Path, place: String) {
    let cache = tempfile::tempdir().unwrap();
    solve(binary, cache.path(), &|command| {
        command.arg("--repo").arg(&place);
    });
    println!("{}", peak_mib());
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if let (Some("--peak"), Some(binary), Some(place)) =
        (arguments.next().as_deref(), arguments.next(), arguments.next())
    {
        measure_peak(Path::new(&binary), place);
        return ExitCode::SUCCESS;
    }
    let repository = caravan_tests::shared_repository("opam-repository.bundle");
    let checkout = checkout();
    let binary = caravan();
    let mut figures = Figures::default();
    let repo = |path: &str| {
        let path = path.to_owned();
        move |command: &mut Command| {
            command.arg("--repo").arg(&path);
        }
    };
    let git = format!("{}#main", repository.display());

    // The peak is that of the largest child so far, builds included: each is measured by a process of
    // its own that has no other child.
    for (what, place) in [("a checkout", checkout.display().to_string()), ("a git commit", git.clone())] {
        let own = std::env::current_exe().unwrap();
        let output = Command::new(own).arg("--peak").arg(&binary).arg(&place).output().unwrap();
        let peak: f64 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
        figures.report(&format!("peak memory of a cold `caravan solve utop`, {what}"), peak, 120.0, "MiB");
    }

    let (read, index, times) = ratio(|| Box::new(DirectorySource::open(&checkout).unwrap()));
    println!("reading a checkout {read:.1} ms, parsing and indexing it too {index:.1} ms");
    figures.report("parse and index a checkout, times reading it", times, 2.5, "x");
    let (read, index, times) = ratio(|| Box::new(GitSource::open(&repository, "main").unwrap()));
    println!("reading a bare commit {read:.1} ms, parsing and indexing it too {index:.1} ms");
    figures.report("parse and index a bare commit, times reading it", times, 2.5, "x");

    let pool = threads(2);
    let (before, after) = last_step(&repository);
    let earlier = caravan_tests::index_of(&before);
    let step = || time(|| drop(pool.install(|| earlier.read_again(&after).unwrap())));
    figures.report("step over one pull request", median((0..41).map(|_| step()).collect()), 30.0, "ms");

    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("index.tar.gz");
    let packed =
        Command::new("tar").arg("czf").arg(&archive).arg("-C").arg(&checkout).args(["repo", "packages"]).status();
    assert!(packed.unwrap().success());
    let root = folder.path().join("opam");
    fs_err::create_dir_all(root.join("repo")).unwrap();
    fs_err::write(root.join("config"), "opam-version: \"2.0\"\nrepositories: \"default\"\n").unwrap();
    fs_err::write(root.join("repo/state-0.cache"), "as opam leaves it").unwrap();
    fs_err::os::unix::fs::symlink(&checkout, root.join("repo/default")).unwrap();
    let from_root = |command: &mut Command| {
        command.env("OPAMROOT", &root);
    };
    figures.report("warm `caravan solve utop`, git revision", warm(&binary, &repo(&git)), 15.0, "ms");
    figures.report(
        "warm `caravan solve utop`, archive",
        warm(&binary, &repo(&archive.display().to_string())),
        15.0,
        "ms",
    );
    figures.report("warm `caravan solve utop`, opam root", warm(&binary, &from_root), 15.0, "ms");
    figures.report(
        "warm `caravan solve utop`, working tree",
        warm(&binary, &repo(&checkout.display().to_string())),
        70.0,
        "ms",
    );
    figures.verdict()
}
