//! The jobs of `oracle/solver-timeouts-2024.tsv`: opam-repo-ci ran them in 2024, and opam's solver ran out
//! of time.

use caravan_solver::problem::{Preference, Root};
use caravan_solver::{Dialect, Platform, Request, View};
use opam_parser::atom::Atom;
use opam_parser::index::Index;
use opam_parser::source::git::GitSource;
use std::collections::BTreeMap;

/// One job.
pub struct Job {
    /// `debian-12-ocaml-4.14/amd64`
    pub platform: String,
    /// The package that is built, as `NAME.VERSION`.
    pub package: String,
    /// The package that the pull request changed and it is built with, unless it is that itself.
    pub with: Option<String>,
    /// With its tests.
    pub test: bool,
    /// The compiler, the package that the pull request changed, the package that is built.
    pub request: Request,
}

/// The jobs, with the repository that they ran on.
pub fn jobs() -> Vec<(Index, Vec<Job>)> {
    let repository = crate::shared_repository("opam-repository-2024.bundle");
    let index = |branch: &str| crate::index_of(&GitSource::open(&repository, branch).unwrap());
    pull_requests().into_iter().map(|(branch, jobs)| (index(&branch), jobs)).collect()
}

/// The jobs by the branch of their pull request.
pub fn pull_requests() -> BTreeMap<String, Vec<Job>> {
    let table = fs_err::read_to_string(crate::shared("oracle/solver-timeouts-2024.tsv")).unwrap();
    let mut jobs: BTreeMap<String, Vec<Job>> = BTreeMap::new();
    for row in table.lines().filter(|row| !row.starts_with('#')) {
        let columns: Vec<&str> = row.split('\t').collect();
        let [pull_request, platform, package, with, kind, bounds] = columns[..] else { panic!("{row}") };
        jobs.entry(format!("pr-{pull_request}")).or_default().push(job(platform, package, with, kind, bounds));
    }
    jobs
}

fn job(platform: &str, package: &str, with: &str, kind: &str, bounds: &str) -> Job {
    let (_, compiler) = platform.split_once("-ocaml-").unwrap();
    let series = compiler.split(['/', '-']).next().unwrap();
    let mut request = crate::steps::target(series).request;
    for option in options(compiler) {
        request.roots.push(Root::from(format!("ocaml-option-{option}").parse::<Atom>().unwrap()));
    }
    for root in [with, package].into_iter().filter(|root| *root != "-") {
        request.roots.push(Root::from(root.parse::<Atom>().unwrap()));
    }
    if kind == "test" {
        request.roots.last_mut().unwrap().flags.with_test = true;
    }
    if bounds == "lower-bounds" {
        request.prefer = Preference::Oldest;
    }
    let with = Some(with).filter(|with| *with != "-").map(str::to_owned);
    Job { platform: platform.to_owned(), package: package.to_owned(), with, test: kind == "test", request }
}

/// The compiler's options: `4.14-flambda-fp/amd64` has `flambda` and `fp`.
fn options(compiler: &str) -> Vec<&'static str> {
    const KNOWN: [&str; 6] = ["no-flat-float-array", "nnpchecker", "nnp", "flambda", "fp", "afl"];
    let mut options = Vec::new();
    let mut rest = compiler.split('/').next().and_then(|text| text.split_once('-')).map_or("", |(_, rest)| rest);
    while !rest.is_empty() {
        let option = KNOWN.into_iter().find(|known| rest.starts_with(known));
        let option = option.unwrap_or_else(|| panic!("what is `{rest}` of `{compiler}`?"));
        options.push(option);
        rest = rest[option.len()..].trim_start_matches('-');
    }
    options
}

/// The views of all platforms of some jobs, with every package looked at.
pub fn views<'i>(index: &'i Index, jobs: &[Job], dialect: Dialect) -> BTreeMap<String, View<'i>> {
    let mut views = BTreeMap::new();
    for job in jobs {
        views.entry(job.platform.clone()).or_insert_with(|| {
            let view = View::in_dialect(index, &platform(&job.platform), dialect);
            index.packages().for_each(|package| {
                view.package(package);
            });
            index.names().for_each(|name| {
                view.name(name);
            });
            view
        });
    }
    views
}

/// The variables of `debian-12-ocaml-4.14/arm64`, of `macos-homebrew-…` and `freebsd-…`.
pub fn platform(text: &str) -> Platform {
    let (distribution, rest) = text.split_once("-ocaml-").unwrap();
    let arch = match rest.split_once('/').unwrap().1 {
        "amd64" => "x86_64",
        "i386" => "x86_32",
        "arm32v7" => "arm32",
        "ppc64le" => "ppc64",
        other => other,
    };
    let mut platform = Platform::new();
    platform.set("arch", arch);
    match distribution {
        "macos-homebrew" => {
            platform.set("os", "macos");
            platform.set("os-distribution", "homebrew");
            platform.set("os-family", "homebrew");
        }
        "freebsd" => {
            platform.set("os", "freebsd");
            platform.set("os-distribution", "freebsd");
            platform.set("os-family", "bsd");
        }
        distribution => {
            platform.set("os", "linux");
            platform.set_distribution(distribution);
        }
    }
    platform
}
