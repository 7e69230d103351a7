//! A page for a person at a terminal.

use super::{
    EntryReport, PlatformReport, Report, Said, TestsImpossible, count, difference_text, grouped, some, telling,
};
use crate::changes::Change;
use crate::impact::{Cause, Verdict};
use crate::rebuild::Relation;
use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const BAD: Style = AnsiColor::Red.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const UNSURE: Style = AnsiColor::Yellow.on_default();

/// How many of many similar things are shown.
const FEW: usize = 8;

/// The page, with colours for a terminal; `all` shows everything where else the first few stand for many.
pub fn text(report: &Report, all: bool) -> String {
    let mut page = Page { text: String::new(), few: if all { usize::MAX - 1 } else { FEW } };
    page.report(report);
    page.text
}

struct Page {
    text: String,
    few: usize,
}

impl Page {
    fn line(&mut self, indent: usize, text: impl std::fmt::Display) {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{:indent$}{text}", "");
    }

    fn report(&mut self, report: &Report) {
        self.line(0, format_args!("{DIM}from{DIM:#} {}", report.base));
        self.line(0, format_args!("{DIM}to{DIM:#}   {}", report.head));
        self.line(0, "");
        self.changes(report);
        for dangling in &report.dangling {
            let wanted: Vec<&String> = dangling.required_by.iter().chain(&dangling.wanted_by).collect();
            let name = &dangling.name;
            self.line(0, format_args!("{BAD}`{name}` is gone{BAD:#}, but mentioned by {}", some(&wanted, self.few)));
        }
        for platform in &report.platforms {
            self.line(0, "");
            self.platform(platform);
        }
        self.line(0, "");
        let (style, words) = match report.verdict {
            Verdict::Clean => (GOOD, "nothing broke"),
            Verdict::Broken => (BAD, "something broke"),
            Verdict::Unknown => (UNSURE, "not everything could be told"),
        };
        self.line(0, format_args!("{style}{words}{style:#}"));
    }

    fn changes(&mut self, report: &Report) {
        let packages = &report.changes.packages;
        if report.changes.is_empty() {
            return self.line(0, "no package changed");
        }
        self.line(0, format_args!("{BOLD}{} changed{BOLD:#}", count(packages.len(), "package")));
        let width = packages.iter().map(|change| change.to_string().len()).max().unwrap_or(0);
        for change in packages.iter().take(self.few.saturating_mul(4)) {
            self.line(2, format_args!("{:width$}  {}", change.to_string(), described(change)));
        }
        if packages.len() > self.few.saturating_mul(4) {
            self.line(2, format_args!("and {} more", packages.len() - self.few * 4));
        }
        for path in &report.changes.unexpected {
            self.line(2, format_args!("{BAD}{path}{BAD:#} belongs to no package"));
        }
    }

    fn platform(&mut self, platform: &PlatformReport) {
        self.line(0, format_args!("{BOLD}{}{BOLD:#}", platform.label));
        if let Some(error) = &platform.error {
            return self.line(2, format_args!("{UNSURE}could not be told:{UNSURE:#} {error}"));
        }
        let start = self.text.len();
        self.lost(platform);
        self.refused(platform);
        let gained: Vec<&str> =
            platform.gained.iter().filter(|gained| !gained.new).map(|g| g.package.as_str()).collect();
        if !gained.is_empty() {
            let count = count(gained.len(), "version");
            self.line(2, format_args!("{GOOD}{count} can be installed now:{GOOD:#} {}", some(&gained, self.few)));
        }
        for cycle in &platform.cycles.made {
            self.line(2, format_args!("{BAD}new circle of dependencies:{BAD:#} {}", circle(cycle)));
        }
        for cycle in &platform.cycles.broken {
            self.line(2, format_args!("{GOOD}no circle of dependencies any more:{GOOD:#} {}", circle(cycle)));
        }
        if !platform.broken_before.is_empty() {
            let count = count(platform.broken_before.len(), "version");
            self.line(2, format_args!("{count} of what depends on the change could not be installed before either"));
        }
        self.reselected(platform);
        self.rebuild(platform);
        if self.text.len() == start {
            self.line(2, "nothing is affected");
        }
    }

    fn lost(&mut self, platform: &PlatformReport) {
        let named = |cause: Cause| -> Vec<&str> {
            platform.lost.iter().filter(|lost| lost.cause == cause).map(|lost| lost.package.as_str()).collect()
        };
        let deleted = named(Cause::Deleted);
        if !deleted.is_empty() {
            let count = count(deleted.len(), "version");
            self.line(2, format_args!("{count} that could be installed deleted: {}", some(&deleted, self.few)));
        }
        for (cause, style, words) in [
            (Cause::Dependencies, BAD, "can no longer be installed, because of what they depend on"),
            (Cause::Itself, BAD, "can no longer be installed by anybody"),
            (Cause::BrokenFile, BAD, "can no longer be read"),
            (Cause::Restricted, UNSURE, "for other compilers or platforms now"),
            (Cause::Unavailable, UNSURE, "made unavailable"),
        ] {
            let lost: Vec<_> = platform.lost.iter().filter(|lost| lost.cause == cause).collect();
            if lost.is_empty() {
                continue;
            }
            self.line(2, format_args!("{style}{} {words}:{style:#}", count(lost.len(), "version")));
            for lost in lost.iter().take(self.few) {
                self.line(4, format_args!("{BOLD}{}{BOLD:#}", lost.package));
                self.facts(&lost.facts);
            }
            let rest: Vec<&str> = lost.iter().skip(self.few).map(|lost| lost.package.as_str()).collect();
            if !rest.is_empty() {
                self.line(4, format_args!("and {}", rest.join(", ")));
            }
        }
    }

    fn refused(&mut self, platform: &PlatformReport) {
        for (elsewhere, style, words) in
            [(false, BAD, "cannot be installed by anybody"), (true, UNSURE, "only for other compilers or platforms")]
        {
            let refused: Vec<_> = platform.refused.iter().filter(|refused| refused.elsewhere == elsewhere).collect();
            if refused.is_empty() {
                continue;
            }
            self.line(2, format_args!("{style}{} {words}:{style:#}", count(refused.len(), "new version")));
            for refused in refused.iter().take(self.few) {
                match telling(&refused.facts).collect::<Vec<_>>().as_slice() {
                    // The one fact names the package.
                    [fact] if fact.starts_with(&refused.package) => self.line(4, fact),
                    _ => {
                        self.line(4, format_args!("{BOLD}{}{BOLD:#}", refused.package));
                        self.facts(&refused.facts);
                    }
                }
            }
            let rest: Vec<&str> = refused.iter().skip(self.few).map(|refused| refused.package.as_str()).collect();
            if !rest.is_empty() {
                self.line(4, format_args!("and {}", rest.join(", ")));
            }
        }
    }

    fn facts(&mut self, facts: &[Said]) {
        telling(facts).for_each(|fact| self.line(6, format_args!("- {fact}")));
    }

    fn reselected(&mut self, platform: &PlatformReport) {
        if platform.reselected.is_empty() {
            return;
        }
        self.line(2, format_args!("the best solution changes for {}:", count(platform.reselected.len(), "package")));
        let groups = grouped(&platform.reselected);
        for (difference, names) in groups.iter().take(self.few) {
            let text = difference_text(difference);
            self.line(4, format_args!("{text} {DIM}for {}{DIM:#}", some(names, self.few / 2)));
        }
        if groups.len() > self.few {
            self.line(4, format_args!("and {}", count(groups.len() - self.few, "more difference")));
        }
    }

    fn rebuild(&mut self, platform: &PlatformReport) {
        let rebuild = &platform.rebuild;
        if !rebuild.entries.is_empty() {
            self.line(2, format_args!("to try again: {BOLD}{}{BOLD:#}", rebuild.amount()));
            // Reasons where there is room for them, else names.
            let in_full = rebuild.entries.len() <= self.few.saturating_mul(3);
            let width = rebuild.entries.iter().map(|entry| entry.package.len()).max().unwrap_or(0);
            for stage in rebuild.entries.chunk_by(|a, b| a.stage == b.stage) {
                let number = stage[0].stage;
                if !in_full {
                    let names: Vec<&str> = stage.iter().map(|entry| entry.package.as_str()).collect();
                    self.line(4, format_args!("{DIM}stage {number:<3}{DIM:#} {}", some(&names, self.few / 2)));
                    continue;
                }
                self.line(4, format_args!("{DIM}stage {number}{DIM:#}"));
                for entry in stage {
                    self.line(6, format_args!("{:width$}  {DIM}{}{DIM:#}", entry.package, reason(entry)));
                }
            }
        }
        for (packages, words) in rebuild.left_out.reasons() {
            let (count, some) = (count(packages.len(), "dependent"), some(packages, self.few / 2));
            self.line(2, format_args!("{DIM}left out: {count}, {words}: {some}{DIM:#}"));
        }
    }
}

/// What became of a package, and which fields differ.
pub(super) fn described(change: &Change) -> String {
    let mut text = change.kind.to_string();
    if !change.fields.is_empty() {
        let field = |field: &crate::changes::FieldChange| {
            let effects: Vec<String> = field.affects.iter().map(ToString::to_string).collect();
            format!("{} ({})", field.field, effects.join(", "))
        };
        let _ = write!(text, ": {}", change.fields.iter().map(field).collect::<Vec<_>>().join(", "));
    }
    for problem in &change.problems {
        let line = problem.line.map_or(String::new(), |line| format!(" line {line}:"));
        let _ = write!(text, ":{line} {}", problem.message);
    }
    text
}

/// `a.1 → b.2 → a.1`
pub(super) fn circle(packages: &[String]) -> String {
    packages.iter().chain(packages.first()).map(String::as_str).collect::<Vec<_>>().join(" → ")
}

/// What is done with an entry, and why.
pub(super) fn reason(entry: &EntryReport) -> String {
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
    format!("{what}: needs {}{how}{tests}", entry.path[1..].join(" → "))
}
