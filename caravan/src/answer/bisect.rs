//! The answer of `bisect`.

use super::difference::Difference;
use super::facts::Fact;
use super::package::Variables;
use caravan_revdeps::bisect::{self, Sought};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// `caravan.bisect/1`: the commits that changed whether, or how, packages can be installed together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BisectAnswer {
    /// `caravan.bisect/1`
    #[cfg_attr(feature = "schema", schemars(extend("const" = "caravan.bisect/1")))]
    pub schema: Cow<'static, str>,
    /// The variables of the platform.
    pub platform: Variables,
    /// What is installed together.
    pub roots: Vec<String>,
    /// What was looked for.
    pub sought: Sought,
    /// Whether there is a solution at the newest commit.
    pub installable: bool,
    /// How many commits were accounted for.
    pub commits: usize,
    /// In how many of them the question was put again.
    pub solved: usize,
    /// The commits that changed the answer, newest first.
    pub turns: Vec<Turn>,
}

impl BisectAnswer {
    pub(crate) fn outcome(&self) -> super::outcome::Outcome {
        if self.turns.is_empty() { super::outcome::Outcome::No } else { super::outcome::Outcome::Yes }
    }
}

/// A commit that changed the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Turn {
    /// Its id in hexadecimal digits.
    pub commit: String,
    /// The first line of its message.
    pub summary: String,
    /// Who made it: `NAME <ADDRESS>`.
    pub author: String,
    /// When it was committed, in seconds since 1970.
    pub seconds: i64,
    /// Whether there was a solution before it.
    pub before: bool,
    /// Whether there is one with it.
    pub after: bool,
    /// What differs between the two solutions, in opam's order; of a solution and none, all of it.
    pub differences: Vec<Difference>,
    /// Why there is none on the side without; nothing where something that was asked for does not exist.
    pub facts: Vec<Fact>,
}

impl From<bisect::AnswerChange> for Turn {
    fn from(turn: bisect::AnswerChange) -> Self {
        Self {
            differences: turn.differences.iter().map(Difference::from).collect(),
            // This form has no member for the words: each statement has its own.
            facts: turn.facts.iter().map(|fact| Fact { text: None, ..Fact::from(fact) }).collect(),
            commit: turn.commit.id,
            summary: turn.commit.summary,
            author: turn.commit.author,
            seconds: turn.commit.seconds,
            before: turn.before,
            after: turn.after,
        }
    }
}
