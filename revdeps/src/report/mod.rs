//! What [`impact()`](crate::impact::impact()) found, ready to be shown: the data of the JSON
//! (`docs/json.md`), and its forms for people.

mod github;
mod markdown;
mod text;

pub use github::github;
pub use markdown::markdown;
pub use text::text;

use crate::changes::Changes;
use crate::impact::{
    Cause, Cycles, Dangling, Difference, Findings, Gained, Impact, Lost, Refused, Reselected, Step, Target, Verdict,
};
use crate::rebuild::{Entry, Job, Pick, Policy, Rebuild, Relation, Tests, pick};
use caravan_solver::explain::{Fact, Origin, Statement};
use opam_parser::index::{Index, PackageId};
use serde::Serialize;
use std::collections::BTreeMap;

/// A report of the impact of a change.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// `caravan.impact/1`
    pub schema: &'static str,
    /// The earlier state.
    pub base: String,
    /// The later state.
    pub head: String,
    /// Whether the change is good.
    pub verdict: Verdict,
    /// What changed.
    #[serde(flatten)]
    pub changes: Changes,
    /// Names that are gone and still wanted.
    pub dangling: Vec<Dangling>,
    /// What was asked of the rebuild sets.
    pub policy: Policy,
    /// How many entries of all rebuild sets were wanted at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<usize>,
    /// Each platform.
    pub platforms: Vec<PlatformReport>,
}

/// What a change does on one platform.
#[derive(Clone, Debug, Serialize)]
pub struct PlatformReport {
    /// A line that names it, with what is installed on it.
    pub label: String,
    /// Its variables.
    pub platform: BTreeMap<String, String>,
    /// What is installed already.
    pub roots: Vec<String>,
    /// Why nothing could be told, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Versions that cannot be installed any more.
    pub lost: Vec<Loss>,
    /// Versions that can be installed now.
    pub gained: Vec<Gained>,
    /// New versions that cannot be installed.
    pub refused: Vec<Refusal>,
    /// Versions that depend on what changed and can be installed neither before nor after.
    pub broken_before: Vec<String>,
    /// Names whose best selection changed.
    pub reselected: Vec<Reselected>,
    /// Circles of dependencies.
    pub cycles: Cycles,
    /// What to build and test again.
    pub rebuild: RebuildReport,
}

/// A version that cannot be installed any more.
#[derive(Clone, Debug, Serialize)]
pub struct Loss {
    /// `NAME.VERSION`
    pub package: String,
    /// Whose doing it is.
    pub cause: Cause,
    /// Whether nobody can have meant it.
    pub breaks: bool,
    /// Why it cannot be installed.
    pub facts: Vec<Said>,
}

/// A new version that cannot be installed.
#[derive(Clone, Debug, Serialize)]
pub struct Refusal {
    /// `NAME.VERSION`
    pub package: String,
    /// It is for other compilers or platforms.
    pub elsewhere: bool,
    /// Why it cannot be installed.
    pub facts: Vec<Said>,
}

/// A fact and where it is written.
#[derive(Clone, Debug, Serialize)]
pub struct Said {
    /// The fact.
    #[serde(flatten)]
    pub fact: Fact,
    /// In words.
    pub text: String,
    /// The place in the later state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A line of an opam file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The file's path in its repository.
    pub file: String,
    /// The line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// What to build and test again on one platform.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RebuildReport {
    /// How many stages there are.
    pub stages: usize,
    /// By stage, then in opam's order.
    pub entries: Vec<EntryReport>,
    /// What depends on the change and is not among them, by reason.
    pub left_out: LeftOutReport,
}

impl RebuildReport {
    /// `2 builds and 1 test in 2 stages`
    pub(crate) fn amount(&self) -> String {
        let builds = self.entries.iter().filter(|entry| entry.build.is_some()).count();
        let tests = self.entries.iter().filter(|entry| entry.test.is_some()).count();
        format!("{} and {} in {}", count(builds, "build"), count(tests, "test"), count(self.stages, "stage"))
    }
}

impl LeftOutReport {
    /// The lists that are not empty, each with the reason in words.
    pub(crate) fn reasons(&self) -> impl Iterator<Item = (&Vec<String>, &'static str)> {
        let all = [
            (&self.not_together, "cannot be installed together with the change"),
            (&self.unused, "built without the change in the end"),
            (&self.avoided, "to be avoided"),
            (&self.abandoned, "maintained by nobody"),
            (&self.over_budget, "beyond the budget"),
            (&self.other_version, "of which another version is tried"),
        ];
        all.into_iter().filter(|(packages, _)| !packages.is_empty())
    }
}

/// What depends on the change and is not built again.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LeftOutReport {
    /// It cannot be installed together with the change.
    pub not_together: Vec<String>,
    /// It can be, but then nothing of what it needs uses the change.
    pub unused: Vec<String>,
    /// The policy takes another version.
    pub other_version: Vec<String>,
    /// It is to be avoided.
    pub avoided: Vec<String>,
    /// Nobody maintains it.
    pub abandoned: Vec<String>,
    /// The budget is spent on others.
    pub over_budget: Vec<String>,
}

/// One package version to build or test again.
#[derive(Clone, Debug, Serialize)]
pub struct EntryReport {
    /// `NAME.VERSION`
    pub package: String,
    /// The first stage in which there is something to do for it.
    pub stage: usize,
    /// The shortest way to a changed package: each depends on the next.
    pub path: Vec<String>,
    /// How the package depends on the second of them.
    pub relation: Relation,
    /// The changed packages that it is built or tested with.
    pub with: Vec<String>,
    /// How many other entries need it.
    pub dependents: usize,
    /// How to build it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<JobReport>,
    /// How to test it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<JobReport>,
    /// Why it has tests that are not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tests_impossible: Option<TestsImpossible>,
}

/// Why tests are not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestsImpossible {
    /// What they need could not be installed before either.
    Before,
    /// What they need cannot be installed together with the change.
    WithTheChange,
}

/// A build, or a build with tests.
#[derive(Clone, Debug, Serialize)]
pub struct JobReport {
    /// From 1.
    pub stage: usize,
    /// The entries whose builds it needs.
    pub needs: Vec<String>,
    /// What to install.
    pub selections: Vec<SelectionReport>,
}

/// What to install for a job.
#[derive(Clone, Debug, Serialize)]
pub struct SelectionReport {
    /// The changed packages in it.
    pub with: Vec<String>,
    /// All packages, `NAME.VERSION`.
    pub packages: Vec<String>,
}

/// What a report needs beside the findings.
pub struct Frame<'f> {
    /// What to call the earlier state.
    pub base: String,
    /// What to call the later state.
    pub head: String,
    /// The policy of the rebuild sets.
    pub policy: Policy,
    /// How many entries of them are wanted at most.
    pub budget: Option<usize>,
    /// The text of an opam file of the later state, for line numbers.
    pub text: &'f dyn Fn(opam_parser::index::FileId) -> Option<Vec<u8>>,
}

impl Report {
    /// Puts findings into words.
    pub fn new(step: &Step<'_>, impact: &Impact, frame: &Frame<'_>) -> Self {
        let sets: Vec<&Rebuild> = {
            static NOTHING: std::sync::LazyLock<Rebuild> = std::sync::LazyLock::new(Rebuild::default);
            impact.platforms.iter().map(|(_, found)| found.as_ref().map_or(&*NOTHING, |found| &found.rebuild)).collect()
        };
        let picked = frame.budget.map(|budget| pick(&sets, budget));
        let words = Words { step, frame };
        let platform = |(place, (target, found)): (usize, &(Target, Result<Findings, _>))| {
            let mut report = words.platform(target);
            match found {
                Ok(found) => words.findings(&mut report, found, place, picked.as_deref()),
                Err(error) => report.error = Some(format!("{error}")),
            }
            report
        };
        Self {
            schema: "caravan.impact/1",
            base: frame.base.clone(),
            head: frame.head.clone(),
            verdict: impact.verdict(&step.changes),
            changes: step.changes.clone(),
            dangling: impact.dangling.clone(),
            policy: frame.policy,
            budget: frame.budget,
            platforms: impact.platforms.iter().enumerate().map(platform).collect(),
        }
    }
}

struct Words<'w, 'i> {
    step: &'w Step<'i>,
    frame: &'w Frame<'w>,
}

impl Words<'_, '_> {
    fn index(&self) -> &Index {
        self.step.after
    }

    fn texts(&self, packages: &[PackageId]) -> Vec<String> {
        packages.iter().map(|package| self.index().package_text(*package)).collect()
    }

    fn platform(&self, target: &Target) -> PlatformReport {
        PlatformReport {
            label: target.label.clone(),
            platform: target.platform.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            roots: target.request.roots.iter().map(ToString::to_string).collect(),
            error: None,
            lost: vec![],
            gained: vec![],
            refused: vec![],
            broken_before: vec![],
            reselected: vec![],
            cycles: Cycles::default(),
            rebuild: RebuildReport::default(),
        }
    }

    fn findings(&self, report: &mut PlatformReport, found: &Findings, place: usize, picked: Option<&[Pick]>) {
        let lost = |lost: &Lost| Loss {
            package: lost.package.clone(),
            cause: lost.cause,
            breaks: lost.cause.breaks(),
            facts: self.said(&lost.facts),
        };
        report.lost = found.lost.iter().map(lost).collect();
        let refused = |refused: &Refused| Refusal {
            package: refused.package.clone(),
            elsewhere: refused.elsewhere,
            facts: self.said(&refused.facts),
        };
        report.refused = found.refused.iter().map(refused).collect();
        report.gained.clone_from(&found.gained);
        report.broken_before.clone_from(&found.broken_before);
        report.reselected.clone_from(&found.reselected);
        report.cycles = found.cycles.clone();
        let is_picked =
            |entry: usize| picked.is_none_or(|picked| picked.binary_search(&Pick { platform: place, entry }).is_ok());
        let rebuild = &found.rebuild;
        let (chosen, over): (Vec<usize>, Vec<usize>) = (0..rebuild.entries.len()).partition(|entry| is_picked(*entry));
        let mut entries: Vec<EntryReport> = chosen.iter().map(|entry| self.entry(&rebuild.entries[*entry])).collect();
        // Stable: within a stage in opam's order.
        entries.sort_by_key(|entry| entry.stage);
        report.rebuild = RebuildReport {
            stages: entries
                .iter()
                .flat_map(|entry| entry.build.iter().chain(&entry.test))
                .map(|job| job.stage)
                .max()
                .unwrap_or(0),
            entries,
            left_out: LeftOutReport {
                not_together: self.texts(&rebuild.left_out.not_together),
                unused: self.texts(&rebuild.left_out.unused),
                other_version: self.texts(&rebuild.left_out.other_version),
                avoided: self.texts(&rebuild.left_out.avoided),
                abandoned: self.texts(&rebuild.left_out.abandoned),
                over_budget: over
                    .iter()
                    .map(|entry| self.index().package_text(rebuild.entries[*entry].package))
                    .collect(),
            },
        };
    }

    fn entry(&self, entry: &Entry) -> EntryReport {
        let impossible = match entry.tests {
            Tests::Impossible { before: true } => Some(TestsImpossible::Before),
            Tests::Impossible { before: false } => Some(TestsImpossible::WithTheChange),
            Tests::None | Tests::Job(_) => None,
        };
        EntryReport {
            package: self.index().package_text(entry.package),
            stage: entry.stage(),
            path: self.texts(&entry.reason.path),
            relation: entry.reason.relation,
            with: self.texts(&entry.with()),
            dependents: entry.dependents,
            build: entry.build.as_ref().map(|job| self.job(job)),
            test: entry.test().map(|job| self.job(job)),
            tests_impossible: impossible,
        }
    }

    fn job(&self, job: &Job) -> JobReport {
        let selections = job.selections.iter().map(|together| SelectionReport {
            with: self.texts(&together.with),
            packages: self.texts(together.selection.packages()),
        });
        JobReport { stage: job.stage, needs: self.texts(&job.needs), selections: selections.collect() }
    }

    fn said(&self, facts: &[Fact]) -> Vec<Said> {
        let said = |fact: &Fact| Said {
            fact: fact.clone(),
            text: fact.to_string(),
            place: fact.origin.as_ref().and_then(|origin| self.place(origin)),
        };
        facts.iter().map(said).collect()
    }

    fn place(&self, origin: &Origin) -> Option<Place> {
        let (name, version) = opam_parser::name::split_package(&origin.package)?;
        let package = self.index().find_package(self.index().find_name(name.as_str())?, version.as_str())?;
        let file = self.index().package_file(package);
        let line = (self.frame.text)(file)
            .and_then(|text| opam_parser::file::field_line(&text, origin.field, origin.mention.as_deref()));
        Some(Place { file: self.index().file(file).path, line })
    }
}

/// What differs between the best selections of names, with the names that it differs for. The most frequent
/// first.
pub(crate) fn grouped(reselected: &[Reselected]) -> Vec<(&Difference, Vec<&str>)> {
    let mut groups: BTreeMap<&Difference, Vec<&str>> = BTreeMap::new();
    for name in reselected {
        for difference in &name.differences {
            groups.entry(difference).or_default().push(&name.name);
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    // Stable: what is equally frequent stays in its order.
    groups.sort_by_key(|(_, names)| std::cmp::Reverse(names.len()));
    groups
}

/// `dune 3.23.1 → 3.24.0`, `base.v0.17 comes in`, `num.1.6 is left out`
pub fn difference_text(difference: &Difference) -> String {
    let name = &difference.name;
    match (&difference.before, &difference.after) {
        (Some(before), Some(after)) => format!("{name} {before} → {after}"),
        (None, Some(after)) => format!("{name}.{after} comes in"),
        (Some(before), None) => format!("{name}.{before} is left out"),
        (None, None) => name.clone(),
    }
}

/// What has to be said of why a package cannot be installed: not what was asked for, which is known.
pub(crate) fn telling(facts: &[Said]) -> impl Iterator<Item = &str> {
    let asked = |said: &&Said| !matches!(said.fact.statement, Statement::Asked { but: None, .. });
    facts.iter().filter(asked).map(|said| said.text.as_str())
}

/// `1 version`, `2 versions`
pub(crate) fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}

/// The first of some texts, and how many more there are.
pub(crate) fn some<T: AsRef<str>>(texts: &[T], limit: usize) -> String {
    // One more line says less than the one text that it stands for.
    let shown = if texts.len() <= limit + 1 { texts.len() } else { limit };
    let mut list = texts[..shown].iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    if shown < texts.len() {
        list.push_str(&format!(" and {} more", texts.len() - shown));
    }
    list
}
