//! What a run of the search is told beside the question.

use super::variable::Variable;
use crate::question::PlatformPackage;
use crate::value::Value;
use rustc_hash::{FxHashMap, FxHashSet};

/// Which of the versions to avoid may be used in a run.
#[derive(Clone, Copy)]
pub(crate) enum Allowed<'q> {
    /// None, but for those asked for exactly.
    None,
    /// These.
    Only(&'q FxHashSet<PlatformPackage>),
    /// All.
    All,
}

/// What a run takes for granted beside what the question says.
#[derive(Clone, Copy)]
pub(crate) struct Assumptions<'q> {
    /// Which of the versions to avoid may be used.
    pub(crate) allowed: Allowed<'q>,
    /// Whether those to avoid come after the others of their name.
    pub(crate) avoided_last: bool,
    /// Incompatibilities: sets of packages that are not all selected together.
    pub(crate) incompatibilities: &'q [Vec<PlatformPackage>],
    pub(crate) prefix: Option<Prefix<'q>>,
}

/// A solution's first decisions, and something else for the next.
#[derive(Clone, Copy)]
pub(crate) struct Prefix<'q> {
    /// Place and value of each variable in the solution.
    pub(crate) decisions: &'q FxHashMap<Variable, (u32, Value)>,
    /// How many of them stay as they are.
    pub(crate) length: u32,
    /// The next one, and a predicate on its values.
    pub(crate) next: (Variable, &'q dyn Fn(Value) -> bool),
}
