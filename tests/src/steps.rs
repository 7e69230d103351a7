//! The history of the shared opam-repository, step by step: each commit is one merged pull request.

use crate::index_of;
use caravan_revdeps::RepositoryChange;
use caravan_revdeps::changes::{Changes, edits};
use caravan_solver::problem::{Constraint, Root};
use caravan_solver::target::Target;
use caravan_solver::{Platform, Request};
use opam_parser::index::Index;
use opam_parser::source::git::GitSource;
use opam_parser::source::history::{Commit, History};
use opam_parser::syntax::RelOp;
use opam_parser::version::Version;
use std::path::Path;

/// A step between two revisions of a repository.
pub fn with_step<T>(repository: &Path, before: &str, after: &str, work: impl FnOnce(&RepositoryChange<'_>) -> T) -> T {
    let open = |revision| GitSource::open(repository, revision).unwrap();
    let (old, new) = (index_of(&open(before)), index_of(&open(after)));
    let changes = changes(repository, &old, before, after);
    work(&RepositoryChange::new(&old, &new, changes))
}

fn changes(repository: &Path, old: &Index, before: &str, after: &str) -> Changes {
    let differences = History::open(repository).unwrap().differences(before, Some(after)).unwrap();
    let open = |revision| GitSource::open(repository, revision).unwrap();
    let (edits, unexpected) = edits(&differences, &open(before), &open(after)).unwrap();
    Changes::of(old, &edits, unexpected)
}

/// Calls `work` with every step of branch `main`, oldest first.
pub fn each_step(mut work: impl FnMut(&Commit, &RepositoryChange<'_>)) {
    let repository = crate::shared_repository("opam-repository.bundle");
    let history = History::open(&repository).unwrap();
    let mut commits: Vec<Commit> = history.first_parents("main").unwrap().collect::<Result<_, _>>().unwrap();
    commits.reverse();
    let mut before = index_of(&GitSource::open(&repository, &commits[0].id).unwrap());
    for pair in commits.windows(2) {
        let source = GitSource::open(&repository, &pair[1].id).unwrap();
        let after = before.read_again(&source).unwrap();
        let after = after.unwrap_or_else(|| Index::from_bytes(before.as_bytes()).unwrap());
        let changes = changes(&repository, &before, &pair[0].id, &pair[1].id);
        work(&pair[1], &RepositoryChange::new(&before, &after, changes));
        before = after;
    }
}

/// Debian on x86_64 with a compiler of a series: `5.4`.
pub fn target(series: &str) -> Target {
    let (major, minor) = series.split_once('.').unwrap();
    let next = format!("{major}.{:0width$}~", minor.parse::<u32>().unwrap() + 1, width = minor.len());
    let version = |text: &str| Version::new(text).unwrap();
    let mut ocaml = Root::from("ocaml".parse::<opam_parser::atom::Atom>().unwrap());
    ocaml.constraints = vec![Constraint(RelOp::Geq, version(series)), Constraint(RelOp::Lt, version(&next))];
    let platform = Platform::linux_x86_64();
    let label = format!("{}, OCaml {series}", platform.summary());
    Target { label, platform, request: Request { roots: vec![ocaml], ..Request::default() } }
}

/// The compilers that opam-repo-ci tests reverse dependencies on.
pub fn targets() -> Vec<Target> {
    vec![target("4.14"), target("5.4")]
}
