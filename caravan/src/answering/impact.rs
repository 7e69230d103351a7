//! Answers `impact`.

use super::change;
use super::context::Context;
use crate::answer::{
    ChangedPackage, Cycles, DanglingName, Fact, GainedVersion, ImpactAnswer, LeftOut, LostVersion, NotTold, Place,
    PlatformImpact, RebuildEntry, RebuildJob, RebuildSelection, RebuildSet, RefusedVersion, ReselectedName,
    TestsImpossible, variables,
};
use crate::error::Error;
use crate::question::Impact;
use crate::repository::{Change, States};
use caravan_revdeps::RepositoryChange;
use caravan_revdeps::impact::{self, Findings, Lost, Refused, impact, targets};
use caravan_revdeps::rebuild::{self, PickedEntry, Rebuild, pick};
use caravan_solver::target::Target;
use caravan_solver::{Request, SolveError, Stopped, explain};
use opam_parser::file::field_line;
use opam_parser::index::{Index, PackageId};
use opam_parser::name::split_package;

pub(super) fn answer(question: &Impact, context: &mut Context<'_>) -> Result<ImpactAnswer, Error> {
    let states = States { base: question.base.as_ref(), head: question.head.as_ref(), add: question.add.as_deref() };
    let change = change::open(&question.repositories, states, context)?;
    context.observer.log(&format!("{} packages changed", change.changes.packages.len()));
    let (before, after) = (change.before.index(), change.after.index());
    let request = Request { time_limit_ms: question.time_limit_ms, ..Request::default() };
    let targets = targets(before, after, &change::platforms(&question.platforms), &question.ocaml, &request)?;
    let step = RepositoryChange::new(before, after, change.changes.clone());
    context.observer.progress("solving", 0, 0);
    let found = impact(&step, &targets, &question.policy, context.stop);
    context.observer.progress("solving", 1, 1);
    // Platforms that it did not come to are not an answer; those that it did are.
    if found.platforms.iter().all(|(_, found)| found.is_err()) {
        context.stop.check()?;
    }
    Ok(ImpactAnswer {
        schema: "caravan.impact/1".into(),
        verdict: found.verdict(&step.changes).into(),
        packages: change.changes.packages.iter().map(ChangedPackage::from).collect(),
        unexpected: change.changes.unexpected.clone(),
        dangling: found.dangling.iter().map(DanglingName::from).collect(),
        policy: question.policy,
        budget: question.budget,
        platforms: platforms(&found, question.budget, &change),
        base: change.base,
        head: change.head,
    })
}

/// What was found on each platform, with the rebuild sets cut to the budget.
fn platforms(found: &impact::Impact, budget: Option<usize>, change: &Change) -> Vec<PlatformImpact> {
    let nothing = Rebuild::default();
    let sets: Vec<&Rebuild> =
        found.platforms.iter().map(|(_, found)| found.as_ref().map_or(&nothing, |found| &found.rebuild)).collect();
    let picked = budget.map(|budget| pick(&sets, budget));
    let words = Words { change };
    let platform = |(place, (target, found)): (usize, &(Target, Result<Findings, SolveError>))| match found {
        Ok(found) => {
            let is_picked = |entry: usize| {
                let pick = PickedEntry { platform: place, entry };
                picked.as_ref().is_none_or(|picked| picked.binary_search(&pick).is_ok())
            };
            words.platform(target, found, &is_picked)
        }
        Err(error) => PlatformImpact { error: Some(error.to_string()), ..unknown(target) },
    };
    found.platforms.iter().enumerate().map(platform).collect()
}

/// A version or name of which the search took more steps than it may.
fn not_told(package: &str) -> NotTold {
    NotTold { package: package.to_owned(), reason: Stopped::Steps.to_string() }
}

/// A platform of which nothing is known.
fn unknown(target: &Target) -> PlatformImpact {
    PlatformImpact {
        label: target.label.clone(),
        platform: variables(&target.platform),
        roots: target.request.roots.iter().map(ToString::to_string).collect(),
        error: None,
        lost: vec![],
        gained: vec![],
        refused: vec![],
        broken_before: vec![],
        not_told: vec![],
        reselected: vec![],
        cycles: Cycles::default(),
        rebuild: RebuildSet::default(),
    }
}

/// Findings in words: packages as texts, facts with their places in the files of the later state.
struct Words<'w> {
    change: &'w Change,
}

impl Words<'_> {
    fn index(&self) -> &Index {
        self.change.after.index()
    }

    fn texts(&self, packages: &[PackageId]) -> Vec<String> {
        packages.iter().map(|package| self.index().package_text(*package)).collect()
    }

    fn platform(&self, target: &Target, found: &Findings, is_picked: &dyn Fn(usize) -> bool) -> PlatformImpact {
        let lost = |lost: &Lost| LostVersion {
            package: lost.package.clone(),
            cause: lost.cause.into(),
            breaks: lost.cause.breaks(),
            facts: self.facts(&lost.facts),
        };
        let refused = |refused: &Refused| RefusedVersion {
            package: refused.package.clone(),
            elsewhere: refused.elsewhere,
            facts: self.facts(&refused.facts),
        };
        PlatformImpact {
            lost: found.lost.iter().map(lost).collect(),
            gained: found.gained.iter().map(GainedVersion::from).collect(),
            refused: found.refused.iter().map(refused).collect(),
            broken_before: found.broken_before.clone(),
            not_told: found.not_told.iter().map(|package| not_told(package)).collect(),
            reselected: found.reselected.iter().map(ReselectedName::from).collect(),
            cycles: Cycles::from(&found.cycles),
            rebuild: self.rebuild(&found.rebuild, is_picked),
            ..unknown(target)
        }
    }

    fn rebuild(&self, rebuild: &Rebuild, is_picked: &dyn Fn(usize) -> bool) -> RebuildSet {
        let (chosen, over): (Vec<usize>, Vec<usize>) = (0..rebuild.entries.len()).partition(|entry| is_picked(*entry));
        let mut entries: Vec<RebuildEntry> = chosen.iter().map(|entry| self.entry(&rebuild.entries[*entry])).collect();
        // Stable: within a stage in opam's order.
        entries.sort_by_key(|entry| entry.stage);
        let left_out = &rebuild.left_out;
        let over: Vec<PackageId> = over.iter().map(|entry| rebuild.entries[*entry].package).collect();
        RebuildSet {
            stages: entries.iter().flat_map(RebuildEntry::jobs).map(|job| job.stage).max().unwrap_or(0),
            entries,
            left_out: LeftOut {
                not_together: self.texts(&left_out.not_together),
                unused: self.texts(&left_out.unused),
                other_version: self.texts(&left_out.other_version),
                avoided: self.texts(&left_out.avoided),
                abandoned: self.texts(&left_out.abandoned),
                over_budget: self.texts(&over),
                not_told: self.texts(&left_out.not_told),
            },
        }
    }

    fn entry(&self, entry: &rebuild::RebuildEntry) -> RebuildEntry {
        RebuildEntry {
            package: self.index().package_text(entry.package),
            stage: entry.stage(),
            path: self.texts(&entry.reason.path),
            relation: entry.reason.relation.into(),
            with: self.texts(&entry.with()),
            dependents: entry.dependents,
            build: entry.build.as_ref().map(|job| self.job(job)),
            test: entry.test().map(|job| self.job(job)),
            tests_impossible: TestsImpossible::of(&entry.tests),
        }
    }

    fn job(&self, job: &rebuild::RebuildJob) -> RebuildJob {
        let selections = job.selections.iter().map(|together| RebuildSelection {
            with: self.texts(&together.with),
            packages: self.texts(together.selection.packages()),
        });
        RebuildJob { stage: job.stage, needs: self.texts(&job.needs), selections: selections.collect() }
    }

    fn facts(&self, facts: &[explain::Fact]) -> Vec<Fact> {
        let place = |fact: &explain::Fact| fact.origin.as_ref().and_then(|origin| self.place(origin));
        facts.iter().map(|fact| Fact { place: place(fact), ..Fact::from(fact) }).collect()
    }

    /// The line that says a fact. A file that cannot be read has no lines.
    fn place(&self, origin: &explain::Origin) -> Option<Place> {
        let (name, version) = split_package(&origin.package)?;
        let index = self.index();
        let package = index.find_package(index.find_name(name.as_str())?, version.as_str())?;
        let file = index.package_file(package);
        let text = self.change.texts.get(file);
        let line = text.and_then(|text| field_line(&text, origin.field, origin.mention.as_deref()));
        Some(Place { file: index.file(file).path, line })
    }
}

#[cfg(test)]
mod tests {
    use super::{Context, answer};
    use crate::answer::{Outcome, Verdict};
    use crate::error::ErrorKind;
    use crate::observer::Silent;
    use crate::question::Impact;
    use crate::repository::{Local, Options, StateName};
    use caravan_solver::Stop;
    use std::time::Duration;

    #[test]
    fn a_question_that_is_stopped_is_told_nothing_about() {
        let cache = tempfile::tempdir().unwrap();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/repository").to_owned();
        let changed = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/change").to_owned();
        let options =
            Options { repositories: vec![path.clone()], cache: Some(cache.path().to_owned()), ..Options::default() };
        let mut local = Local::new(options).unwrap();
        let question = Impact { base: Some(StateName::Revision(path)), ..Impact::default() };
        let stop = Stop::new();
        let mut context = Context { repositories: &mut local, observer: &Silent, stop: &stop };
        let found = answer(&question, &mut context).unwrap();
        assert_eq!((found.verdict, found.outcome()), (Verdict::Clean, Outcome::Yes));
        let question = Impact { head: Some(StateName::Revision(changed)), ..question };
        let stop = stop.within(Duration::ZERO);
        let mut context = Context { repositories: &mut local, observer: &Silent, stop: &stop };
        match answer(&question, &mut context) {
            Ok(found) => assert_ne!(found.outcome(), Outcome::Yes, "{found:?}"),
            Err(error) => assert_eq!(error.kind, ErrorKind::Deadline),
        }
    }
}
