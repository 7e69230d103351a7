//! Annotations of GitHub's workflow commands: what broke, at the line of the opam file that says so.

use super::words::{circle, mentioning, not_told, telling};
use crate::answer::{ChangeKind, ChangedPackage, Fact, ImpactAnswer, LossCause, Place, PlatformImpact};
use crate::escape::{line, lines};
use crate::render::words::some;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How many packages that mention a name are shown.
const MENTIONING: usize = 20;

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

/// What is said, and where; what is the same on several platforms is said once. Annotations are ordered by this.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Annotation {
    level: Level,
    place: Option<Place>,
    title: String,
    message: String,
}

/// Annotations, each with the platforms that it is about; none: it is about all.
struct Annotations<'a> {
    answer: &'a ImpactAnswer,
    found: BTreeMap<Annotation, Vec<&'a str>>,
}

/// One `::error file=…,line=…,title=…::MESSAGE` a line.
pub(in crate::render) fn github(answer: &ImpactAnswer, out: &mut String) {
    let mut annotations = Annotations { answer, found: BTreeMap::new() };
    annotations.changes();
    answer.platforms.iter().for_each(|platform| annotations.platform(platform));
    for (Annotation { level, place, title, message }, platforms) in annotations.found {
        let mut properties = Vec::new();
        if let Some(place) = place {
            properties.push(format!("file={}", property(&place.file)));
            properties.extend(place.line.map(|line| format!("line={line}")));
        }
        let on = if platforms.is_empty() { String::new() } else { format!(" ({})", platforms.join("; ")) };
        properties.push(format!("title={}", property(&format!("{title}{on}"))));
        // Writing to a string cannot fail.
        let _ = writeln!(out, "::{} {}::{}", level.as_str(), properties.join(","), escaped(&message));
    }
}

impl<'a> Annotations<'a> {
    fn add(&mut self, annotation: Annotation, platform: Option<&'a str>) {
        self.found.entry(annotation).or_default().extend(platform);
    }

    /// What is the same on all platforms.
    fn changes(&mut self) {
        let answer = self.answer;
        for change in answer.packages.iter().filter(|change| change.kind == ChangeKind::Broken) {
            for problem in &change.problems {
                let place = change.path.clone().map(|file| Place { file, line: problem.line });
                let title = format!("{} cannot be read", change.package());
                let annotation = Annotation { level: Level::Error, place, title, message: problem.message.clone() };
                self.add(annotation, None);
            }
        }
        for path in &answer.unexpected {
            let place = Some(Place { file: path.clone(), line: None });
            let message = format!("{path} belongs to no package");
            self.add(Annotation { level: Level::Error, place, title: "unexpected file".into(), message }, None);
        }
        for dangling in &answer.dangling {
            let message = format!("it is mentioned by {}", some(&mentioning(dangling), MENTIONING));
            let level = if dangling.required_by.is_empty() { Level::Warning } else { Level::Error };
            let title = format!("{} is gone", dangling.name);
            self.add(Annotation { level, place: None, title, message }, None);
        }
    }

    fn platform(&mut self, platform: &'a PlatformImpact) {
        let label = Some(platform.label.as_str());
        if let Some(error) = &platform.error {
            let (title, message) = ("could not be told".to_owned(), error.clone());
            self.add(Annotation { level: Level::Warning, place: None, title, message }, label);
        }
        let is_said_elsewhere = |cause: LossCause| matches!(cause, LossCause::Deleted | LossCause::BrokenFile);
        for lost in platform.lost.iter().filter(|lost| !is_said_elsewhere(lost.cause)) {
            let level = if lost.breaks { Level::Error } else { Level::Notice };
            let title = format!("{} can no longer be installed", lost.package);
            let place = self.place(&lost.package, &lost.facts);
            self.add(Annotation { level, place, title, message: message(&lost.facts) }, label);
        }
        for refused in &platform.refused {
            let level = if refused.elsewhere { Level::Notice } else { Level::Error };
            let title = format!("{} cannot be installed", refused.package);
            let place = self.place(&refused.package, &refused.facts);
            self.add(Annotation { level, place, title, message: message(&refused.facts) }, label);
        }
        for (reason, packages) in not_told(platform) {
            let (title, message) =
                ("could not be told".to_owned(), format!("{reason}: {}", some(&packages, MENTIONING)));
            self.add(Annotation { level: Level::Warning, place: None, title, message }, label);
        }
        for cycle in &platform.cycles.made {
            let place = cycle.iter().find_map(|package| self.file(package));
            let title = "new circle of dependencies".to_owned();
            self.add(Annotation { level: Level::Error, place, title, message: circle(cycle) }, label);
        }
    }

    /// The file of a package that changed.
    fn file(&self, package: &str) -> Option<Place> {
        let is_meant = |change: &&ChangedPackage| change.package() == package;
        let change = self.answer.packages.iter().find(is_meant)?;
        change.path.clone().map(|file| Place { file, line: None })
    }

    /// The line of the package's own file that has a part in it, else of the first file that has, else the package's
    /// file.
    fn place(&self, package: &str, facts: &[Fact]) -> Option<Place> {
        let own = |fact: &&Fact| fact.origin.as_ref().is_some_and(|origin| origin.package == package);
        let fact = facts.iter().find(own).or_else(|| facts.iter().find(|fact| fact.place.is_some()));
        fact.and_then(|fact| fact.place.clone()).or_else(|| self.file(package))
    }
}

fn message(facts: &[Fact]) -> String {
    telling(facts).map(|fact| format!("- {}", line(&fact))).collect::<Vec<_>>().join("\n")
}

/// What a message may hold (the runner's `toolkit`, "command").
fn escaped(text: &str) -> String {
    lines(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What the value of a property may hold.
fn property(text: &str) -> String {
    escaped(&line(text)).replace(':', "%3A").replace(',', "%2C")
}
