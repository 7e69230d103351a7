//! Variables: what the search assigns values to, and what it knows of each.

use super::bits::{Bits, WIDEST};
use crate::error::SolveError;
use crate::question::Question;
use crate::value::Value;
use opam_parser::index::{NameId, PackageId};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// What the search decides on. The first number of each is the platform's place among those of the
/// question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Variable {
    /// The question itself. It has one value.
    Root,
    /// A package name. Its values are the name's versions and "not installed".
    Name(u8, NameId),
    /// A disjunction in the dependencies of a package, by its place in
    /// [`Compiled::choices`](crate::view::Compiled::choices). Its values are the branches and "not needed".
    Choice(u8, PackageId, u32),
    /// A conflict class. Its values are the names that are members.
    Class(u8, NameId),
    /// The version of a name that all platforms have in common.
    Common(NameId),
}

/// The value of [`Variable::Root`].
pub(super) const ROOT: Value = Value::at(0);

/// A variable by its place in the list of all variables.
pub(super) type VariableId = u32;

/// A variable has more values than [`Bits`] of this width have room for.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("too many values")]
pub(crate) struct TooWide;

impl From<TooWide> for SolveError {
    /// When the widest of them have no room either.
    fn from(_: TooWide) -> Self {
        SolveError::TooWide { limit: Bits::<WIDEST>::CAPACITY - 1 }
    }
}

/// What the search knows of a variable.
pub(super) struct VariableState<const W: usize> {
    pub(super) variable: Variable,
    /// The values that are still possible.
    pub(super) domain: Bits<W>,
    /// The values that were possible at the start.
    pub(super) initial: Bits<W>,
    /// The values that come before all others.
    preferred: Bits<W>,
    order: ValueOrder,
    /// Its latest assignment on the trail.
    pub(super) last_assignment: Option<u32>,
    /// Whether the order of decisions has passed it.
    pub(super) visited: bool,
    /// The values whose implications are known, each with its place among the value states.
    pub(super) values: SmallVec<[(Value, u32); 4]>,
    /// The incompatibilities that watch it.
    pub(super) watch_list: Vec<u32>,
}

/// Which of several values comes first.
pub(super) enum ValueOrder {
    LowestFirst,
    HighestFirst,
    Listed(Box<[Value]>),
}

/// The values that a variable may have at the start, and the order in which they are tried.
pub(super) struct Candidates<const W: usize> {
    pub(super) domain: Bits<W>,
    /// The values that come before all others.
    pub(super) preferred: Bits<W>,
    pub(super) order: ValueOrder,
}

impl<const W: usize> VariableState<W> {
    pub(super) fn new(variable: Variable, candidates: Candidates<W>) -> Self {
        let Candidates { domain, preferred, order } = candidates;
        Self {
            variable,
            domain,
            initial: domain,
            preferred,
            order,
            last_assignment: None,
            visited: false,
            values: SmallVec::new(),
            watch_list: Vec::new(),
        }
    }

    /// Whether a value means that the package is not installed or the disjunction not needed.
    pub(super) fn is_absence(&self, value: Value) -> bool {
        value == Value::ABSENT && matches!(self.variable, Variable::Name(..) | Variable::Choice(..))
    }

    /// The most preferred of some of its values: the next candidate.
    pub(super) fn most_preferred(&self, values: &Bits<W>) -> Option<Value> {
        let present = values.without(&Bits::singleton(Value::ABSENT));
        let preferred = present.and(&self.preferred);
        let from = if preferred.is_empty() { present } else { preferred };
        match &self.order {
            ValueOrder::LowestFirst => from.lowest(),
            ValueOrder::HighestFirst => from.highest(),
            ValueOrder::Listed(values) => values.iter().copied().find(|value| from.contains(*value)),
        }
    }
}

/// Where each variable is in the list of all variables. They are made when the search first meets them.
pub(super) struct VariableTable {
    /// By platform and name; [`VariableTable::NONE`] where there is none yet.
    names: Vec<VariableId>,
    names_per_platform: usize,
    others: FxHashMap<Variable, VariableId>,
    /// The members of each class, numbered as they come.
    classes: FxHashMap<(u8, NameId), SmallVec<[NameId; 4]>>,
}

impl VariableTable {
    const NONE: VariableId = VariableId::MAX;

    pub(super) fn new(question: &Question<'_, '_>) -> Self {
        let names_per_platform =
            question.platforms.iter().map(|platform| platform.view.index().name_count()).max().unwrap_or(0);
        Self {
            names: vec![Self::NONE; names_per_platform * question.platforms.len()],
            names_per_platform,
            others: FxHashMap::default(),
            classes: FxHashMap::default(),
        }
    }

    /// The variable of a name, if it was made.
    pub(super) fn name(&self, platform: u8, name: NameId) -> Option<VariableId> {
        let found = self.names[usize::from(platform) * self.names_per_platform + name.place()];
        (found != Self::NONE).then_some(found)
    }

    /// The place of a variable if it was made; otherwise it gets the place `next`.
    pub(super) fn find_or_add(&mut self, variable: Variable, next: VariableId) -> Option<VariableId> {
        let entry = match variable {
            Variable::Name(platform, name) => {
                let entry = &mut self.names[usize::from(platform) * self.names_per_platform + name.place()];
                if *entry == Self::NONE {
                    *entry = next;
                }
                entry
            }
            _ => self.others.entry(variable).or_insert(next),
        };
        (*entry != next).then_some(*entry)
    }

    /// The value that stands for a member of a class.
    pub(super) fn member<const W: usize>(
        &mut self,
        platform: u8,
        class: NameId,
        name: NameId,
    ) -> Result<Value, TooWide> {
        let members = self.classes.entry((platform, class)).or_default();
        let place = members.iter().position(|member| *member == name).unwrap_or_else(|| {
            members.push(name);
            members.len() - 1
        });
        if Bits::<W>::have_room_for(place + 1) { Ok(Value::at(place)) } else { Err(TooWide) }
    }
}
