//! Annotations of GitHub's workflow commands: what broke, at the line of the opam file that says so.

use super::{Place, Report, Said, telling};
use crate::changes::Kind;
use crate::impact::Cause;
use std::collections::BTreeMap;
use std::fmt::Write as _;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Error,
    Warning,
    Notice,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// One `::error file=…,line=…,title=…::MESSAGE` a line; what is the same on several platforms is said once.
pub fn github<'r>(report: &'r Report) -> String {
    let mut annotations: BTreeMap<(Level, Option<Place>, String, String), Vec<&'r str>> = BTreeMap::new();
    let mut add = |level, place: Option<Place>, title: String, message: String, platform: Option<&'r str>| {
        let key = (level, place, title, message);
        annotations.entry(key).or_default().extend(platform);
    };
    let path = |package: &str| {
        let change = report.changes.packages.iter().find(|change| change.to_string() == package);
        change.and_then(|change| change.path.clone())
    };
    for change in report.changes.packages.iter().filter(|change| change.kind == Kind::Broken) {
        for problem in &change.problems {
            let place = change.path.clone().map(|file| Place { file, line: problem.line });
            add(Level::Error, place, format!("{change} cannot be read"), problem.message.clone(), None);
        }
    }
    for path in &report.changes.unexpected {
        let place = Place { file: path.clone(), line: None };
        add(Level::Error, Some(place), "unexpected file".into(), format!("{path} belongs to no package"), None);
    }
    for dangling in &report.dangling {
        let wanted: Vec<&String> = dangling.required_by.iter().chain(&dangling.wanted_by).collect();
        let message = format!("it is mentioned by {}", super::some(&wanted, 20));
        let level = if dangling.required_by.is_empty() { Level::Warning } else { Level::Error };
        add(level, None, format!("{} is gone", dangling.name), message, None);
    }
    for platform in &report.platforms {
        let label = Some(platform.label.as_str());
        if let Some(error) = &platform.error {
            add(Level::Warning, None, "could not be told".into(), error.clone(), label);
        }
        for lost in platform.lost.iter().filter(|lost| lost.cause != Cause::Deleted && lost.cause != Cause::BrokenFile)
        {
            let level = if lost.breaks { Level::Error } else { Level::Notice };
            let title = format!("{} can no longer be installed", lost.package);
            add(level, place(&lost.package, &lost.facts, &path), title, message(&lost.facts), label);
        }
        for refused in &platform.refused {
            let level = if refused.elsewhere { Level::Notice } else { Level::Error };
            let title = format!("{} cannot be installed", refused.package);
            add(level, place(&refused.package, &refused.facts, &path), title, message(&refused.facts), label);
        }
        for cycle in &platform.cycles.made {
            let file = cycle.iter().find_map(|package| path(package)).map(|file| Place { file, line: None });
            add(Level::Error, file, "new circle of dependencies".into(), super::text::circle(cycle), label);
        }
    }
    let mut out = String::new();
    for ((level, place, title, message), platforms) in annotations {
        let mut properties = Vec::new();
        if let Some(place) = place {
            properties.push(format!("file={}", property(&place.file)));
            properties.extend(place.line.map(|line| format!("line={line}")));
        }
        let on = if platforms.is_empty() { String::new() } else { format!(" ({})", platforms.join("; ")) };
        properties.push(format!("title={}", property(&format!("{title}{on}"))));
        // Writing to a string does not fail.
        let _ = writeln!(out, "::{} {}::{}", level.as_str(), properties.join(","), escaped(&message));
    }
    out
}

/// The line of the package's own file that has a part in it, else of the first file that has, else the
/// package's file.
fn place(package: &str, facts: &[Said], path: &dyn Fn(&str) -> Option<String>) -> Option<Place> {
    let own = |said: &&Said| said.fact.origin.as_ref().is_some_and(|origin| origin.package == package);
    let said = facts.iter().find(own).or_else(|| facts.iter().find(|said| said.place.is_some()));
    said.and_then(|said| said.place.clone()).or_else(|| path(package).map(|file| Place { file, line: None }))
}

fn message(facts: &[Said]) -> String {
    telling(facts).map(|fact| format!("- {fact}")).collect::<Vec<_>>().join("\n")
}

/// What a message may hold (the runner's `toolkit`, "command").
fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What the value of a property may hold.
fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}
