//! The policies around the engine: versions to avoid, and packages that need each other in a circle.

use super::cycle;
use crate::engine::{Allowed, Bits, Engine, Outcome, Prefix, Run, TooWide, Var};
use crate::mask::ABSENT;
use crate::problem::Avoid;
use crate::question::Question;
use crate::stop::{Stop, Stopped};
use opam_parser::index::PackageId;
use rustc_hash::FxHashSet;

/// A package on one of the question's platforms.
pub(crate) type Placed = (u8, PackageId);

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    NoSolution,
    Stopped(Stopped),
    TooWide,
}

/// The best answer, with what is needed to show that it is.
pub(crate) struct Answer {
    /// Every variable with its value, in the order of decisions (rule O7).
    pub(crate) decisions: Vec<(Var, u32)>,
    /// The versions to avoid that were allowed; `None`: all.
    pub(crate) allowed: Option<FxHashSet<Placed>>,
}

/// Runs the engine in the width that the names need, and once more in the widest if a disjunction or a
/// class needs that.
macro_rules! by_width {
    ($question:expr, |engine| engine::$work:ident($($argument:expr),*)) => {{
        let widest = $question.widest();
        let result = match widest {
            0..128 => Engine::<2>::$work($($argument),*),
            128..256 => Engine::<4>::$work($($argument),*),
            // In 2024, before old ones were archived, `ocaml-variants` had 596 versions.
            256..640 => Engine::<10>::$work($($argument),*),
            640..1024 => Engine::<16>::$work($($argument),*),
            _ => Err(TooWide),
        };
        match result {
            Err(TooWide) if widest < Bits::<64>::CAPACITY => Engine::<64>::$work($($argument),*),
            other => other,
        }
    }};
}

/// Why an answer is not shown to be the best.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unproved {
    /// There is a better value for this.
    Better(Var),
    Failed(Failed),
}

/// Puts a question to the engine, as often as it takes.
pub(crate) struct Search<'q, 'i> {
    question: &'q Question<'q, 'i>,
    stop: &'q Stop,
    /// Packages that need each other in a circle.
    pub(crate) cycles: Vec<Vec<Placed>>,
}

impl<'q, 'i> Search<'q, 'i> {
    pub(crate) fn new(question: &'q Question<'q, 'i>, stop: &'q Stop) -> Self {
        Self { question, stop, cycles: Vec::new() }
    }

    /// The best answer.
    pub(crate) fn best(&mut self) -> Result<Answer, Failed> {
        let nothing = FxHashSet::default();
        match self.question.avoid {
            Avoid::Ignore | Avoid::LastOfName => Ok(Answer { decisions: self.run(Allowed::All, None)?, allowed: None }),
            Avoid::Never => Ok(Answer { decisions: self.run(Allowed::None, None)?, allowed: Some(nothing) }),
            Avoid::IfNeeded => match self.run(Allowed::None, None) {
                Ok(decisions) => Ok(Answer { decisions, allowed: Some(nothing) }),
                Err(Failed::NoSolution) => self.with_fewest_avoided(),
                Err(other) => Err(other),
            },
        }
    }

    /// Whether there is any answer. Cheaper than the best one.
    pub(crate) fn exists(&mut self) -> Result<Vec<(Var, u32)>, Failed> {
        match self.question.avoid {
            Avoid::Never => self.run(Allowed::None, None),
            Avoid::Ignore | Avoid::LastOfName | Avoid::IfNeeded => self.run(Allowed::All, None),
        }
    }

    /// Allows a set of versions to avoid of which none can be left out.
    fn with_fewest_avoided(&mut self) -> Result<Answer, Failed> {
        let mut decisions = self.run(Allowed::All, None)?;
        let mut used = self.avoided(&decisions);
        let mut needed = FxHashSet::default();
        // There is no answer with none of them.
        if let [only] = used[..] {
            needed.insert(only);
        }
        while let Some(candidate) = used.iter().find(|package| !needed.contains(*package)).copied() {
            let without: FxHashSet<Placed> = used.iter().copied().filter(|package| *package != candidate).collect();
            match self.run(Allowed::Only(&without), None) {
                Ok(better) => {
                    used = self.avoided(&better);
                    decisions = better;
                }
                // What is needed among many is needed among fewer.
                Err(Failed::NoSolution) => drop(needed.insert(candidate)),
                Err(other) => return Err(other),
            }
        }
        Ok(Answer { decisions, allowed: Some(used.into_iter().collect()) })
    }

    /// The versions in an answer that should be avoided and were not asked for exactly.
    fn avoided(&self, decisions: &[(Var, u32)]) -> Vec<Placed> {
        let mut avoided: Vec<Placed> = packages(self.question, decisions)
            .filter(|(side, package)| {
                let side = &self.question.sides[usize::from(*side)];
                let name = side.view.index().package_name(*package);
                let asked = side.roots.iter().any(|root| root.name == name && root.exact);
                !asked && side.view.is_avoided(*package)
            })
            .collect();
        avoided.sort_unstable();
        avoided
    }

    /// Shows that an answer is the best: for each decision, given the ones before it, nothing that is
    /// preferred leads to an answer. `Err` has the first that does.
    pub(crate) fn prove(&mut self, answer: &Answer) -> Result<(), Unproved> {
        let places = (0..).zip(&answer.decisions).map(|(place, (var, value))| (*var, (place, *value))).collect();
        let allowed = answer.allowed.as_ref().map_or(Allowed::All, Allowed::Only);
        for (place, (var, value)) in (0..).zip(&answer.decisions) {
            let better = self.preferred_to(allowed, *var, *value).map_err(Unproved::Failed)?;
            if better.is_empty() {
                continue;
            }
            let is_better = |value: u32| better.contains(&value);
            let prefix = Prefix { places: &places, length: place, next: (*var, &is_better) };
            match self.run(allowed, Some(prefix)) {
                Err(Failed::NoSolution) => {}
                Err(failed) => return Err(Unproved::Failed(failed)),
                Ok(_) => return Err(Unproved::Better(*var)),
            }
        }
        Ok(())
    }

    fn preferred_to(&self, allowed: Allowed<'_>, var: Var, value: u32) -> Result<Vec<u32>, Failed> {
        let avoided_last = self.question.avoid != Avoid::Ignore;
        let run = Run { allowed, avoided_last, nogoods: &[], prefix: None };
        by_width!(self.question, |engine| engine::preferred_to(self.question, run, var, value))
            .map_err(|TooWide| Failed::TooWide)
    }

    /// The engine's answer in which no packages need each other in a circle, if the dialect minds.
    fn run(&mut self, allowed: Allowed<'_>, prefix: Option<Prefix<'_>>) -> Result<Vec<(Var, u32)>, Failed> {
        loop {
            let avoided_last = self.question.avoid != Avoid::Ignore;
            let run = Run { allowed, avoided_last, nogoods: &self.cycles, prefix };
            let outcome = by_width!(self.question, |engine| engine::run(self.question, run, self.stop));
            match outcome.map_err(|TooWide| Failed::TooWide)? {
                Outcome::Solution(decisions) => match cycle::find(self.question, &decisions) {
                    None => return Ok(decisions),
                    Some(cycle) => self.cycles.push(cycle),
                },
                Outcome::NoSolution => return Err(Failed::NoSolution),
                Outcome::Stopped => return Err(Failed::Stopped(self.stop.why())),
            }
        }
    }
}

/// The packages among decisions.
pub(crate) fn packages<'a>(
    question: &'a Question<'_, '_>,
    decisions: &'a [(Var, u32)],
) -> impl Iterator<Item = Placed> + 'a {
    decisions.iter().filter_map(|(var, value)| match var {
        Var::Name(side, name) if *value != ABSENT => {
            let index = question.sides[usize::from(*side)].view.index();
            Some((*side, PackageId(index.package_range(*name).start + value - 1)))
        }
        _ => None,
    })
}
