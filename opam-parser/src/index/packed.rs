//! Formulas, conditions and filters as words: what the index holds instead of text.
//!
//! A word is an operation (8 bits) and an argument (24 bits). An expression is its words in prefix
//! order; an operation with several operands says in its argument how many words they take, so
//! skipping any expression is a constant-time matter for all but chains of one-operand operations.
//!
//! ```text
//! "yojson" {< "2" | !with-test}   =>   ATOM yojson, ANY 4, VERSION< 2, FILTER, NOT, VARIABLE with-test
//! ```

use super::ids::{NameId, StringId, VariableId, VersionId};
use super::storage::Index;
use crate::filter::{Env, Expr, Node, Value};
use crate::syntax::RelOp;

pub(super) mod op {
    pub(crate) const ATOM: u32 = 0;
    pub(crate) const ALL: u32 = 1;
    pub(crate) const ANY: u32 = 2;
    pub(crate) const UNCONSTRAINED: u32 = 3;
    /// Six of them, one for each relational operator.
    pub(crate) const VERSION: u32 = 4;
    /// Six of them: the operand is a filter, which follows.
    pub(crate) const EXPANDED: u32 = 10;
    pub(crate) const FILTER: u32 = 16;
    pub(crate) const FALSE: u32 = 17;
    pub(crate) const TRUE: u32 = 18;
    pub(crate) const STRING: u32 = 19;
    pub(crate) const VARIABLE: u32 = 20;
    /// Six of them.
    pub(crate) const RELATION: u32 = 21;
    pub(crate) const NOT: u32 = 27;
    pub(crate) const DEFINED: u32 = 28;
}

/// The largest argument of a word: ids beyond it cannot be stored.
pub(super) const MAX_ARGUMENT: u32 = (1 << 24) - 1;

const RELOPS: [RelOp; 6] = [RelOp::Eq, RelOp::Neq, RelOp::Lt, RelOp::Leq, RelOp::Gt, RelOp::Geq];

pub(super) fn relop_code(op: RelOp) -> u32 {
    RELOPS.iter().position(|known| *known == op).unwrap_or_default() as u32
}

pub(super) fn word(operation: u32, argument: u32) -> u32 {
    operation << 24 | (argument & MAX_ARGUMENT)
}

/// A word taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Op {
    Atom(NameId),
    All(usize),
    Any(usize),
    Unconstrained,
    Version(RelOp, VersionId),
    Expanded(RelOp),
    Filter,
    Bool(bool),
    String(StringId),
    Variable(VariableId),
    Relation(RelOp, usize),
    Not,
    Defined,
}

impl Op {
    /// `None` for words that no index holds.
    pub(super) fn decode(word: u32) -> Option<Self> {
        let (operation, argument) = (word >> 24, word & MAX_ARGUMENT);
        let relop = |first: u32| RELOPS[(operation - first) as usize];
        Some(match operation {
            op::ATOM => Op::Atom(NameId(argument)),
            op::ALL => Op::All(argument as usize),
            op::ANY => Op::Any(argument as usize),
            op::UNCONSTRAINED => Op::Unconstrained,
            op::VERSION..op::EXPANDED => Op::Version(relop(op::VERSION), VersionId(argument)),
            op::EXPANDED..op::FILTER => Op::Expanded(relop(op::EXPANDED)),
            op::FILTER => Op::Filter,
            op::FALSE => Op::Bool(false),
            op::TRUE => Op::Bool(true),
            op::STRING => Op::String(StringId(argument)),
            op::VARIABLE => Op::Variable(VariableId(argument)),
            op::RELATION..op::NOT => Op::Relation(relop(op::RELATION), argument as usize),
            op::NOT => Op::Not,
            op::DEFINED => Op::Defined,
            _ => return None,
        })
    }
}

/// How many words the expression at the start of `words` takes.
fn size(words: &[u32]) -> usize {
    let mut at = 0;
    while let Some(&word) = words.get(at) {
        match Op::decode(word) {
            // One operand follows: the expression ends where that one ends.
            Some(Op::Atom(_) | Op::Expanded(_) | Op::Filter | Op::Not | Op::Defined) => at += 1,
            Some(Op::All(len) | Op::Any(len) | Op::Relation(_, len)) => return at + 1 + len,
            _ => return at + 1,
        }
    }
    at
}

/// An expression in an index.
#[derive(Clone, Copy)]
pub(super) struct Words<'i> {
    index: &'i Index,
    words: &'i [u32],
}

impl<'i> Words<'i> {
    pub(super) fn new(index: &'i Index, words: &'i [u32]) -> Self {
        Self { index, words }
    }

    pub(super) fn index(self) -> &'i Index {
        self.index
    }

    pub(super) fn op(self) -> Op {
        // Every index was validated when it was made or opened; an empty expression is `true`.
        self.words.first().and_then(|word| Op::decode(*word)).unwrap_or(Op::Bool(true))
    }

    /// All words but the first.
    pub(super) fn after(self) -> Self {
        Self { index: self.index, words: self.words.get(1..).unwrap_or_default() }
    }
}

/// The operands of a chain, in the order in which they are written.
#[derive(Clone)]
pub struct Operands<'i, T> {
    rest: Words<'i>,
    wrap: fn(Words<'i>) -> T,
}

/// The expressions that follow each other in `words`.
pub(super) fn operands(words: Words<'_>) -> Operands<'_, Words<'_>> {
    Operands { rest: words, wrap: |words| words }
}

impl<T> Iterator for Operands<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.rest.words.is_empty() {
            return None;
        }
        let (first, rest) = self.rest.words.split_at(size(self.rest.words).min(self.rest.words.len()));
        let index = self.rest.index;
        self.rest = Words { index, words: rest };
        Some((self.wrap)(Words { index, words: first }))
    }
}

/// A package formula of the index.
#[derive(Clone, Copy)]
pub struct FormulaRef<'i>(pub(super) Words<'i>);

/// What a formula is.
pub enum FormulaNode<'i> {
    /// One package with its condition.
    Atom(NameId, ConditionRef<'i>),
    /// All of them; none at all for the empty formula.
    All(Operands<'i, FormulaRef<'i>>),
    /// At least one of them.
    Any(Operands<'i, FormulaRef<'i>>),
}

impl<'i> FormulaRef<'i> {
    /// Whether there is no condition at all.
    pub fn is_empty(self) -> bool {
        self.0.words.is_empty()
    }

    /// The name of every atom, as often as it is there.
    pub fn names(self) -> impl Iterator<Item = NameId> + use<'i> {
        self.0.words.iter().filter_map(|word| match Op::decode(*word) {
            Some(Op::Atom(name)) => Some(name),
            _ => None,
        })
    }

    /// The outermost operation.
    pub fn node(self) -> FormulaNode<'i> {
        let operands = |rest| Operands { rest, wrap: FormulaRef };
        if self.is_empty() {
            return FormulaNode::All(operands(self.0));
        }
        match self.0.op() {
            Op::Atom(name) => FormulaNode::Atom(name, ConditionRef(self.0.after())),
            Op::Any(_) => FormulaNode::Any(operands(self.0.after())),
            _ => FormulaNode::All(operands(self.0.after())),
        }
    }
}

/// The condition of one package in a formula.
#[derive(Clone, Copy)]
pub struct ConditionRef<'i>(Words<'i>);

/// What a condition is.
pub enum ConditionNode<'i> {
    /// No condition.
    Any,
    /// A version constraint.
    Version(RelOp, VersionId),
    /// A version constraint whose operand has to be evaluated first.
    Expanded(RelOp, FilterRef<'i>),
    /// A filter.
    Filter(FilterRef<'i>),
    /// All of them.
    All(Operands<'i, ConditionRef<'i>>),
    /// At least one of them.
    AnyOf(Operands<'i, ConditionRef<'i>>),
}

impl<'i> ConditionRef<'i> {
    /// The outermost operation.
    pub fn node(self) -> ConditionNode<'i> {
        let operands = |rest| Operands { rest, wrap: ConditionRef };
        match self.0.op() {
            Op::Version(op, version) => ConditionNode::Version(op, version),
            Op::Expanded(op) => ConditionNode::Expanded(op, FilterRef(self.0.after())),
            Op::Filter => ConditionNode::Filter(FilterRef(self.0.after())),
            Op::All(_) => ConditionNode::All(operands(self.0.after())),
            Op::Any(_) => ConditionNode::AnyOf(operands(self.0.after())),
            _ => ConditionNode::Any,
        }
    }
}

/// A filter of the index.
#[derive(Clone, Copy)]
pub struct FilterRef<'i>(pub(super) Words<'i>);

/// Variables by their ids in one index, for environments that looked them all up beforehand.
pub trait IndexEnv: Env {
    /// The value of a variable of the index.
    fn indexed(&self, variable: VariableId) -> Value<'_>;
}

impl<'i, E: IndexEnv + ?Sized> Expr<'i, E> for FilterRef<'i> {
    type Operands = Operands<'i, FilterRef<'i>>;

    fn node(self) -> Node<'i, Self, Self::Operands> {
        let mut operands = Operands { rest: self.0.after(), wrap: FilterRef as fn(_) -> _ };
        match self.0.op() {
            Op::Bool(b) => Node::Bool(b),
            Op::String(id) => Node::String(self.0.index.string(id)),
            Op::Variable(_) => Node::Variable,
            Op::All(_) => Node::And(operands),
            Op::Any(_) => Node::Or(operands),
            Op::Not => Node::Not(FilterRef(self.0.after())),
            Op::Defined => Node::Defined(FilterRef(self.0.after())),
            Op::Relation(op, _) => match (operands.next(), operands.next()) {
                (Some(left), Some(right)) => Node::RelOp(op, left, right),
                _ => Node::Bool(false),
            },
            _ => Node::Bool(false),
        }
    }

    fn variable(self, env: &'i E) -> Value<'i> {
        match self.0.op() {
            Op::Variable(id) => env.indexed(id),
            _ => Value::Undefined,
        }
    }
}

impl FilterRef<'_> {
    /// The variable that it is, if it is nothing else.
    pub fn as_variable(self) -> Option<VariableId> {
        match self.0.op() {
            Op::Variable(id) => Some(id),
            _ => None,
        }
    }

    /// Whether it is `true` whatever the variables are, as most `available` fields are.
    pub fn is_true(self) -> bool {
        self.0.op() == Op::Bool(true)
    }
}
