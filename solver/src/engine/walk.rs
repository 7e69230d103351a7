//! The order of decisions: depth first over what is selected, dependencies in the order in which they
//! are written (semantics sheet, rule O7). Conflicts are not followed: they bring nothing in.
//!
//! As long as no decision is undone the walk only goes on, so it is never begun again: undoing a
//! decision puts it back to where it was then.

use super::slots::{Slot, TooWide};
use super::{Engine, Var};
use smallvec::SmallVec;
use std::ops::Range;

/// Where the walk is.
#[derive(Default)]
pub(super) struct Walk {
    /// For each variable on the way here, its demands that are still ahead.
    ahead: Frames,
    /// The variables behind, in the order in which they were reached.
    visited: Vec<u32>,
}

type Frames = SmallVec<[Range<u32>; 16]>;

/// A place to come back to.
pub(super) struct Position {
    ahead: Frames,
    visited: u32,
}

impl Walk {
    pub(super) fn start(&mut self, roots: Range<u32>) {
        self.ahead.push(roots);
    }

    pub(super) fn visited(&self) -> &[u32] {
        &self.visited
    }

    pub(super) fn position(&self) -> Position {
        Position { ahead: self.ahead.clone(), visited: self.visited.len() as u32 }
    }

    pub(super) fn back_to<const W: usize>(&mut self, position: &Position, slots: &mut [Slot<W>]) {
        self.ahead.clone_from(&position.ahead);
        for slot in self.visited.drain(position.visited as usize..) {
            slots[slot as usize].visited = false;
        }
    }
}

impl<const W: usize> Engine<'_, '_, W> {
    /// Walks on to the first variable that has no value yet.
    pub(super) fn next_undecided(&mut self) -> Result<Option<u32>, TooWide> {
        while let Some(ahead) = self.walk.ahead.last_mut() {
            let Some(demand) = ahead.clone().next() else {
                self.walk.ahead.pop();
                continue;
            };
            let demand = self.demands[demand as usize];
            let slot = &mut self.slots[demand.slot as usize];
            if demand.walked && !slot.visited {
                let Some(value) = slot.domain.single() else { return Ok(Some(demand.slot)) };
                slot.visited = true;
                ahead.start += 1;
                self.walk.visited.push(demand.slot);
                let demands = self.demands_of(demand.slot, value)?;
                self.walk.ahead.push(demands);
            } else {
                ahead.start += 1;
            }
        }
        debug_assert!(self.walk.visited.iter().all(|slot| !matches!(self.slots[*slot as usize].var, Var::Root)));
        Ok(None)
    }
}
