//! Why there is no answer: the few facts that exclude one, and what would make one possible.
//!
//! PubGrub's derivation names the facts of the opam files (`derivation`); those that say similar
//! things are put together and those that do not matter left out (`core`); `words` says them as
//! they are written in the files; `hints` are found by trying.

mod core;
mod derivation;
mod hints;
mod trial;
mod versions;
mod words;
mod written;

pub use hints::Hint;
pub use versions::{HeldBack, explain_versions};
pub(crate) use written::{Text, Texts};

use crate::problem::Request;
use crate::question::Question;
use crate::solve::{SolveError, cycle, limited, too_wide};
use crate::stop::Stop;
use crate::view::View;
use derivation::NoDerivation;
use std::fmt;

/// Why a request has no answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Explanation {
    /// The facts that exclude one, nearest to the question first. None of them can be left out, unless
    /// there are so many that this could not be found out in a bounded number of steps.
    pub facts: Vec<Fact>,
    /// Changes to the request of which each alone gives an answer.
    pub hints: Vec<Hint>,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.facts.iter().map(ToString::to_string);
        let hints = self.hints.iter().map(|hint| format!("hint: {hint}"));
        f.write_str(&facts.chain(hints).collect::<Vec<_>>().join("\n"))
    }
}

/// One fact of a contradiction, and where it is from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Fact {
    /// What it says.
    #[serde(flatten)]
    pub statement: Statement,
    /// The opam file that says it; `None` for what was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// The place that a fact is from. Where several versions say it, the newest of them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Origin {
    /// `NAME.VERSION`
    pub package: String,
    /// The field of its opam file.
    pub field: &'static str,
    /// What to look for in the field: the other package, if there is one.
    #[serde(skip)]
    pub mention: Option<String>,
}

/// What a fact says.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Statement {
    /// Something was asked for.
    Asked {
        /// What: `ocaml = 5.4.1`
        package: String,
        /// Why nothing is that, if nothing is: no such version exists.
        #[serde(skip_serializing_if = "Option::is_none")]
        but: Option<String>,
    },
    /// A package that was decided on before, where the versions of an answer are explained.
    Selected {
        /// What: `ocaml.5.4.1`
        package: String,
    },
    /// A package needs another.
    Requires {
        /// Who: `utop >= 2.0`
        package: String,
        /// What: `ocaml < 5.0`, or several joined by `or`.
        dependency: String,
        /// Why nothing is that, if nothing is: a name or version that does not exist.
        #[serde(skip_serializing_if = "Option::is_none")]
        but: Option<String>,
    },
    /// A package cannot be with another.
    Conflicts {
        /// Who.
        package: String,
        /// With what.
        with: String,
    },
    /// Only one package of a class can be there.
    Class {
        /// Who.
        package: String,
        /// The class.
        class: String,
    },
    /// A package that contradicts itself.
    Impossible {
        /// Who.
        package: String,
        /// How.
        reason: String,
    },
    /// Versions that cannot be chosen on this platform.
    Unavailable {
        /// Which: `conf-mingw = 1`
        package: String,
        /// Why: `is not available on this platform: os = "win32"`
        reason: String,
    },
    /// Packages each of which wants the next to be installed before it, and the last the first.
    Cycle {
        /// `NAME.VERSION` of each.
        packages: Vec<String>,
    },
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.statement {
            Statement::Asked { package, but } => {
                write!(f, "you asked for {package}")?;
                but.as_ref().map_or(Ok(()), |but| write!(f, ", {but}"))
            }
            Statement::Selected { package } => write!(f, "{package} is selected"),
            Statement::Requires { package, dependency, but } => {
                write!(f, "{package} requires {dependency}")?;
                but.as_ref().map_or(Ok(()), |but| write!(f, ", {but}"))
            }
            Statement::Conflicts { package, with } => write!(f, "{package} conflicts with {with}"),
            Statement::Class { package, class } => {
                write!(f, "{package} is in the conflict class `{class}`, which allows one package")
            }
            Statement::Impossible { package, reason } | Statement::Unavailable { package, reason } => {
                write!(f, "{package} {reason}")
            }
            Statement::Cycle { packages } => match packages.as_slice() {
                [one] => write!(f, "{one} wants to be installed before itself"),
                [first, ..] => {
                    write!(f, "each wants the next to be installed before it: {}, {first}", packages.join(", "))
                }
                [] => Ok(()),
            },
        }
    }
}

/// Explains why a request has no answer.
///
/// # Errors
/// As [`solve`](crate::solve()); and [`SolveError::Solvable`] if there is an answer after all.
pub fn explain(view: &View<'_>, request: &Request, stop: &Stop) -> Result<Explanation, SolveError> {
    let stop = limited(request, stop);
    let question = Question::new(&[view], request)?;
    let mut explanation = Explanation { facts: facts(&question, &stop)?, hints: Vec::new() };
    explanation.hints = hints::hints(view, request, &question, &stop)?;
    Ok(explanation)
}

/// Why a request has no answer, without what could be done about it.
///
/// # Errors
/// As [`explain`].
pub fn explain_facts(view: &View<'_>, request: &Request, stop: &Stop) -> Result<Vec<Fact>, SolveError> {
    let stop = limited(request, stop);
    facts(&Question::new(&[view], request)?, &stop)
}

/// The facts that exclude an answer.
pub(crate) fn facts(question: &Question<'_, '_>, stop: &Stop) -> Result<Vec<Fact>, SolveError> {
    let mut cycles = Vec::new();
    let sources = loop {
        match derivation::facts(question, &cycles, stop) {
            Ok(sources) => break sources,
            Err(NoDerivation::Stopped) => return Err(SolveError::Stopped(stop.why())),
            Err(NoDerivation::TooWide) => return Err(too_wide()),
            Err(NoDerivation::Solvable(decisions)) => match cycle::find(question, &decisions) {
                Some(cycle) => cycles.push(cycle),
                None => return Err(SolveError::Solvable),
            },
        }
    };
    let constraints = core::core(question, &cycles, &sources, stop);
    if stop.asked() {
        return Err(SolveError::Stopped(stop.why()));
    }
    Ok(words::facts(question, &cycles, &constraints))
}
