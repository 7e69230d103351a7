//! Learning from dead ends: PubGrub's conflict resolution.
//!
//! An incompatibility whose terms all hold is a dead end. Resolving it with the reason for the latest
//! of them gives another that held earlier, until only one of its terms is younger than the decision
//! before: going back there, that variable loses the term's values, and the search goes on.

use super::slots::{Demand, TooWide};
use super::{Bits, DeadEnd, Engine, Entry, Reason};

/// What was learned.
#[derive(Default)]
pub(super) struct Learned<const W: usize> {
    terms: Vec<Term<W>>,
    incompatibilities: Vec<Incompatibility>,
}

#[derive(Clone, Copy)]
struct Incompatibility {
    start: u32,
    end: u32,
    /// Two terms that do not both hold; when one comes to hold, another is looked for.
    watched: [u32; 2],
}

/// `variable ∈ values`.
#[derive(Clone, Copy)]
struct Term<const W: usize> {
    slot: u32,
    values: Bits<W>,
}

/// A term that holds, and the entry of the trail since which it does.
struct Held<const W: usize> {
    term: Term<W>,
    since: u32,
}

impl<const W: usize> Engine<'_, '_, W> {
    /// Learns from a dead end and goes back to where the search can go on. False if there is no such
    /// place: there is no solution.
    pub(super) fn learn(&mut self, dead_end: DeadEnd) -> bool {
        let mut held: Vec<Held<W>> = Vec::new();
        self.add_reason(&mut held, dead_end.slot, dead_end.reason, None);
        loop {
            // What holds whatever is decided is not in it.
            let Some(latest) = (0..held.len()).max_by_key(|place| held[*place].since) else { return false };
            let entry = &self.trail[held[latest].since as usize];
            let level = entry.level;
            let others = held.iter().enumerate().filter(|(place, _)| *place != latest);
            let before = others.map(|(_, other)| self.trail[other.since as usize].level).max().unwrap_or(0);
            if before < level && !self.was_noticed_late(entry) {
                self.back_to(before);
                self.keep(&held, latest);
                return true;
            }
            let (reason, slot) = (entry.reason, entry.slot);
            let resolved = held.swap_remove(latest);
            self.add_reason(&mut held, slot, reason, Some(resolved.term.values));
        }
    }

    /// The reason for excluding values, each for a demand that cannot be fulfilled or, without one,
    /// because it contradicts itself: together they are one incompatibility.
    pub(super) fn exclusion(&mut self, slot: u32, excluded: &[(u32, Option<u32>)]) -> Reason {
        let start = self.learned.terms.len();
        let values = excluded.iter().fold(Bits::EMPTY, |bits, (value, _)| bits.or(&Bits::singleton(*value)));
        self.learned.terms.push(Term { slot, values });
        for demand in excluded.iter().filter_map(|(_, demand)| *demand) {
            let Demand { slot, mask, .. } = self.demands[demand as usize];
            let unfulfilled = mask.complement();
            match self.learned.terms[start + 1..].iter_mut().find(|term| term.slot == slot) {
                Some(term) => term.values = term.values.and(&unfulfilled),
                None => self.learned.terms.push(Term { slot, values: unfulfilled }),
            }
        }
        Reason::Excluded { start: start as u32, end: self.learned.terms.len() as u32 }
    }

    /// Whether values were excluded for what earlier decisions had settled: they are looked at when
    /// their variable's turn comes. Learning just that again would teach nothing.
    fn was_noticed_late(&self, entry: &Entry<W>) -> bool {
        let Reason::Excluded { start, end } = entry.reason else { return false };
        self.learned.terms[start as usize + 1..end as usize]
            .iter()
            .all(|term| self.holds_since(term).is_none_or(|since| self.trail[since as usize].level < entry.level))
    }

    /// Adds the terms of a reason. The term of the variable that the reason narrowed is united with
    /// what it is resolved against.
    fn add_reason(&self, held: &mut Vec<Held<W>>, slot: u32, reason: Reason, resolved: Option<Bits<W>>) {
        let mut add = |term: Term<W>| {
            let values = match resolved {
                Some(other) if term.slot == slot => term.values.or(&other),
                _ => term.values,
            };
            self.hold(held, Term { slot: term.slot, values });
        };
        match reason {
            Reason::Decision => {}
            Reason::Demand { owner, value, demand } => {
                let demand = &self.demands[demand as usize];
                add(Term { slot: owner, values: Bits::singleton(value) });
                add(Term { slot: demand.slot, values: demand.mask.complement() });
            }
            Reason::Excluded { start, end } => {
                self.learned.terms[start as usize..end as usize].iter().for_each(|term| add(*term));
            }
            Reason::Learned(id) => {
                let Incompatibility { start, end, .. } = self.learned.incompatibilities[id as usize];
                self.learned.terms[start as usize..end as usize].iter().for_each(|term| add(*term));
            }
        }
    }

    /// Adds a term that holds, unless it does whatever is decided.
    fn hold(&self, held: &mut Vec<Held<W>>, mut term: Term<W>) {
        let known = held.iter_mut().position(|known| known.term.slot == term.slot);
        if let Some(place) = known {
            term.values = term.values.and(&held[place].term.values);
        }
        let since = self.holds_since(&term);
        let since = since.filter(|since| self.trail[*since as usize].level > 0);
        match (known, since) {
            (Some(place), Some(since)) => held[place] = Held { term, since },
            (None, Some(since)) => held.push(Held { term, since }),
            (Some(place), None) => drop(held.swap_remove(place)),
            (None, None) => {}
        }
    }

    /// The entry of the trail since which a term holds that holds now; `None`: from the start.
    fn holds_since(&self, term: &Term<W>) -> Option<u32> {
        let mut entry = self.slots[term.slot as usize].last;
        while let Some(place) = entry {
            let found = &self.trail[place as usize];
            if !found.before.subset_of(&term.values) {
                return Some(place);
            }
            entry = found.previous;
        }
        None
    }

    /// Keeps a new incompatibility of which all terms hold but one, and draws its consequence.
    fn keep(&mut self, held: &[Held<W>], open: usize) {
        let id = self.learned.incompatibilities.len() as u32;
        let start = self.learned.terms.len() as u32;
        self.learned.terms.extend(held.iter().map(|held| held.term));
        let end = self.learned.terms.len() as u32;
        // Beside the open term, the one that will first cease to hold.
        let latest = (0..held.len()).filter(|place| *place != open).max_by_key(|place| held[*place].since);
        let open_at = start + open as u32;
        let watched = [open_at, latest.map_or(open_at, |place| start + place as u32)];
        self.learned.incompatibilities.push(Incompatibility { start, end, watched });
        self.slots[held[open].term.slot as usize].watching.push(id);
        if let Some(latest) = latest {
            self.slots[held[latest].term.slot as usize].watching.push(id);
        }
        let term = held[open].term;
        let narrowed = self.narrow(term.slot, &term.values.complement(), Reason::Learned(id));
        debug_assert!(narrowed.is_ok(), "before its latest entry the variable had other values");
    }

    /// Draws the consequences that learned incompatibilities have now that a variable has fewer values.
    pub(super) fn follow_learned(&mut self, slot: u32) -> Result<(), DeadEnd> {
        let mut place = 0;
        while let Some(id) = self.slots[slot as usize].watching.get(place).copied() {
            let Incompatibility { start, end, watched } = self.learned.incompatibilities[id as usize];
            let holds = |engine: &Self, at: u32| {
                let term = &engine.learned.terms[at as usize];
                engine.slots[term.slot as usize].domain.subset_of(&term.values)
            };
            let ours = usize::from(self.learned.terms[watched[0] as usize].slot != slot);
            if !holds(self, watched[ours]) {
                place += 1;
                continue;
            }
            let other = watched[1 - ours];
            let free = (start..end).find(|at| *at != other && *at != watched[ours] && !holds(self, *at));
            if let Some(free) = free {
                self.learned.incompatibilities[id as usize].watched[ours] = free;
                self.slots[slot as usize].watching.swap_remove(place);
                let new = self.learned.terms[free as usize].slot;
                self.slots[new as usize].watching.push(id);
                continue;
            }
            let term = self.learned.terms[other as usize];
            self.narrow(term.slot, &term.values.complement(), Reason::Learned(id))?;
            place += 1;
        }
        Ok(())
    }

    /// Adds the sets of packages that are not to be together. False if one of them is there already.
    pub(super) fn add_nogoods(&mut self) -> Result<bool, TooWide> {
        for nogood in self.run.nogoods {
            let start = self.learned.terms.len() as u32;
            for (side, package) in nogood {
                let (var, value) = self.value_of(*side, *package);
                let slot = self.slot(var)?;
                self.learned.terms.push(Term { slot, values: Bits::singleton(value) });
            }
            let end = self.learned.terms.len() as u32;
            let id = self.learned.incompatibilities.len() as u32;
            let open: Vec<u32> = (start..end)
                .filter(|at| {
                    let term = &self.learned.terms[*at as usize];
                    !self.slots[term.slot as usize].domain.subset_of(&term.values)
                })
                .collect();
            let Some(first) = open.first().copied() else { return Ok(false) };
            let second = open.get(1).copied();
            let other = second.or((start..end).find(|at| *at != first)).unwrap_or(first);
            self.learned.incompatibilities.push(Incompatibility { start, end, watched: [first, other] });
            for at in if first == other { vec![first] } else { vec![first, other] } {
                let slot = self.learned.terms[at as usize].slot;
                self.slots[slot as usize].watching.push(id);
            }
            if second.is_none() {
                let term = self.learned.terms[first as usize];
                if self.narrow(term.slot, &term.values.complement(), Reason::Learned(id)).is_err() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}
