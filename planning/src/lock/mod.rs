//! Lock files: a project's solution, to be had again.
//!
//! ```text
//! a project's opam files, pinned ── solve ──> a solution ─┬─ opam ──> NAME.opam.locked, as `opam lock` writes it
//!                     only what builds with dune ─────────┴─ monorepo ──> PROJECT.opam.locked, for opam-monorepo
//! every lock file ── read again, solved for ──> the same solution, or an error
//! ```

mod monorepo;
mod opam;

pub use monorepo::{Monorepo, Rules, monorepo};
pub use opam::locked;

use caravan_solver::problem::{Constraint, Pin, SettingError};
use caravan_solver::{Flags, Request, Root, SolveError, View, solve};
use opam_parser::file::OpamFile;
use opam_parser::index::{Index, PackageId};
use opam_parser::syntax::RelOp;

/// Why there is no lock file.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// There is no solution, or it was stopped.
    #[error(transparent)]
    Solve(#[from] SolveError),
    /// There is a solution, but not with packages that build with dune alone.
    #[error("there is a solution, but these of its packages do not build with dune: {}", .0.join(", "))]
    WithoutDune(Vec<String>),
    /// There is a solution, but only with packages of one repository from different archives of it.
    #[error("there is a solution, but with packages of one source repository in different versions")]
    SplitSources,
    /// A package's opam file cannot be read.
    #[error("the opam file of `{0}` cannot be read")]
    Unreadable(String),
    /// The project's own files make no index.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The lock file does not say what it should. This is a bug of caravan.
    #[error("the lock file is wrong, which is a bug of caravan: {0}")]
    Wrong(String),
}

/// A project's packages as roots, each with its tests if wanted.
pub fn roots(packages: &[Pin], with_test: bool) -> Vec<Root> {
    let flags = Flags { with_test, dev: Some(true), ..Flags::default() };
    let root = |pin: &Pin| Root {
        name: pin.name.clone(),
        constraints: vec![Constraint(RelOp::Eq, pin.version.clone())],
        flags,
    };
    packages.iter().map(root).collect()
}

/// Reads a lock file again and solves for it: the only solution has to be what was locked.
///
/// `view` is of the repositories with the project's pins, and `roots` are what the lock file is asked for
/// with; `vendor` says whether the packages that it vendors count.
fn check(
    view: &View<'_>,
    name: &Pin,
    text: &str,
    roots: &[Root],
    expected: &[PackageId],
    vendor: bool,
) -> Result<(), LockError> {
    let wrong = |what: String| Err(LockError::Wrong(what));
    let parsed = OpamFile::parse(text.as_bytes());
    if let Some(found) = parsed.diagnostics.first() {
        return wrong(found.render("the lock file", text.as_bytes(), false));
    }
    let Some(file) = parsed.file else { return wrong("it is no opam file".to_owned()) };
    let index = view.index();
    let pinned = match index.with_pins(&[(name.name.clone(), name.version.clone(), file)]) {
        Ok(pinned) => pinned,
        Err(error) => return wrong(error.to_string()),
    };
    let mut platform = view.platform().clone();
    if vendor {
        platform.set("vendor", "true");
    }
    let locked = View::in_dialect(&pinned, &platform, view.dialect());
    let request = Request { roots: roots.to_vec(), ..Request::default() };
    let selection = match solve(&locked, &request) {
        Ok(selection) => selection,
        Err(error) => return wrong(format!("{error}, with it as the only root")),
    };
    let texts = |index: &Index, packages: &[PackageId]| {
        let own = |package: &PackageId| index.name(index.package_name(*package)) == name.name.as_str();
        let others = packages.iter().filter(|package| !own(package));
        others.map(|package| index.package_text(*package)).collect::<Vec<_>>()
    };
    let (found, expected) = (texts(&pinned, selection.packages()), texts(index, expected));
    match found == expected {
        true => Ok(()),
        false => wrong(format!("it leads to {}, not to {}", found.join(" "), expected.join(" "))),
    }
}

/// A string as opam files write it.
fn quoted(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
