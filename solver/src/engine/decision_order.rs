//! Which variable is decided next: depth first over what is selected, dependencies in the order in which
//! they are written (rule O7 of `docs/semantics.md`). Conflicts are not followed: they bring nothing in.
//!
//! SAT solvers choose by activity (VSIDS), the crate pubgrub by a priority that it asks for. Here the
//! order is part of what an answer means. As long as no decision is undone the walk only goes on, so it is
//! never begun again: a backjump puts it back to where it was at that decision.

use super::variable::{VariableId, VariableState};
use smallvec::SmallVec;
use std::ops::Range;

/// How far the walk over the selected packages has come.
#[derive(Default)]
pub(super) struct DecisionOrder {
    /// For each variable on the path to here, its implications that are still ahead.
    pub(super) path: Path,
    /// The variables that were passed, in the order in which they were reached.
    pub(super) visited: Vec<VariableId>,
}

type Path = SmallVec<[Range<u32>; 16]>;

/// A place in the walk to come back to.
pub(super) struct Position {
    path: Path,
    visited: u32,
}

impl DecisionOrder {
    /// Begins with the implications of the question: its roots.
    pub(super) fn start(&mut self, roots: Range<u32>) {
        self.path.push(roots);
    }

    pub(super) fn position(&self) -> Position {
        Position { path: self.path.clone(), visited: self.visited.len() as u32 }
    }

    pub(super) fn backjump<const W: usize>(&mut self, position: &Position, variables: &mut [VariableState<W>]) {
        self.path.clone_from(&position.path);
        for variable in self.visited.drain(position.visited as usize..) {
            variables[variable as usize].visited = false;
        }
    }
}
