//! Reading a lock file again.

use super::error::LockError;
use caravan_solver::problem::Pin;
use caravan_solver::{Request, Root, Solver, View};
use opam_parser::diagnostic::Severity;
use opam_parser::file::OpamFile;
use opam_parser::index::{Index, PackageId};

/// A lock file that was written, and what it has to lead to.
pub(super) struct LockFile<'l> {
    /// The package that it is of; its opam file does not count.
    pub(super) own: &'l Pin,
    /// The lock file.
    pub(super) text: &'l str,
    /// What it is asked for with.
    pub(super) roots: &'l [Root],
    /// The packages that it has to lead to, in opam's order; its own does not count.
    pub(super) expected: &'l [PackageId],
    /// The packages that it vendors count.
    pub(super) with_vendored: bool,
}

impl LockFile<'_> {
    /// Solves for it: the only solution has to be what was locked. `view` is of the repositories with the
    /// project's pins.
    ///
    /// # Errors
    /// [`LockError::Wrong`] if it leads elsewhere.
    pub(super) fn check(&self, view: &View<'_>) -> Result<(), LockError> {
        let wrong = |what: String| Err(LockError::Wrong(what));
        let Self { own, text, roots, expected, with_vendored } = self;
        let parsed = OpamFile::parse(text.as_bytes());
        // What the project's own file has that costs a field only, such as a field that nobody knows, is its own business.
        let error = parsed.diagnostics.iter().find(|found| found.severity == Severity::Error);
        if let Some(found) = error {
            return wrong(found.render("the lock file", text.as_bytes(), false));
        }
        let Some(file) = parsed.file else { return wrong("it is no opam file".to_owned()) };
        let index = view.index();
        let pinned = match index.with_pins(&[(own.name.clone(), own.version.clone(), file)]) {
            Ok(pinned) => pinned,
            Err(error) => return wrong(error.to_string()),
        };
        let mut platform = view.platform().clone();
        if *with_vendored {
            platform.set("vendor", "true");
        }
        let locked = View::in_dialect(&pinned, &platform, view.dialect());
        let request = Request { roots: roots.to_vec(), ..Request::default() };
        let selection = match Solver::new(&locked).solve(&request) {
            Ok(selection) => selection,
            Err(error) => return wrong(format!("{error}, with it as the only root")),
        };
        let texts = |index: &Index, packages: &[PackageId]| {
            let is_own = |package: &PackageId| index.name(index.package_name(*package)) == own.name.as_str();
            let others = packages.iter().filter(|package| !is_own(package));
            others.map(|package| index.package_text(*package)).collect::<Vec<_>>()
        };
        let (found, expected) = (texts(&pinned, selection.packages()), texts(index, expected));
        match found == expected {
            true => Ok(()),
            false => wrong(format!("it leads to {}, not to {}", found.join(" "), expected.join(" "))),
        }
    }
}
