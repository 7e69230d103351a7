//! The answer to any kind of question, and to several.

use super::outcome::Outcome;
use super::{
    BisectAnswer, BoundsAnswer, BuildsAnswer, DocsAnswer, HealthAnswer, ImpactAnswer, InstallableAnswer, ListAnswer,
    ListingAnswer, LockAnswer, PlatformsAnswer, ShowAnswer, SolveAnswer,
};
use crate::protocols::{docs_ci, mirage_ci, solver_service};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;

/// The answer to a [`Question`](crate::Question).
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Answer {
    /// To `solve`.
    Solve(Box<SolveAnswer>),
    /// To `installable`.
    Installable(Box<InstallableAnswer>),
    /// To `list`.
    List(Box<ListAnswer>),
    /// To `show`.
    Show(Box<ShowAnswer>),
    /// To `revdeps` and `deps`.
    Listing(Box<ListingAnswer>),
    /// To `impact`.
    Impact(Box<ImpactAnswer>),
    /// To `bounds`.
    Bounds(Box<BoundsAnswer>),
    /// To `bisect`.
    Bisect(Box<BisectAnswer>),
    /// To `health`.
    Health(Box<HealthAnswer>),
    /// To `builds`.
    Builds(Box<BuildsAnswer>),
    /// To `docs`.
    Docs(Box<DocsAnswer>),
    /// To `lock`.
    Lock(Box<LockAnswer>),
    /// To `platforms`.
    Platforms(Box<PlatformsAnswer>),
    /// To a request of solver-service, in its own form.
    SolverService(solver_service::SolveResponse),
    /// To a request of ocaml-docs-ci, in its own form.
    DocsCi(docs_ci::SolveResponse),
    /// To a request of mirage-ci, in its own form.
    MirageCi(mirage_ci::SolveResponse),
    /// To several questions.
    Batch(BatchAnswer),
}

impl Answer {
    /// Its JSON, without white space: what is sent, however it was asked for.
    ///
    /// # Errors
    /// Never for what an answer is made of.
    pub fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }

    /// What it comes to.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Solve(answer) => answer.outcome(),
            Self::Installable(answer) => answer.outcome(),
            Self::List(answer) => answer.outcome(),
            Self::Impact(answer) => answer.outcome(),
            Self::Bounds(answer) => answer.outcome(),
            Self::Bisect(answer) => answer.outcome(),
            Self::Health(answer) => answer.outcome(),
            Self::Builds(answer) => answer.outcome(),
            Self::Docs(answer) => answer.outcome(),
            Self::SolverService(solver_service::SolveResponse::Error(_)) => Outcome::No,
            Self::DocsCi(docs_ci::SolveResponse::Error(_)) => Outcome::No,
            Self::MirageCi(mirage_ci::SolveResponse::Error(_)) => Outcome::No,
            Self::Batch(answer) => answer.outcome(),
            Self::Show(_)
            | Self::Listing(_)
            | Self::Lock(_)
            | Self::Platforms(_)
            | Self::SolverService(_)
            | Self::DocsCi(_)
            | Self::MirageCi(_) => Outcome::Yes,
        }
    }

    /// Whether it may be kept and given again as long as nothing changed that it looked at: what failed may go well
    /// another time.
    pub fn can_be_kept(&self) -> bool {
        match self {
            Self::SolverService(solver_service::SolveResponse::Error(_))
            | Self::DocsCi(docs_ci::SolveResponse::Error(_))
            | Self::MirageCi(mirage_ci::SolveResponse::Error(_)) => false,
            Self::Batch(answer) => answer.can_be_kept(),
            // A limit of time was reached: with more of it, or on a faster machine, there is more to tell.
            answer => answer.outcome() != Outcome::Unknown,
        }
    }
}

impl<'de> Deserialize<'de> for Answer {
    /// Answers tell by their `schema` what they are; those of the protocols of CI services, which have none, are not
    /// read.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let value = serde_json::Value::deserialize(deserializer)?;
        let schema = value.get("schema").and_then(|schema| schema.as_str()).map(str::to_owned).unwrap_or_default();
        fn read<E: serde::de::Error, T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Result<T, E> {
            serde_json::from_value(value).map_err(E::custom)
        }
        Ok(match schema.as_str() {
            "caravan.solve/2" => Self::Solve(read(value)?),
            "caravan.installable/1" => Self::Installable(read(value)?),
            "caravan.list/1" => Self::List(read(value)?),
            "caravan.show/1" => Self::Show(read(value)?),
            "caravan.revdeps/1" | "caravan.deps/1" => Self::Listing(read(value)?),
            "caravan.impact/1" => Self::Impact(read(value)?),
            "caravan.bounds/1" => Self::Bounds(read(value)?),
            "caravan.bisect/1" => Self::Bisect(read(value)?),
            "caravan.health/1" => Self::Health(read(value)?),
            "caravan.builds/1" => Self::Builds(read(value)?),
            "caravan.docs/1" => Self::Docs(read(value)?),
            "caravan.lock/2" => Self::Lock(read(value)?),
            "caravan.platforms/1" => Self::Platforms(read(value)?),
            "caravan.batch/1" => Self::Batch(read(value)?),
            other => return Err(D::Error::custom(format_args!("`{other}` is not the schema of an answer"))),
        })
    }
}

/// `caravan.batch/1`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BatchAnswer {
    /// `caravan.batch/1`
    #[cfg_attr(feature = "schema", schemars(extend("const" = "caravan.batch/1")))]
    pub schema: Cow<'static, str>,
    /// One for each question, in their order.
    pub answers: Vec<Part>,
}

/// The answer to one of several questions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Its answer.
    Answer(Answer),
    /// Why it has none.
    Error(String),
}

impl BatchAnswer {
    pub(crate) fn outcome(&self) -> Outcome {
        let is_yes = |part: &Part| matches!(part, Part::Answer(answer) if answer.outcome() == Outcome::Yes);
        if self.answers.iter().all(is_yes) { Outcome::Yes } else { Outcome::No }
    }

    pub(crate) fn can_be_kept(&self) -> bool {
        self.answers.iter().all(|part| match part {
            Part::Answer(answer) => answer.can_be_kept(),
            Part::Error(_) => true,
        })
    }
}
