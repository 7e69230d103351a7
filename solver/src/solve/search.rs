//! The policies around the engine: versions to avoid, and packages that need each other in a cycle.

use super::cycle;
use super::decisions::{packages, packages_on};
use crate::engine::{self, Allowed, Assumptions, Outcome, Prefix, TooWide, Variable, WIDEST};
use crate::error::SolveError;
use crate::policy::Avoid;
use crate::problem::Request;
use crate::question::{PlatformPackage, Question};
use crate::selection::Selection;
use crate::stop::{StepLimit, Stop};
use crate::value::Value;
use crate::view::View;
use rustc_hash::FxHashSet;

/// The best answer, with what is needed to show that it is.
pub(crate) struct Answer {
    /// Every variable with its value, in the order of decisions (rule O7).
    pub(crate) decisions: Vec<(Variable, Value)>,
    /// The versions to avoid that were allowed; `None`: all.
    pub(crate) allowed: Option<FxHashSet<PlatformPackage>>,
}

impl Answer {
    /// What is selected on one platform of the question.
    pub(crate) fn selection(&self, question: &Question<'_, '_>, platform: u8) -> Selection {
        packages_on(question, &self.decisions, platform).into()
    }
}

/// The best selection for a request on one platform; with `prove` it is shown to be the best, too.
pub(crate) fn solve(view: &View<'_>, request: &Request, stop: &Stop, prove: bool) -> Result<Selection, SolveError> {
    let question = Question::new(&[view], request)?;
    let mut search = Search::new(&question, stop);
    let answer = search.best()?;
    if prove {
        search.prove(&answer)?;
    }
    Ok(answer.selection(&question, 0))
}

/// Runs the engine in the width that most names need, and once more in a wider one when it meets a name, a
/// disjunction or a class that needs that: what it does not meet costs nothing.
macro_rules! by_width {
    ($question:expr, engine::$work:ident($($argument:expr),*)) => {{
        let widest = $question.widest();
        let result = match widest {
            0..128 => engine::$work::<2>($($argument),*),
            128..256 => engine::$work::<4>($($argument),*),
            // In 2024, before old ones were archived, `ocaml-variants` had 596 versions.
            256..640 => engine::$work::<10>($($argument),*),
            _ => engine::$work::<16>($($argument),*),
        };
        match result {
            Err(TooWide) => match engine::$work::<64>($($argument),*) {
                Err(TooWide) => engine::$work::<WIDEST>($($argument),*),
                other => other,
            },
            other => other,
        }
    }};
}

/// Puts a question to the engine, as often as it takes.
pub(crate) struct Search<'q, 'i> {
    question: &'q Question<'q, 'i>,
    limit: StepLimit<'q>,
    /// Packages that need each other in a cycle, found so far.
    cycles: Vec<Vec<PlatformPackage>>,
}

impl<'q, 'i> Search<'q, 'i> {
    pub(crate) fn new(question: &'q Question<'q, 'i>, stop: &'q Stop) -> Self {
        Self { question, limit: StepLimit::new(stop), cycles: Vec::new() }
    }

    /// The best answer.
    pub(crate) fn best(&mut self) -> Result<Answer, SolveError> {
        let nothing = FxHashSet::default();
        match self.question.avoid {
            Avoid::Ignore | Avoid::LastOfName => Ok(Answer { decisions: self.run(Allowed::All, None)?, allowed: None }),
            Avoid::Never => Ok(Answer { decisions: self.run(Allowed::None, None)?, allowed: Some(nothing) }),
            Avoid::IfNeeded => match self.run(Allowed::None, None) {
                Ok(decisions) => Ok(Answer { decisions, allowed: Some(nothing) }),
                Err(SolveError::NoSolution) => self.with_fewest_avoided(),
                Err(other) => Err(other),
            },
        }
    }

    /// Any answer. Cheaper than the best one.
    pub(crate) fn any(&mut self) -> Result<Vec<(Variable, Value)>, SolveError> {
        match self.question.avoid {
            Avoid::Never => self.run(Allowed::None, None),
            Avoid::Ignore | Avoid::LastOfName | Avoid::IfNeeded => self.run(Allowed::All, None),
        }
    }

    /// Allows a set of versions to avoid of which none can be left out.
    fn with_fewest_avoided(&mut self) -> Result<Answer, SolveError> {
        let mut decisions = self.run(Allowed::All, None)?;
        let mut used = self.avoided(&decisions);
        let mut needed = FxHashSet::default();
        // There is no answer with none of them.
        if let [only] = used[..] {
            needed.insert(only);
        }
        while let Some(candidate) = used.iter().find(|package| !needed.contains(*package)).copied() {
            let without: FxHashSet<PlatformPackage> =
                used.iter().copied().filter(|package| *package != candidate).collect();
            match self.run(Allowed::Only(&without), None) {
                Ok(better) => {
                    used = self.avoided(&better);
                    decisions = better;
                }
                // What is needed among many is needed among fewer.
                Err(SolveError::NoSolution) => drop(needed.insert(candidate)),
                Err(other) => return Err(other),
            }
        }
        Ok(Answer { decisions, allowed: Some(used.into_iter().collect()) })
    }

    /// The versions in an answer that should be avoided and were not asked for exactly.
    fn avoided(&self, decisions: &[(Variable, Value)]) -> Vec<PlatformPackage> {
        let mut avoided: Vec<PlatformPackage> = packages(self.question, decisions)
            .filter(|(platform, package)| {
                let platform = self.question.platform(*platform);
                let name = platform.view.index().package_name(*package);
                !platform.asked_exactly(name) && platform.view.is_avoided(*package)
            })
            .collect();
        avoided.sort_unstable();
        avoided
    }

    /// Shows that an answer is the best: for each decision, given the ones before it, nothing that is
    /// preferred leads to an answer. If something does, the answer is [`SolveError::Wrong`].
    pub(crate) fn prove(&mut self, answer: &Answer) -> Result<(), SolveError> {
        let decisions =
            (0..).zip(&answer.decisions).map(|(place, (variable, value))| (*variable, (place, *value))).collect();
        let allowed = answer.allowed.as_ref().map_or(Allowed::All, Allowed::Only);
        for (place, (variable, value)) in (0..).zip(&answer.decisions) {
            let better = self.preferred_to(allowed, *variable, *value)?;
            if better.is_empty() {
                continue;
            }
            let is_better = |value: Value| better.contains(&value);
            let prefix = Prefix { decisions: &decisions, length: place, next: (*variable, &is_better) };
            // What is left of the steps after the solve is for a solve.
            self.limit.restart();
            match self.run(allowed, Some(prefix)) {
                Err(SolveError::NoSolution) => {}
                Err(error) => return Err(error),
                Ok(_) => {
                    let what = describe(self.question, *variable);
                    return Err(SolveError::Wrong(vec![format!("there is something better for {what}")]));
                }
            }
        }
        Ok(())
    }

    fn preferred_to(&self, allowed: Allowed<'_>, variable: Variable, value: Value) -> Result<Vec<Value>, SolveError> {
        let assumptions = self.assumptions(allowed, &[], None);
        Ok(by_width!(self.question, engine::preferred_to(self.question, assumptions, variable, value))?)
    }

    /// The engine's answer in which no packages need each other in a cycle, if the question minds.
    fn run(&mut self, allowed: Allowed<'_>, prefix: Option<Prefix<'_>>) -> Result<Vec<(Variable, Value)>, SolveError> {
        loop {
            let assumptions = self.assumptions(allowed, &self.cycles, prefix);
            match by_width!(self.question, engine::run(self.question, assumptions, &self.limit))? {
                Outcome::Solution(decisions) => match cycle::find(self.question, &decisions) {
                    None => return Ok(decisions),
                    Some(cycle) => self.cycles.push(cycle),
                },
                Outcome::NoSolution => return Err(SolveError::NoSolution),
                Outcome::Stopped(why) => return Err(SolveError::Stopped(why)),
            }
        }
    }

    fn assumptions<'a>(
        &self,
        allowed: Allowed<'a>,
        incompatibilities: &'a [Vec<PlatformPackage>],
        prefix: Option<Prefix<'a>>,
    ) -> Assumptions<'a> {
        Assumptions { allowed, avoided_last: self.question.avoid != Avoid::Ignore, incompatibilities, prefix }
    }
}

/// What a variable of a question is about.
fn describe(question: &Question<'_, '_>, variable: Variable) -> String {
    match variable {
        Variable::Name(platform, name) => question.platform(platform).view.index().name(name).to_owned(),
        Variable::Choice(platform, package, _) => {
            format!("a disjunction of {}", question.platform(platform).view.index().package_text(package))
        }
        Variable::Root | Variable::Class(..) | Variable::Common(_) => String::new(),
    }
}
