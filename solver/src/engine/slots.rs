//! Variables and demands, made when the search first meets them.

use super::{Allowed, Bits, Engine};
use crate::mask::ABSENT;
use crate::question::Question;
use crate::view::{Compiled, Requirement};
use opam_parser::index::{NameId, PackageId};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::ops::Range;

/// What is decided on. The first number is the platform's place among those of the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Var {
    /// The question itself.
    Root,
    Name(u8, NameId),
    /// A disjunction of a package.
    Choice(u8, PackageId, u32),
    /// A conflict class.
    Class(u8, NameId),
    /// The version of a name that all platforms have in common.
    Common(NameId),
}

/// A disjunction or class has more alternatives than the sets have bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TooWide;

/// A variable's state.
pub(super) struct Slot<const W: usize> {
    pub(super) var: Var,
    pub(super) domain: Bits<W>,
    /// Its domain at the start.
    initial: Bits<W>,
    /// Those of its values that come before the others.
    preferred: Bits<W>,
    order: Order,
    /// Its last entry on the trail.
    pub(super) last: Option<u32>,
    pub(super) visited: bool,
    /// The values that were looked at, and where what is known of each is.
    known: SmallVec<[(u32, u32); 4]>,
    /// The learned incompatibilities that watch it.
    pub(super) watching: Vec<u32>,
}

/// From this many values on, finding one by looking at each takes too long.
const CROWDED: usize = 12;

/// What is known of a value.
#[derive(Clone, Copy)]
pub(super) struct Known {
    /// The places of its demands.
    start: u32,
    end: u32,
    /// It contradicts itself.
    pub(super) impossible: bool,
    /// The demand that was last found unfulfillable, which is likely to be so again.
    blocker: u32,
}

enum Order {
    LowestFirst,
    HighestFirst,
    Listed(Box<[u32]>),
}

/// Whether a value can be chosen.
pub(super) enum Check {
    Fine,
    /// This demand cannot be fulfilled any more.
    Unfulfilled(u32),
    /// It contradicts itself.
    Impossible,
}

/// What a value wants of another variable.
#[derive(Clone, Copy)]
pub(super) struct Demand<const W: usize> {
    pub(super) slot: u32,
    pub(super) mask: Bits<W>,
    /// A dependency, which the walk follows; not a conflict, which it does not.
    pub(super) walked: bool,
}

type Demands<const W: usize> = SmallVec<[Demand<W>; 16]>;

impl<const W: usize> Slot<W> {
    /// Whether a value of a package or disjunction means that it is not there.
    pub(super) fn is_nothing(&self, value: u32) -> bool {
        value == ABSENT && matches!(self.var, Var::Name(..) | Var::Choice(..))
    }

    /// The best of some of its values.
    pub(super) fn preferred_of(&self, values: &Bits<W>) -> Option<u32> {
        let there = values.without(&Bits::singleton(ABSENT));
        let preferred = there.and(&self.preferred);
        let from = if preferred.is_empty() { there } else { preferred };
        match &self.order {
            Order::LowestFirst => from.lowest(),
            Order::HighestFirst => from.highest(),
            Order::Listed(values) => values.iter().copied().find(|value| from.contains(*value)),
        }
    }
}

/// Where each variable is.
pub(super) struct Table {
    /// By platform and name; [`Table::NONE`] where there is none yet.
    names: Vec<u32>,
    names_per_side: usize,
    others: FxHashMap<Var, u32>,
    values: Vec<Known>,
    /// Demands that excluded values whose other demands were not made.
    blockers: FxHashMap<(u32, u32), u32>,
    /// Where values are, of variables with many of them.
    crowded: FxHashMap<(u32, u32), u32>,
    /// The members of each class, numbered as they come.
    classes: FxHashMap<(u8, NameId), SmallVec<[NameId; 4]>>,
}

impl Table {
    const NONE: u32 = u32::MAX;

    pub(super) fn new(question: &Question<'_, '_>) -> Self {
        let names_per_side = question.sides.iter().map(|side| side.view.index().name_count()).max().unwrap_or(0);
        Self {
            names: vec![Self::NONE; names_per_side * question.sides.len()],
            names_per_side,
            others: FxHashMap::default(),
            values: Vec::with_capacity(64),
            blockers: FxHashMap::default(),
            crowded: FxHashMap::default(),
            classes: FxHashMap::default(),
        }
    }
}

impl<const W: usize> Engine<'_, '_, W> {
    /// The variable's place, made if it is new.
    pub(super) fn slot(&mut self, var: Var) -> Result<u32, TooWide> {
        let next = self.slots.len() as u32;
        if let Var::Name(side, name) = var {
            let entry = &mut self.table.names[usize::from(side) * self.table.names_per_side + name.place()];
            if *entry != Table::NONE {
                return Ok(*entry);
            }
            *entry = next;
        } else {
            let entry = self.table.others.entry(var).or_insert(next);
            if *entry != next {
                return Ok(*entry);
            }
        }
        let (mut domain, preferred, order) = self.values(var)?;
        if let Some(prefix) = self.run.prefix {
            // "Not installed" stays: the walk reaches what it should reach.
            match prefix.places.get(&var) {
                Some((place, value)) if *place < prefix.length => {
                    domain = domain.and(&Bits::singleton(*value).or(&Bits::singleton(ABSENT)));
                }
                _ if prefix.next.0 == var => {
                    let allowed = domain.iter().filter(|value| *value == ABSENT || (prefix.next.1)(*value));
                    domain = allowed.fold(Bits::EMPTY, |bits, value| bits.or(&Bits::singleton(value)));
                }
                _ => {}
            }
        }
        self.slots.push(Slot {
            var,
            domain,
            initial: domain,
            preferred,
            order,
            last: None,
            visited: false,
            known: SmallVec::new(),
            watching: Vec::new(),
        });
        Ok(next)
    }

    /// The values that a variable may have, those of them that come first, and their order.
    fn values(&self, var: Var) -> Result<(Bits<W>, Bits<W>, Order), TooWide> {
        let absent = Bits::singleton(ABSENT);
        Ok(match var {
            Var::Root => (Bits::singleton(1), Bits::FULL, Order::LowestFirst),
            Var::Name(side, name) => {
                let (allowed, preferred) = self.versions(side, name);
                (allowed.or(&absent), preferred, self.order(side, name))
            }
            Var::Choice(side, package, choice) => {
                let compiled = self.question.sides[usize::from(side)].compiled(package);
                let branches = compiled.choices[choice as usize].branches.len();
                if branches >= Bits::<W>::CAPACITY {
                    return Err(TooWide);
                }
                (Bits::range(0, branches as u32 + 1), Bits::FULL, Order::LowestFirst)
            }
            Var::Class(..) | Var::Common(_) => (Bits::FULL, Bits::FULL, Order::LowestFirst),
        })
    }

    /// The versions of a name that may be used, and those of them that come first.
    fn versions(&self, side: u8, name: NameId) -> (Bits<W>, Bits<W>) {
        let question = &self.question.sides[usize::from(side)];
        let view = question.view.name(name);
        let available = Bits::of(&view.available);
        if view.avoided.is_empty() {
            return (available, Bits::FULL);
        }
        let avoided = Bits::of(&view.avoided);
        // What was asked for by its exact version is not avoided.
        let asked = question.roots.iter().filter(|root| root.name == name && root.exact);
        let asked = asked.fold(Bits::EMPTY, |bits, root| bits.or(&Bits::of(&root.mask)));
        let normal = available.without(&avoided).or(&available.and(&asked));
        let preferred = if self.run.avoided_last { normal } else { Bits::FULL };
        let allowed = match self.run.allowed {
            Allowed::All => available,
            Allowed::None => normal,
            Allowed::Only(packages) => {
                let start = question.view.index().package_range(name).start;
                let kept = avoided.iter().filter(|bit| packages.contains(&(side, PackageId(start + bit - 1))));
                kept.fold(normal, |bits, bit| bits.or(&Bits::singleton(bit)))
            }
        };
        (allowed, preferred)
    }

    fn order(&self, side: u8, name: NameId) -> Order {
        let view = self.question.sides[usize::from(side)].view;
        if !self.question.oldest || !self.question.wants_oldest(view, name) {
            return Order::HighestFirst;
        }
        match view.by_revision(name) {
            Some(places) if !self.question.lower_bounds.revisions => {
                Order::Listed(places.iter().map(|place| place + 1).collect())
            }
            _ => Order::LowestFirst,
        }
    }

    /// The values of a variable that come before one of them.
    pub(super) fn before(&mut self, var: Var, value: u32) -> Result<Vec<u32>, TooWide> {
        let slot = self.slot(var)?;
        let slot = &self.slots[slot as usize];
        let mut left = slot.domain;
        let mut before = Vec::new();
        while let Some(best) = slot.preferred_of(&left).filter(|best| *best != value) {
            before.push(best);
            left = left.without(&Bits::singleton(best));
        }
        Ok(before)
    }

    /// The demands of a value, by their places.
    pub(super) fn demands_of(&mut self, slot: u32, value: u32) -> Result<Range<u32>, TooWide> {
        let known = self.known(slot, value)?;
        Ok(known.start..known.end)
    }

    /// What is known of a value.
    pub(super) fn known(&mut self, slot: u32, value: u32) -> Result<Known, TooWide> {
        let id = match self.place_of(slot, value) {
            Some(id) => id,
            None => self.make_demands(slot, value, 0)?,
        };
        Ok(self.table.values[id as usize])
    }

    fn place_of(&self, slot: u32, value: u32) -> Option<u32> {
        let known = &self.slots[slot as usize].known;
        if known.len() > CROWDED {
            return self.table.crowded.get(&(slot, value)).copied();
        }
        known.iter().find(|(known, _)| *known == value).map(|(_, id)| *id)
    }

    /// Whether a value can still be chosen.
    pub(super) fn check(&mut self, slot: u32, value: u32) -> Result<Check, TooWide> {
        let Some(id) = self.place_of(slot, value) else {
            // Most of the values that are looked at are excluded by one of their first demands. It is
            // cheaper to find that out without making all of them.
            if let Some(check) = self.glance(slot, value) {
                return Ok(check);
            }
            self.known(slot, value)?;
            return self.check(slot, value);
        };
        let Known { start, end, impossible, blocker } = self.table.values[id as usize];
        if impossible {
            return Ok(Check::Impossible);
        }
        let found = (blocker..end).find(|demand| self.blocks(*demand));
        match found.or_else(|| (start..blocker).find(|demand| self.blocks(*demand))) {
            Some(found) => {
                self.table.values[id as usize].blocker = found;
                Ok(Check::Unfulfilled(found))
            }
            None => Ok(Check::Fine),
        }
    }

    fn blocks(&self, demand: u32) -> bool {
        let Demand { slot, mask, .. } = &self.demands[demand as usize];
        !self.slots[*slot as usize].domain.intersects(mask)
    }

    /// Looks for what excludes a version among variables that are there already.
    fn glance(&mut self, slot: u32, value: u32) -> Option<Check> {
        let Var::Name(side, name) = self.slots[slot as usize].var else { return None };
        if let Some(demand) = self.table.blockers.get(&(slot, value)).copied()
            && self.blocks(demand)
        {
            return Some(Check::Unfulfilled(demand));
        }
        let question = &self.question.sides[usize::from(side)];
        let package = PackageId(question.view.index().package_range(name).start + value - 1);
        let compiled = question.compiled(package);
        if compiled.impossible.is_some() {
            return Some(Check::Impossible);
        }
        let found = compiled.requires.iter().find_map(|requirement| {
            let Requirement::Package(other, mask) = requirement else { return None };
            let other = self.table.names[usize::from(side) * self.table.names_per_side + other.place()];
            let mask = Bits::of(mask);
            let excluded = other != Table::NONE && !self.slots[other as usize].domain.intersects(&mask);
            excluded.then_some(Demand { slot: other, mask, walked: true })
        })?;
        let demand = self.demands.len() as u32;
        self.demands.push(found);
        self.table.blockers.insert((slot, value), demand);
        Some(Check::Unfulfilled(demand))
    }

    fn make_demands(&mut self, slot: u32, value: u32, depth: u32) -> Result<u32, TooWide> {
        let var = self.slots[slot as usize].var;
        let mut demands = SmallVec::new();
        let impossible = self.own_demands(var, value, &mut demands)?;
        self.add_implied(&mut demands, depth)?;
        let start = self.demands.len() as u32;
        self.demands.extend(demands);
        let end = self.demands.len() as u32;
        let id = self.table.values.len() as u32;
        self.table.values.push(Known { start, end, impossible, blocker: start });
        let known = &mut self.slots[slot as usize].known;
        known.push((value, id));
        match known.len() {
            ..=CROWDED => {}
            length if length == CROWDED + 1 => {
                self.table.crowded.extend(known.iter().map(|(value, id)| ((slot, *value), *id)));
            }
            _ => drop(self.table.crowded.insert((slot, value), id)),
        }
        Ok(id)
    }

    /// Where a demand leaves another package one version, that version's demands are demands, too:
    /// `ocaml-base-compiler.5.4.1` wants `ocaml-compiler.5.4.1` and so `ocaml.5.4.1`. It saves finding
    /// out by trying.
    fn add_implied(&mut self, demands: &mut Demands<W>, depth: u32) -> Result<(), TooWide> {
        const DEEPEST: u32 = 1;
        if depth == DEEPEST {
            return Ok(());
        }
        for place in 0..demands.len() {
            let Demand { slot, mask, walked } = demands[place];
            let state = &self.slots[slot as usize];
            if !walked || !matches!(state.var, Var::Name(..)) {
                continue;
            }
            // What is taken from it later on is not known here, what it never had is.
            let Some(value) = state.initial.and(&mask).single() else { continue };
            let id = match self.place_of(slot, value) {
                Some(id) => id,
                None => self.make_demands(slot, value, depth + 1)?,
            };
            let Known { start, end, .. } = self.table.values[id as usize];
            for implied in start..end {
                let implied = self.demands[implied as usize];
                if matches!(self.slots[implied.slot as usize].var, Var::Name(..)) {
                    demands.push(Demand { walked: false, ..implied });
                }
            }
        }
        Ok(())
    }

    /// The demands that the opam file makes. Whether the value contradicts itself.
    fn own_demands(&mut self, var: Var, value: u32, demands: &mut Demands<W>) -> Result<bool, TooWide> {
        let question = self.question;
        match var {
            Var::Root => {
                let roots = question.sides.iter().map(|side| side.roots.len()).max().unwrap_or(0);
                for root in 0..roots {
                    for (number, side) in question.sides.iter().enumerate() {
                        let root = &side.roots[root];
                        self.add(demands, Var::Name(number as u8, root.name), Bits::of(&root.mask), true)?;
                    }
                }
            }
            Var::Name(side, name) if value != ABSENT => {
                let index = question.sides[usize::from(side)].view.index();
                let package = PackageId(index.package_range(name).start + value - 1);
                let compiled = question.sides[usize::from(side)].compiled(package);
                self.add_requirements(demands, side, package, &compiled.requires)?;
                for (other, mask) in &compiled.conflicts {
                    self.add(demands, Var::Name(side, *other), Bits::of(mask).complement(), false)?;
                }
                for class in &compiled.classes {
                    let member = self.member(side, *class, name)?;
                    self.add(demands, Var::Class(side, *class), Bits::singleton(member), false)?;
                }
                if question.differing.as_ref().is_some_and(|differing| !differing.contains(&name)) {
                    self.add(demands, Var::Common(name), Bits::singleton(value), false)?;
                }
                return Ok(compiled.impossible.is_some());
            }
            Var::Choice(side, package, choice) if value != ABSENT => {
                let compiled: &Compiled = question.sides[usize::from(side)].compiled(package);
                let branch = &compiled.choices[choice as usize].branches[value as usize - 1];
                self.add_requirements(demands, side, package, branch)?;
            }
            Var::Name(..) | Var::Choice(..) | Var::Class(..) | Var::Common(_) => {}
        }
        Ok(false)
    }

    fn add_requirements(
        &mut self,
        demands: &mut Demands<W>,
        side: u8,
        package: PackageId,
        requirements: &[Requirement],
    ) -> Result<(), TooWide> {
        for requirement in requirements {
            match requirement {
                Requirement::Package(name, mask) => {
                    self.add(demands, Var::Name(side, *name), Bits::of(mask), true)?;
                }
                Requirement::Choice(choice) => {
                    let there = Bits::singleton(ABSENT).complement();
                    self.add(demands, Var::Choice(side, package, *choice), there, true)?;
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, demands: &mut Demands<W>, var: Var, mask: Bits<W>, walked: bool) -> Result<(), TooWide> {
        let slot = self.slot(var)?;
        demands.push(Demand { slot, mask, walked });
        Ok(())
    }

    /// The number of a member of a class.
    fn member(&mut self, side: u8, class: NameId, name: NameId) -> Result<u32, TooWide> {
        let members = self.table.classes.entry((side, class)).or_default();
        let place = members.iter().position(|member| *member == name).unwrap_or_else(|| {
            members.push(name);
            members.len() - 1
        });
        if place < Bits::<W>::CAPACITY { Ok(place as u32) } else { Err(TooWide) }
    }

    /// The value of a package's name that is this package.
    pub(super) fn value_of(&self, side: u8, package: PackageId) -> (Var, u32) {
        let index = self.question.sides[usize::from(side)].view.index();
        let name = index.package_name(package);
        (Var::Name(side, name), package.0 - index.package_range(name).start + 1)
    }
}
