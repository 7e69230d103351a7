//! What is asked: roots with their constraints and dependency flags.

use opam_parser::atom::Atom;
use opam_parser::syntax::RelOp;

/// Which optional dependencies of a root are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Those for its tests (`with-test`).
    pub with_test: bool,
    /// Those for its documentation (`with-doc`).
    pub with_doc: bool,
    /// Those for working on it (`with-dev-setup`).
    pub with_dev_setup: bool,
    /// Those of its development version (`dev`); `None`: as its source says (rule F34).
    pub dev: Option<bool>,
}

/// A package that must be in the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Its name, and constraints on its version that all have to hold.
    pub name: opam_parser::name::PackageName,
    /// The constraints.
    pub constraints: Vec<(RelOp, opam_parser::version::Version)>,
    /// Its dependency flags.
    pub flags: Flags,
}

impl From<Atom> for Root {
    fn from(atom: Atom) -> Self {
        Self { name: atom.name, constraints: atom.constraint.into_iter().collect(), flags: Flags::default() }
    }
}

/// Which versions are preferred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preference {
    /// The newest.
    #[default]
    Newest,
    /// The oldest.
    Oldest,
}

/// A request to the solver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// What must be installed; the earlier ones get the better versions where they compete.
    pub roots: Vec<Root>,
    /// Which versions are preferred.
    pub preference: Preference,
}

impl Problem {
    /// A request for the newest versions.
    pub fn new(roots: impl IntoIterator<Item = Atom>) -> Self {
        Self { roots: roots.into_iter().map(Root::from).collect(), preference: Preference::Newest }
    }
}
