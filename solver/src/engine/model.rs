//! The question as variables and implications, made when the search first meets them.

use super::assumptions::Allowed;
use super::bits::Bits;
use super::implication::{Implication, ValueState};
use super::state::State;
use super::variable::{Candidates, ROOT, TooWide, ValueOrder, Variable, VariableId, VariableState};
use crate::value::Value;
use crate::view::{Compiled, Requirement};
use opam_parser::index::{NameId, PackageId};
use smallvec::SmallVec;
use std::ops::Range;

/// From this many values on, finding one by looking at each takes too long.
const CROWDED: usize = 12;

type NewImplications<const W: usize> = SmallVec<[Implication<W>; 16]>;

impl<const W: usize> State<'_, '_, W> {
    /// The place of a variable, which is made if it is new.
    pub(super) fn intern(&mut self, variable: Variable) -> Result<VariableId, TooWide> {
        let next = self.solution.variables.len() as VariableId;
        if let Some(known) = self.table.find_or_add(variable, next) {
            return Ok(known);
        }
        let mut candidates = self.candidates(variable)?;
        self.assume_prefix(variable, &mut candidates.domain);
        self.solution.variables.push(VariableState::new(variable, candidates));
        Ok(next)
    }

    /// Leaves a variable the values that the assumed decisions leave it.
    fn assume_prefix(&self, variable: Variable, domain: &mut Bits<W>) {
        let Some(prefix) = self.assumptions.prefix else { return };
        // "Not installed" stays: what is decided on is only what the order of decisions reaches.
        match prefix.decisions.get(&variable) {
            Some((place, value)) if *place < prefix.length => {
                *domain = domain.and(&Bits::singleton(*value).or(&Bits::singleton(Value::ABSENT)));
            }
            _ if prefix.next.0 == variable => {
                let allowed = domain.iter().filter(|value| *value == Value::ABSENT || (prefix.next.1)(*value));
                *domain = allowed.fold(Bits::EMPTY, |bits, value| bits.or(&Bits::singleton(value)));
            }
            _ => {}
        }
    }

    /// The values that a variable may have, those of them that come first, and their order.
    fn candidates(&self, variable: Variable) -> Result<Candidates<W>, TooWide> {
        let absent = Bits::singleton(Value::ABSENT);
        let lowest_first = |domain| Candidates { domain, preferred: Bits::FULL, order: ValueOrder::LowestFirst };
        Ok(match variable {
            Variable::Root => lowest_first(Bits::singleton(ROOT)),
            Variable::Name(platform, name) => {
                let versions = self.question.platform(platform).view.index().package_range(name).len();
                if !Bits::<W>::have_room_for(versions) {
                    return Err(TooWide);
                }
                let (allowed, preferred) = self.allowed_versions(platform, name);
                Candidates { domain: allowed.or(&absent), preferred, order: self.value_order(platform, name) }
            }
            Variable::Choice(platform, package, choice) => {
                let compiled = self.question.platform(platform).compiled(package);
                let branches = compiled.choices[choice as usize].branches.len();
                if !Bits::<W>::have_room_for(branches) {
                    return Err(TooWide);
                }
                lowest_first(Bits::alternatives(branches).or(&absent))
            }
            Variable::Class(..) | Variable::Common(_) => lowest_first(Bits::FULL),
        })
    }

    /// The versions of a name that may be used, and those of them that come first.
    fn allowed_versions(&self, platform: u8, name: NameId) -> (Bits<W>, Bits<W>) {
        let question = self.question.platform(platform);
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
        let preferred = if self.assumptions.avoided_last { normal } else { Bits::FULL };
        let allowed = match self.assumptions.allowed {
            Allowed::All => available,
            Allowed::None => normal,
            Allowed::Only(packages) => {
                let versions = question.view.index().package_range(name);
                let is_kept = |value: &Value| {
                    value.package(versions).is_some_and(|package| packages.contains(&(platform, package)))
                };
                avoided.iter().filter(is_kept).fold(normal, |bits, value| bits.or(&Bits::singleton(value)))
            }
        };
        (allowed, preferred)
    }

    fn value_order(&self, platform: u8, name: NameId) -> ValueOrder {
        let view = self.question.platform(platform).view;
        if !self.question.oldest || !self.question.wants_oldest(view, name) {
            return ValueOrder::HighestFirst;
        }
        match view.by_revision(name) {
            Some(positions) if !self.question.lower_bounds.revisions => {
                ValueOrder::Listed(positions.iter().copied().map(Value::at).collect())
            }
            _ => ValueOrder::LowestFirst,
        }
    }

    /// The values of a variable that are preferred to one of them, most preferred first.
    pub(super) fn preferred_to(&mut self, variable: Variable, value: Value) -> Result<Vec<Value>, TooWide> {
        let variable = self.intern(variable)?;
        let state = self.solution.variable(variable);
        let mut left = state.domain;
        let mut preferred = Vec::new();
        while let Some(best) = state.most_preferred(&left).filter(|best| *best != value) {
            preferred.push(best);
            left = left.without(&Bits::singleton(best));
        }
        Ok(preferred)
    }

    /// The implications of a value, by their places.
    pub(super) fn implications_of(&mut self, variable: VariableId, value: Value) -> Result<Range<u32>, TooWide> {
        let state = self.value_state(variable, value)?;
        Ok(state.start..state.end)
    }

    /// What is known of a value; its implications are made if they were not.
    pub(super) fn value_state(&mut self, variable: VariableId, value: Value) -> Result<ValueState, TooWide> {
        let place = match self.place_of(variable, value) {
            Some(place) => place,
            None => self.make_implications(variable, value, 0)?,
        };
        Ok(self.implications.values[place as usize])
    }

    /// Where what is known of a value is, if something is.
    pub(super) fn place_of(&self, variable: VariableId, value: Value) -> Option<u32> {
        let values = &self.solution.variable(variable).values;
        if values.len() > CROWDED {
            return self.implications.crowded.get(&(variable, value)).copied();
        }
        values.iter().find(|(known, _)| *known == value).map(|(_, place)| *place)
    }

    fn make_implications(&mut self, variable: VariableId, value: Value, depth: u32) -> Result<u32, TooWide> {
        let mut made = SmallVec::new();
        let impossible = self.direct_implications(self.solution.variable(variable).variable, value, &mut made)?;
        self.add_transitive_implications(&mut made, depth)?;
        self.steps += made.len() as u64;
        let start = self.implications.list.len() as u32;
        self.implications.list.extend(made);
        let end = self.implications.list.len() as u32;
        let place = self.implications.values.len() as u32;
        self.implications.values.push(ValueState { start, end, impossible, last_violated: start });
        let values = &mut self.solution.variables[variable as usize].values;
        values.push((value, place));
        let crowded = &mut self.implications.crowded;
        match values.len() {
            ..=CROWDED => {}
            length if length == CROWDED + 1 => {
                crowded.extend(values.iter().map(|(value, place)| ((variable, *value), *place)));
            }
            _ => drop(crowded.insert((variable, value), place)),
        }
        Ok(place)
    }

    /// Where an implication leaves another package one version, that version's implications hold, too:
    /// `ocaml-base-compiler.5.4.1` wants `ocaml-compiler.5.4.1` and so `ocaml.5.4.1`. It saves finding
    /// out by trying.
    fn add_transitive_implications(&mut self, made: &mut NewImplications<W>, depth: u32) -> Result<(), TooWide> {
        const DEEPEST: u32 = 1;
        if depth == DEEPEST {
            return Ok(());
        }
        for place in 0..made.len() {
            let Implication { variable, values, is_dependency } = made[place];
            let state = self.solution.variable(variable);
            if !is_dependency || !matches!(state.variable, Variable::Name(..)) {
                continue;
            }
            // The values that a variable has lost since the start may come back, the others not.
            let Some(value) = state.initial.and(&values).single() else { continue };
            let known = match self.place_of(variable, value) {
                Some(known) => known,
                None => self.make_implications(variable, value, depth + 1)?,
            };
            let ValueState { start, end, .. } = self.implications.values[known as usize];
            for implied in start..end {
                let implied = self.implications.list[implied as usize];
                if matches!(self.solution.variable(implied.variable).variable, Variable::Name(..)) {
                    made.push(Implication { is_dependency: false, ..implied });
                }
            }
        }
        Ok(())
    }

    /// Adds what the question or the opam file says. Whether the value contradicts itself.
    fn direct_implications(
        &mut self,
        variable: Variable,
        value: Value,
        made: &mut NewImplications<W>,
    ) -> Result<bool, TooWide> {
        let question = self.question;
        match variable {
            Variable::Root => {
                let roots = question.platforms.iter().map(|platform| platform.roots.len()).max().unwrap_or(0);
                for root in 0..roots {
                    for (number, platform) in question.platforms.iter().enumerate() {
                        let root = &platform.roots[root];
                        self.imply(made, Variable::Name(number as u8, root.name), Bits::of(&root.mask), true)?;
                    }
                }
                Ok(false)
            }
            Variable::Name(platform, name) => {
                let index = question.platform(platform).view.index();
                match value.package(index.package_range(name)) {
                    Some(package) => self.package_implications(platform, package, value, made),
                    None => Ok(false),
                }
            }
            Variable::Choice(platform, package, choice) => {
                let compiled: &Compiled = question.platform(platform).compiled(package);
                let branches = &compiled.choices[choice as usize].branches;
                if let Some(branch) = value.position().and_then(|position| branches.get(position)) {
                    self.imply_requirements(made, platform, package, branch)?;
                }
                Ok(false)
            }
            Variable::Class(..) | Variable::Common(_) => Ok(false),
        }
    }

    fn package_implications(
        &mut self,
        platform: u8,
        package: PackageId,
        value: Value,
        made: &mut NewImplications<W>,
    ) -> Result<bool, TooWide> {
        let question = self.question;
        let asked = question.platform(platform);
        let name = asked.view.index().package_name(package);
        let compiled = asked.compiled(package);
        self.imply_requirements(made, platform, package, &compiled.requires)?;
        for (other, mask) in &compiled.conflicts {
            self.imply(made, Variable::Name(platform, *other), Bits::of(mask).complement(), false)?;
        }
        for class in &compiled.classes {
            let member = self.table.member::<W>(platform, *class, name)?;
            self.imply(made, Variable::Class(platform, *class), Bits::singleton(member), false)?;
        }
        if question.differing.as_ref().is_some_and(|differing| !differing.contains(&name)) {
            self.imply(made, Variable::Common(name), Bits::singleton(value), false)?;
        }
        Ok(compiled.impossible.is_some())
    }

    fn imply_requirements(
        &mut self,
        made: &mut NewImplications<W>,
        platform: u8,
        package: PackageId,
        requirements: &[Requirement],
    ) -> Result<(), TooWide> {
        for requirement in requirements {
            match requirement {
                Requirement::Package(name, mask) => {
                    self.imply(made, Variable::Name(platform, *name), Bits::of(mask), true)?;
                }
                Requirement::Choice(choice) => {
                    let present = Bits::singleton(Value::ABSENT).complement();
                    self.imply(made, Variable::Choice(platform, package, *choice), present, true)?;
                }
            }
        }
        Ok(())
    }

    fn imply(
        &mut self,
        made: &mut NewImplications<W>,
        variable: Variable,
        values: Bits<W>,
        is_dependency: bool,
    ) -> Result<(), TooWide> {
        let variable = self.intern(variable)?;
        made.push(Implication { variable, values, is_dependency });
        Ok(())
    }

    /// A package as a term: the variable of its name, and the value that is this version.
    pub(super) fn value_of(&self, platform: u8, package: PackageId) -> (Variable, Value) {
        let index = self.question.platform(platform).view.index();
        (Variable::Name(platform, index.package_name(package)), Value::at(index.version_position(package)))
    }
}
