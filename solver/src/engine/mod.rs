//! The search: PubGrub's, over sets of values small enough to compute with by words.
//!
//! opam's constraints become these:
//!
//! * A *variable* for each package name, whose values are its versions and "not installed" (bit 0); for
//!   each disjunction, with a value for each branch; for each conflict class, with a value for each
//!   member. [`slots`] makes them as they are met.
//! * A value's *demands* on other variables: a dependency leaves the versions that fulfil it; a conflict
//!   leaves the others and "not installed"; membership leaves one value of the class.
//! * *Incompatibilities*, sets of terms `variable ∈ values` that do not hold together. Every demand is
//!   one of two terms; [`conflict`] learns more from dead ends, by PubGrub's rule of resolution.
//!
//! A decision is always the most preferred value of the first variable without one, in a depth-first
//! walk over what is selected ([`walk`]), and everything else follows from earlier decisions. So when
//! the walk ends, every decision was the best that the earlier ones leave room for: the answer is
//! lexicographically best in that order (semantics sheet, rule O7), and no other answer is. How it was
//! found, and what was learned on the way, cannot change it.

mod bits;
mod conflict;
mod slots;
mod walk;

pub(crate) use bits::Bits;
pub(crate) use slots::{TooWide, Var};

use crate::question::Question;
use crate::stop::Stop;
use opam_parser::index::PackageId;
use rustc_hash::{FxHashMap, FxHashSet};
use slots::{Check, Demand, Slot, Table};
use smallvec::SmallVec;
use walk::Walk;

/// Which of the versions to avoid may be used in a run.
#[derive(Clone, Copy)]
pub(crate) enum Allowed<'q> {
    /// None, but for those asked for exactly.
    None,
    /// These.
    Only(&'q FxHashSet<(u8, PackageId)>),
    /// All.
    All,
}

/// What a run looks for beside what the question says.
#[derive(Clone, Copy)]
pub(crate) struct Run<'q> {
    pub(crate) allowed: Allowed<'q>,
    /// Whether those to avoid come after the others of their name.
    pub(crate) avoided_last: bool,
    /// Sets of packages that are not to be together.
    pub(crate) nogoods: &'q [Vec<(u8, PackageId)>],
    pub(crate) prefix: Option<Prefix<'q>>,
}

/// An answer's first decisions, and something else for the next.
#[derive(Clone, Copy)]
pub(crate) struct Prefix<'q> {
    /// Place and value of each variable in the answer.
    pub(crate) places: &'q FxHashMap<Var, (u32, u32)>,
    /// How many of them stay as they are.
    pub(crate) length: u32,
    /// The next one, and a predicate on its values.
    pub(crate) next: (Var, &'q dyn Fn(u32) -> bool),
}

/// How a run ended.
pub(crate) enum Outcome {
    /// The variables with their values, in the order of the walk.
    Solution(Vec<(Var, u32)>),
    NoSolution,
    Stopped,
}

/// Why a variable lost values.
#[derive(Clone, Copy)]
enum Reason {
    Decision,
    /// The owner has this value, and that has this demand.
    Demand {
        owner: u32,
        value: u32,
        demand: u32,
    },
    /// Values have demands that cannot be fulfilled: an incompatibility of these terms.
    Excluded {
        start: u32,
        end: u32,
    },
    Learned(u32),
}

/// A variable lost values.
struct Entry<const W: usize> {
    slot: u32,
    before: Bits<W>,
    /// The variable's entry before this one.
    previous: Option<u32>,
    reason: Reason,
    level: u32,
}

/// The state when a decision was made.
struct Level {
    trail: u32,
    walk: walk::Position,
}

/// A dead end: the slot would lose its last value.
struct DeadEnd {
    slot: u32,
    reason: Reason,
}

pub(crate) struct Engine<'q, 'i, const W: usize> {
    question: &'q Question<'q, 'i>,
    run: Run<'q>,
    slots: Vec<Slot<W>>,
    table: Table,
    demands: Vec<Demand<W>>,
    trail: Vec<Entry<W>>,
    /// How many entries of the trail have had their consequences drawn.
    processed: usize,
    levels: Vec<Level>,
    learned: conflict::Learned<W>,
    walk: Walk,
}

impl<'q, 'i, const W: usize> Engine<'q, 'i, W> {
    /// Searches for the best answer.
    pub(crate) fn run(question: &'q Question<'q, 'i>, run: Run<'q>, stop: &Stop) -> Result<Outcome, TooWide> {
        Self::new(question, run).search(stop)
    }

    /// The values of a variable that come before one of them.
    pub(crate) fn preferred_to(
        question: &'q Question<'q, 'i>,
        run: Run<'q>,
        var: Var,
        value: u32,
    ) -> Result<Vec<u32>, TooWide> {
        Self::new(question, run).before(var, value)
    }

    fn new(question: &'q Question<'q, 'i>, run: Run<'q>) -> Self {
        Self {
            question,
            run,
            slots: Vec::with_capacity(64),
            table: Table::new(question),
            demands: Vec::with_capacity(256),
            trail: Vec::with_capacity(128),
            processed: 0,
            levels: Vec::new(),
            learned: conflict::Learned::default(),
            walk: Walk::default(),
        }
    }

    fn search(&mut self, stop: &Stop) -> Result<Outcome, TooWide> {
        if stop.asked() {
            return Ok(Outcome::Stopped);
        }
        let root = self.slot(Var::Root)?;
        let roots = self.demands_of(root, 1)?;
        for demand in roots.clone() {
            let reason = Reason::Demand { owner: root, value: 1, demand };
            let Demand { slot, mask, .. } = self.demands[demand as usize];
            if self.narrow(slot, &mask, reason).is_err() {
                return Ok(Outcome::NoSolution);
            }
        }
        self.walk.start(roots);
        if !self.add_nogoods()? {
            return Ok(Outcome::NoSolution);
        }
        let mut steps = 0_u32;
        loop {
            // Looking at the clock costs as much as a small step.
            steps = steps.wrapping_add(1);
            if steps.is_multiple_of(32) && stop.asked() {
                return Ok(Outcome::Stopped);
            }
            let dead_end = match self.propagate()? {
                Err(dead_end) => dead_end,
                Ok(()) => match self.next_undecided()? {
                    None => return Ok(Outcome::Solution(self.answer())),
                    Some(slot) => match self.decide(slot)? {
                        Err(dead_end) => dead_end,
                        Ok(()) => continue,
                    },
                },
            };
            if !self.learn(dead_end) {
                return Ok(Outcome::NoSolution);
            }
        }
    }

    /// Takes values from a variable; those in the mask stay.
    fn narrow(&mut self, slot: u32, mask: &Bits<W>, reason: Reason) -> Result<(), DeadEnd> {
        let state = &mut self.slots[slot as usize];
        let after = state.domain.and(mask);
        if after == state.domain {
            return Ok(());
        }
        if after.is_empty() {
            return Err(DeadEnd { slot, reason });
        }
        let level = self.levels.len() as u32;
        self.trail.push(Entry { slot, before: state.domain, previous: state.last, reason, level });
        state.last = Some(self.trail.len() as u32 - 1);
        state.domain = after;
        Ok(())
    }

    /// Draws every consequence of what is known.
    fn propagate(&mut self) -> Result<Result<(), DeadEnd>, TooWide> {
        while let Some(entry) = self.trail.get(self.processed) {
            let slot = entry.slot;
            self.processed += 1;
            if let Err(dead_end) = self.follow_learned(slot) {
                return Ok(Err(dead_end));
            }
            // Another entry may have been what left it one value; then this is done twice, to no harm.
            if let Some(value) = self.slots[slot as usize].domain.single()
                && !self.slots[slot as usize].is_nothing(value)
            {
                for demand in self.demands_of(slot, value)? {
                    let Demand { slot: wanted, mask, .. } = self.demands[demand as usize];
                    if let Err(dead_end) = self.narrow(wanted, &mask, Reason::Demand { owner: slot, value, demand }) {
                        return Ok(Err(dead_end));
                    }
                }
                if self.known(slot, value)?.impossible {
                    let reason = self.exclusion(slot, &[(value, None)]);
                    return Ok(Err(DeadEnd { slot, reason }));
                }
            }
        }
        Ok(Ok(()))
    }

    /// Gives a variable the most preferred of its values whose demands leave all others a value. The
    /// preferred ones that do not are excluded first; what follows from that is drawn before deciding.
    fn decide(&mut self, slot: u32) -> Result<Result<(), DeadEnd>, TooWide> {
        let mut excluded: SmallVec<[(u32, Option<u32>); 16]> = SmallVec::new();
        let mut left = self.slots[slot as usize].domain;
        while let Some(value) = self.slots[slot as usize].preferred_of(&left) {
            let blocker = match self.check(slot, value)? {
                Check::Unfulfilled(demand) => Some(demand),
                Check::Impossible => None,
                Check::Fine if excluded.is_empty() => {
                    self.levels.push(Level { trail: self.trail.len() as u32, walk: self.walk.position() });
                    return Ok(self.narrow(slot, &Bits::singleton(value), Reason::Decision));
                }
                Check::Fine => break,
            };
            left = left.without(&Bits::singleton(value));
            excluded.push((value, blocker));
        }
        let reason = self.exclusion(slot, &excluded);
        Ok(self.narrow(slot, &left, reason))
    }

    /// Undoes everything since a level was begun.
    fn back_to(&mut self, level: u32) {
        let Some(state) = self.levels.get(level as usize) else { return };
        while self.trail.len() > state.trail as usize {
            if let Some(entry) = self.trail.pop() {
                let slot = &mut self.slots[entry.slot as usize];
                slot.domain = entry.before;
                slot.last = entry.previous;
            }
        }
        self.processed = self.trail.len();
        self.walk.back_to(&state.walk, &mut self.slots);
        self.levels.truncate(level as usize);
    }

    fn answer(&self) -> Vec<(Var, u32)> {
        let value = |slot: &u32| {
            let slot = &self.slots[*slot as usize];
            Some((slot.var, slot.domain.single()?))
        };
        self.walk.visited().iter().filter_map(value).collect()
    }
}
