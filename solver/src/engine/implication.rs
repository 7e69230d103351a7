//! Implications: what a value of one variable leaves of another.

use super::bits::Bits;
use super::variable::VariableId;
use crate::value::Value;
use rustc_hash::FxHashMap;

/// If its owner, a variable, has a certain value, then this variable has one of these values. Who the
/// owner is follows from where it is kept: the implications of one value are neighbours.
///
/// In clauses: `owner ≠ value ∨ variable ∈ values`. In PubGrub: the incompatibility of the two terms
/// `owner = value` and `not variable ∈ values`, of the kind `FromDependencyOf`.
#[derive(Clone, Copy)]
pub(super) struct Implication<const W: usize> {
    pub(super) variable: VariableId,
    pub(super) values: Bits<W>,
    /// It is a dependency, which brings the variable into the order of decisions, and not a conflict,
    /// which does not.
    pub(super) is_dependency: bool,
}

/// What is known of a value.
#[derive(Clone, Copy)]
pub(super) struct ValueState {
    /// Its implications are those from this place …
    pub(super) start: u32,
    /// … up to and without this one.
    pub(super) end: u32,
    /// It contradicts itself.
    pub(super) impossible: bool,
    /// The implication that was last found violated, which is likely to be so again.
    pub(super) last_violated: u32,
}

/// Whether a value can be chosen.
pub(super) enum ValueCheck {
    /// No implication of it is violated.
    Consistent,
    /// This implication leaves its variable no value.
    Violates(u32),
    /// It contradicts itself.
    Impossible,
}

/// All implications that were made.
pub(super) struct Implications<const W: usize> {
    pub(super) list: Vec<Implication<W>>,
    /// The values whose implications were made.
    pub(super) values: Vec<ValueState>,
    /// The place of a variable's value in `values`, for variables with many values.
    pub(super) crowded: FxHashMap<(VariableId, Value), u32>,
    /// For values whose implications were not made yet: the one that was found violated.
    pub(super) violated: FxHashMap<(VariableId, Value), u32>,
}

impl<const W: usize> Implications<W> {
    pub(super) fn new() -> Self {
        Self {
            list: Vec::with_capacity(256),
            values: Vec::with_capacity(64),
            crowded: FxHashMap::default(),
            violated: FxHashMap::default(),
        }
    }
}
