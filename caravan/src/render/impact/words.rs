//! Words that the forms of this answer have in common.

use crate::answer::{
    ChangeKind, ChangedPackage, DanglingName, Difference, Effect, Fact, LeftOut, LossCause, LostVersion, NotTold,
    PlatformImpact, RebuildEntry, RebuildSet, RefusedVersion, Relation, ReselectedName, TestsImpossible,
};
use crate::render::words::count;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What became of a package, and which fields differ.
pub(super) fn describe(change: &ChangedPackage) -> String {
    let mut text = kind(change.kind).to_owned();
    if !change.fields.is_empty() {
        let fields = change.fields.iter().map(|field| {
            let effects: Vec<&str> = field.affects.iter().map(|affected| effect(*affected)).collect();
            format!("{} ({})", field.field, effects.join(", "))
        });
        // Writing to a string cannot fail.
        let _ = write!(text, ": {}", fields.collect::<Vec<_>>().join(", "));
    }
    for problem in &change.problems {
        let line = problem.line.map_or(String::new(), |line| format!(" line {line}:"));
        let _ = write!(text, ":{line} {}", problem.message);
    }
    text
}

fn kind(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::NewPackage => "new package",
        ChangeKind::NewRelease => "new release",
        ChangeKind::Deleted => "deleted",
        ChangeKind::Unavailable => "made unavailable",
        ChangeKind::SignificantlyChanged => "changed",
        ChangeKind::InsignificantlyChanged => "changed in words only",
        ChangeKind::Broken => "broken",
    }
}

fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Solving => "solving",
        Effect::Building => "building",
        Effect::Tests => "tests",
        Effect::Documentation => "documentation",
        Effect::Metadata => "metadata",
    }
}

/// The packages that mention a name that is gone.
pub(super) fn mentioning(dangling: &DanglingName) -> Vec<&String> {
    dangling.required_by.iter().chain(&dangling.wanted_by).collect()
}

/// `a.1 → b.2 → a.1`
pub(super) fn circle(packages: &[String]) -> String {
    packages.iter().chain(packages.first()).map(String::as_str).collect::<Vec<_>>().join(" → ")
}

/// What has to be said of why a package cannot be installed: not what was asked for, which is known.
pub(super) fn telling(facts: &[Fact]) -> impl Iterator<Item = String> {
    let text = |fact: &Fact| fact.text.clone().unwrap_or_else(|| fact.statement.to_string());
    facts.iter().filter(|fact| !fact.is_only_asked()).map(text)
}

/// The versions that are lost for a cause.
pub(super) fn lost_by(platform: &PlatformImpact, cause: LossCause) -> Vec<&LostVersion> {
    platform.lost.iter().filter(|lost| lost.cause == cause).collect()
}

/// The new versions that cannot be installed, by whether they are for other compilers or platforms.
pub(super) fn refused(platform: &PlatformImpact, elsewhere: bool) -> Vec<&RefusedVersion> {
    platform.refused.iter().filter(|refused| refused.elsewhere == elsewhere).collect()
}

/// The versions that were there before and can be installed now.
pub(super) fn gained(platform: &PlatformImpact) -> Vec<&str> {
    platform.gained.iter().filter(|gained| !gained.new).map(|gained| gained.package.as_str()).collect()
}

/// What could not be told, by the reason.
pub(super) fn not_told(platform: &PlatformImpact) -> BTreeMap<&str, Vec<&str>> {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for NotTold { package, reason } in &platform.not_told {
        reasons.entry(reason).or_default().push(package);
    }
    reasons
}

/// What differs between the best selections of names, with the names that it differs for. The most frequent first.
pub(super) fn group(reselected: &[ReselectedName]) -> Vec<(&Difference, Vec<&str>)> {
    let mut groups: BTreeMap<&Difference, Vec<&str>> = BTreeMap::new();
    for name in reselected {
        for difference in &name.differences {
            groups.entry(difference).or_default().push(&name.name);
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    // Stable: what is equally frequent stays in its order.
    groups.sort_by_key(|(_, names)| Reverse(names.len()));
    groups
}

/// `2 builds and 1 test in 2 stages`
pub(super) fn amount(rebuild: &RebuildSet) -> String {
    let builds = rebuild.entries.iter().filter(|entry| entry.build.is_some()).count();
    let tests = rebuild.entries.iter().filter(|entry| entry.test.is_some()).count();
    format!("{} and {} in {}", count(builds, "build"), count(tests, "test"), count(rebuild.stages, "stage"))
}

/// What is done with an entry, and why.
pub(super) fn reason(entry: &RebuildEntry) -> String {
    let what = match (&entry.build, &entry.test) {
        (Some(_), Some(_)) => "build, test",
        (None, Some(_)) => "test",
        (_, None) => "build",
    };
    let how = match entry.relation {
        Relation::Depends => "",
        Relation::Depopts => " (optionally)",
        Relation::Tests => " (for tests)",
        Relation::Possible => " (by another choice of versions)",
    };
    let tests = match entry.tests_impossible {
        None => "",
        Some(TestsImpossible::Before) => "; its tests could not be installed before either",
        Some(TestsImpossible::WithTheChange) => "; its tests cannot be installed with the change",
    };
    let needs = entry.path.get(1..).unwrap_or_default();
    format!("{what}: needs {}{how}{tests}", needs.join(" → "))
}

/// The lists of what is left out that are not empty, each with the reason.
pub(super) fn left_out(left_out: &LeftOut) -> impl Iterator<Item = (&Vec<String>, &'static str)> {
    let all = [
        (&left_out.not_told, "of which it could not be told"),
        (&left_out.not_together, "cannot be installed together with the change"),
        (&left_out.unused, "built without the change in the end"),
        (&left_out.avoided, "to be avoided"),
        (&left_out.abandoned, "maintained by nobody"),
        (&left_out.over_budget, "beyond the budget"),
        (&left_out.other_version, "of which another version is tried"),
    ];
    all.into_iter().filter(|(packages, _)| !packages.is_empty())
}
