//! What packages require, without filters.

use crate::mask::Mask;
use opam_parser::index::NameId;

/// Names, each with some of its versions.
pub type Versions = Box<[(NameId, Mask)]>;

/// What a package requires and conflicts with, without filters.
#[derive(Clone, Debug, Default)]
pub struct Compiled {
    /// What it requires, in the order in which it is written.
    pub requires: Vec<Requirement>,
    /// The disjunctions in it.
    pub choices: Vec<Choice>,
    /// What it must not be together with.
    pub conflicts: Vec<(NameId, Mask)>,
    /// The classes of which it must be the only member.
    pub classes: Vec<NameId>,
    /// It contradicts itself, so it can never be installed.
    pub impossible: Option<Impossible>,
}

impl Compiled {
    /// Every package that its requirements mention, those of all branches of disjunctions included.
    pub fn needs(&self) -> impl Iterator<Item = (NameId, &Mask)> {
        let branches = self.choices.iter().flat_map(|choice| choice.branches.iter().flatten());
        self.requires.iter().chain(branches).filter_map(|requirement| match requirement {
            Requirement::Package(name, mask) => Some((*name, mask)),
            Requirement::Choice(_) => None,
        })
    }
}

/// Why a version can never be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Impossible {
    /// It conflicts with itself, and the dialect minds (rule Z4).
    ConflictsWithItself,
    /// It requires another version of itself (rule S10).
    RequiresAnotherVersion,
}

/// One conjunct of a package's dependencies.
#[derive(Clone, Debug)]
pub enum Requirement {
    /// One of these versions of a package.
    Package(NameId, Mask),
    /// One branch of a disjunction ([`Compiled::choices`]).
    Choice(u32),
}

/// A disjunction between different packages; earlier branches are preferred.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Each with all that it requires.
    pub branches: Vec<Vec<Requirement>>,
}
