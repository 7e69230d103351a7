//! Incompatibilities: sets of terms that do not all hold together.

use super::bits::Bits;
use super::variable::VariableId;

/// `variable ∈ values`. The partial solution satisfies it when nothing else is left in the variable's
/// domain.
#[derive(Clone, Copy)]
pub(super) struct Term<const W: usize> {
    pub(super) variable: VariableId,
    pub(super) values: Bits<W>,
}

/// Terms that do not all hold in any solution. As a clause: at least one of them is false.
#[derive(Clone, Copy)]
pub(super) struct Incompatibility {
    /// Its terms are those from this place …
    pub(super) start: u32,
    /// … up to and without this one.
    pub(super) end: u32,
    /// Two terms that are not both satisfied. When one of them comes to be, another is looked for.
    pub(super) watched: [u32; 2],
}

/// All incompatibilities that are not implications: those that were learned, and those that were given.
pub(super) struct Incompatibilities<const W: usize> {
    /// The terms of all of them, and of the exclusions that are reasons on the trail.
    pub(super) terms: Vec<Term<W>>,
    pub(super) list: Vec<Incompatibility>,
}

impl<const W: usize> Incompatibilities<W> {
    pub(super) fn new() -> Self {
        Self { terms: Vec::new(), list: Vec::new() }
    }

    /// The place that the next term will have.
    pub(super) fn next_term(&self) -> u32 {
        self.terms.len() as u32
    }

    /// The terms from `start` up to and without `end`.
    pub(super) fn terms(&self, start: u32, end: u32) -> &[Term<W>] {
        &self.terms[start as usize..end as usize]
    }

    pub(super) fn term(&self, place: u32) -> Term<W> {
        self.terms[place as usize]
    }
}
