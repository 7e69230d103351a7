//! Answers as data: the JSON of `caravan solve` and `caravan installable` (`docs/json.md`), for the command
//! line and for services.

use crate::explain::{Fact, HeldBack, Hint, Statement};
use crate::platform::Platform;
use crate::{Explanation, Selection};
use opam_parser::index::{Index, NameId, PackageId};
use serde::Serialize;
use std::collections::BTreeMap;

/// A package version.
#[derive(Clone, Debug, Serialize)]
pub struct PackageReport {
    name: String,
    version: String,
    synopsis: String,
    flags: Vec<&'static str>,
}

impl PackageReport {
    /// What is said of a package.
    pub fn new(index: &Index, package: PackageId) -> Self {
        Self {
            name: index.name(index.package_name(package)).to_owned(),
            version: index.version(index.package_version(package)).to_owned(),
            synopsis: index.synopsis(package).to_string(),
            flags: index.flags(package).names().collect(),
        }
    }

    /// What is said of several packages.
    pub fn all(index: &Index, packages: &[PackageId]) -> Vec<Self> {
        packages.iter().map(|package| Self::new(index, *package)).collect()
    }
}

/// The variables of a platform.
pub fn variables(platform: &Platform) -> BTreeMap<String, String> {
    platform.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What came out for one platform.
pub struct Answer {
    /// The platform.
    pub platform: Platform,
    /// The selection, or why there is none.
    pub result: Result<Selection, Explanation>,
    /// What is not at its newest version, and why, if somebody asked.
    pub held_back: Option<Vec<HeldBack>>,
}

/// A question's answers, ready to be written.
pub struct Answers<'a> {
    /// The packages.
    pub index: &'a Index,
    /// What was asked for, as text.
    pub roots: &'a [String],
    /// For each platform what came out.
    pub answers: &'a [Answer],
    /// The names that could not have the same version everywhere, if that was asked for.
    pub differing: Option<&'a [NameId]>,
    /// Whether the selections were checked.
    pub checked: bool,
    /// Where a fact is written, if somebody wants to know.
    pub place: &'a dyn Fn(&Fact) -> Option<String>,
}

/// `caravan.solve/2`
#[derive(Serialize)]
pub struct SolveReport<'a> {
    schema: &'static str,
    roots: &'a [String],
    answers: Vec<AnswerReport<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    differing: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checked: Option<bool>,
}

#[derive(Serialize)]
struct AnswerReport<'a> {
    platform: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    packages: Option<Vec<PackageReport>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_back: Option<Vec<HeldBackReport<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    no_solution: Option<ExplanationReport<'a>>,
}

#[derive(Serialize)]
struct ExplanationReport<'a> {
    facts: Vec<FactReport<'a>>,
    hints: &'a [Hint],
}

#[derive(Serialize)]
struct HeldBackReport<'a> {
    name: &'a str,
    version: &'a str,
    best: &'a str,
    facts: Vec<FactReport<'a>>,
}

#[derive(Serialize)]
struct FactReport<'a> {
    #[serde(flatten)]
    statement: &'a Statement,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<OriginReport<'a>>,
    text: String,
}

#[derive(Serialize)]
struct OriginReport<'a> {
    package: &'a str,
    field: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
}

impl<'a> Answers<'a> {
    /// The JSON.
    pub fn report(&self) -> SolveReport<'a> {
        SolveReport {
            schema: "caravan.solve/2",
            roots: self.roots,
            answers: self.answers.iter().map(|answer| self.answer(answer)).collect(),
            differing: self.differing.map(|names| names.iter().map(|name| self.index.name(*name)).collect()),
            checked: (self.checked && self.answers.iter().any(|answer| answer.result.is_ok())).then_some(true),
        }
    }

    fn answer(&self, answer: &'a Answer) -> AnswerReport<'a> {
        let index = self.index;
        let version = |package: PackageId| index.version(index.package_version(package));
        let held = |held: &'a HeldBack| HeldBackReport {
            name: index.name(index.package_name(held.package)),
            version: version(held.package),
            best: version(held.best),
            facts: self.facts(&held.facts),
        };
        AnswerReport {
            platform: variables(&answer.platform),
            packages: answer.result.as_ref().ok().map(|selection| PackageReport::all(index, selection.packages())),
            held_back: answer.held_back.as_ref().map(|held_back| held_back.iter().map(held).collect()),
            no_solution: answer.result.as_ref().err().map(|explanation| ExplanationReport {
                facts: self.facts(&explanation.facts),
                hints: &explanation.hints,
            }),
        }
    }

    fn facts(&self, facts: &'a [Fact]) -> Vec<FactReport<'a>> {
        let origin = |fact: &'a Fact| {
            let origin = fact.origin.as_ref()?;
            Some(OriginReport { package: &origin.package, field: origin.field, place: (self.place)(fact) })
        };
        let report =
            |fact: &'a Fact| FactReport { statement: &fact.statement, origin: origin(fact), text: fact.to_string() };
        facts.iter().map(report).collect()
    }
}

/// `caravan.installable/1`
#[derive(Serialize)]
pub struct InstallableReport {
    schema: &'static str,
    answers: Vec<InstallableAnswer>,
}

#[derive(Serialize)]
struct InstallableAnswer {
    platform: BTreeMap<String, String>,
    installable: Vec<String>,
    not_installable: Vec<String>,
}

impl InstallableReport {
    /// The JSON: for each platform packages, and whether they can be installed.
    pub fn new(index: &Index, answers: &[(Platform, Vec<(PackageId, bool)>)]) -> Self {
        let of = |answer: &[(PackageId, bool)], wanted: bool| {
            let found = answer.iter().filter(|(_, installable)| *installable == wanted);
            found.map(|(package, _)| index.package_text(*package)).collect()
        };
        let answer = |(platform, answer): &(Platform, Vec<(PackageId, bool)>)| InstallableAnswer {
            platform: variables(platform),
            installable: of(answer, true),
            not_installable: of(answer, false),
        };
        Self { schema: "caravan.installable/1", answers: answers.iter().map(answer).collect() }
    }
}
