//! Which dependencies a listing counts.

use caravan_solver::environment::DependencyFlags;

/// Which dependencies count: the options of `opam list` (docs/semantics.md, rule D6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// `--depopts`: optional dependencies too.
    pub depopts: bool,
    /// Not `--nobuild`: dependencies that are needed only to build.
    pub build: bool,
    /// `--post`: dependencies without an order.
    pub post: bool,
    /// `--with-test`
    pub with_test: bool,
    /// `--with-doc`
    pub with_doc: bool,
    /// `--with-dev-setup`
    pub with_dev_setup: bool,
    /// `--dev`
    pub dev: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            depopts: false,
            build: true,
            post: false,
            with_test: false,
            with_doc: false,
            with_dev_setup: false,
            dev: false,
        }
    }
}

/// How the formulas of one package are evaluated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evaluation {
    /// What the filters see of the options.
    pub(super) flags: DependencyFlags,
    /// What an undefined filter counts as.
    pub(super) undefined: bool,
    /// Optional dependencies count, too.
    pub(super) depopts: bool,
}

impl Options {
    fn flags(&self) -> DependencyFlags {
        DependencyFlags {
            build: Some(self.build),
            post: Some(self.post),
            with_test: Some(self.with_test),
            with_doc: Some(self.with_doc),
            with_dev_setup: Some(self.with_dev_setup),
            dev: Some(self.dev),
        }
    }

    /// For a listing of direct dependencies (rule D7).
    pub(super) fn direct(&self) -> Evaluation {
        Evaluation { flags: self.flags(), undefined: false, depopts: self.depopts }
    }

    /// For a recursive listing: opam ignores the options for tests, documentation and setup, takes `dev` from
    /// each package, and counts undefined filters as true (rule D8).
    pub(super) fn recursive(&self, is_dev: bool) -> Evaluation {
        let off = Some(false);
        let flags =
            DependencyFlags { with_test: off, with_doc: off, with_dev_setup: off, dev: Some(is_dev), ..self.flags() };
        Evaluation { flags, undefined: true, depopts: self.depopts }
    }
}
