//! A page for a person at a terminal.

use super::words::{
    amount, circle, describe, gained, group, left_out, lost_by, mentioning, not_told, reason, refused, telling,
};
use crate::answer::{Fact, ImpactAnswer, LossCause, PlatformImpact, RebuildEntry, Verdict};
use crate::escape::line;
use crate::render::TextOptions;
use crate::render::palette::{BAD, BOLD, DIM, GOOD, UNSURE};
use crate::render::words::{count, difference, joined, some};
use std::fmt::{Display, Write as _};

/// How many of many similar things are shown.
const FEW: usize = 8;

/// The page; `verbose` shows everything where else the first few stand for many.
pub(in crate::render) fn text(answer: &ImpactAnswer, options: TextOptions, out: &mut String) {
    Page { out, few: if options.verbose { usize::MAX - 1 } else { FEW } }.answer(answer);
}

struct Page<'p> {
    out: &'p mut String,
    few: usize,
}

impl Page<'_> {
    fn line(&mut self, indent: usize, text: impl Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.out, "{:indent$}{text}", "");
    }

    fn answer(&mut self, answer: &ImpactAnswer) {
        self.line(0, format_args!("{DIM}from{DIM:#} {}", line(&answer.base)));
        self.line(0, format_args!("{DIM}to{DIM:#}   {}", line(&answer.head)));
        self.line(0, "");
        self.changes(answer);
        for dangling in &answer.dangling {
            let mentioning = some(&mentioning(dangling), self.few);
            self.line(0, format_args!("{BAD}`{}` is gone{BAD:#}, but mentioned by {mentioning}", line(&dangling.name)));
        }
        for platform in &answer.platforms {
            self.line(0, "");
            self.platform(platform);
        }
        self.line(0, "");
        let (style, words) = match answer.verdict {
            Verdict::Clean => (GOOD, "nothing broke"),
            Verdict::Broken => (BAD, "something broke"),
            Verdict::Unknown => (UNSURE, "not everything could be told"),
        };
        self.line(0, format_args!("{style}{words}{style:#}"));
    }

    fn changes(&mut self, answer: &ImpactAnswer) {
        let packages = &answer.packages;
        if packages.is_empty() && answer.unexpected.is_empty() {
            return self.line(0, "no package changed");
        }
        self.line(0, format_args!("{BOLD}{} changed{BOLD:#}", count(packages.len(), "package")));
        let width = packages.iter().map(|change| line(&change.package()).len()).max().unwrap_or(0);
        let shown = self.few.saturating_mul(4);
        for change in packages.iter().take(shown) {
            self.line(2, format_args!("{}  {}", padded(&change.package(), width), line(&describe(change))));
        }
        if packages.len() > shown {
            self.line(2, format_args!("and {} more", packages.len() - shown));
        }
        for path in &answer.unexpected {
            self.line(2, format_args!("{BAD}{}{BAD:#} belongs to no package", line(path)));
        }
    }

    fn platform(&mut self, platform: &PlatformImpact) {
        self.line(0, format_args!("{BOLD}{}{BOLD:#}", line(&platform.label)));
        if let Some(error) = &platform.error {
            return self.line(2, format_args!("{UNSURE}could not be told:{UNSURE:#} {}", line(error)));
        }
        let start = self.out.len();
        self.lost(platform);
        self.refused(platform);
        let gained = gained(platform);
        if !gained.is_empty() {
            let count = count(gained.len(), "version");
            self.line(2, format_args!("{GOOD}{count} can be installed now:{GOOD:#} {}", some(&gained, self.few)));
        }
        for cycle in &platform.cycles.made {
            self.line(2, format_args!("{BAD}new circle of dependencies:{BAD:#} {}", line(&circle(cycle))));
        }
        for cycle in &platform.cycles.broken {
            self.line(2, format_args!("{GOOD}no circle of dependencies any more:{GOOD:#} {}", line(&circle(cycle))));
        }
        if !platform.broken_before.is_empty() {
            let count = count(platform.broken_before.len(), "version");
            self.line(2, format_args!("{count} of what depends on the change could not be installed before either"));
        }
        for (reason, packages) in not_told(platform) {
            let count = count(packages.len(), "package");
            let some = some(&packages, self.few);
            self.line(2, format_args!("{UNSURE}{count} could not be told of{UNSURE:#} ({}): {some}", line(reason)));
        }
        self.reselected(platform);
        self.rebuild(platform);
        if self.out.len() == start {
            self.line(2, "nothing is affected");
        }
    }

    fn lost(&mut self, platform: &PlatformImpact) {
        let deleted: Vec<&str> =
            lost_by(platform, LossCause::Deleted).iter().map(|lost| lost.package.as_str()).collect();
        if !deleted.is_empty() {
            let count = count(deleted.len(), "version");
            self.line(2, format_args!("{count} that could be installed deleted: {}", some(&deleted, self.few)));
        }
        for (cause, style, words) in [
            (LossCause::Dependencies, BAD, "can no longer be installed, because of what they depend on"),
            (LossCause::Itself, BAD, "can no longer be installed by anybody"),
            (LossCause::BrokenFile, BAD, "can no longer be read"),
            (LossCause::Restricted, UNSURE, "for other compilers or platforms now"),
            (LossCause::Unavailable, UNSURE, "made unavailable"),
        ] {
            let lost = lost_by(platform, cause);
            if lost.is_empty() {
                continue;
            }
            self.line(2, format_args!("{style}{} {words}:{style:#}", count(lost.len(), "version")));
            for lost in lost.iter().take(self.few) {
                self.because(&lost.package, &lost.facts);
            }
            self.rest(lost.iter().map(|lost| lost.package.as_str()));
        }
    }

    fn refused(&mut self, platform: &PlatformImpact) {
        for (elsewhere, style, words) in
            [(false, BAD, "cannot be installed by anybody"), (true, UNSURE, "only for other compilers or platforms")]
        {
            let refused = refused(platform, elsewhere);
            if refused.is_empty() {
                continue;
            }
            self.line(2, format_args!("{style}{} {words}:{style:#}", count(refused.len(), "new version")));
            for refused in refused.iter().take(self.few) {
                match telling(&refused.facts).collect::<Vec<_>>().as_slice() {
                    // The one fact names the package.
                    [fact] if fact.starts_with(&refused.package) => self.line(4, line(fact)),
                    _ => self.because(&refused.package, &refused.facts),
                }
            }
            self.rest(refused.iter().map(|refused| refused.package.as_str()));
        }
    }

    /// A package and why it cannot be installed.
    fn because(&mut self, package: &str, facts: &[Fact]) {
        self.line(4, format_args!("{BOLD}{}{BOLD:#}", line(package)));
        telling(facts).for_each(|fact| self.line(6, format_args!("- {}", line(&fact))));
    }

    /// The packages after the first few.
    fn rest<'a>(&mut self, packages: impl Iterator<Item = &'a str>) {
        let rest: Vec<&str> = packages.skip(self.few).collect();
        if !rest.is_empty() {
            self.line(4, format_args!("and {}", joined(&rest)));
        }
    }

    fn reselected(&mut self, platform: &PlatformImpact) {
        if platform.reselected.is_empty() {
            return;
        }
        self.line(2, format_args!("the best solution changes for {}:", count(platform.reselected.len(), "package")));
        let groups = group(&platform.reselected);
        for (between, names) in groups.iter().take(self.few) {
            let text = difference(between);
            self.line(4, format_args!("{text} {DIM}for {}{DIM:#}", some(names, self.few / 2)));
        }
        if groups.len() > self.few {
            self.line(4, format_args!("and {}", count(groups.len() - self.few, "more difference")));
        }
    }

    fn rebuild(&mut self, platform: &PlatformImpact) {
        let rebuild = &platform.rebuild;
        if !rebuild.entries.is_empty() {
            self.line(2, format_args!("to try again: {BOLD}{}{BOLD:#}", amount(rebuild)));
            self.entries(&rebuild.entries);
        }
        for (packages, words) in left_out(&rebuild.left_out) {
            let (count, some) = (count(packages.len(), "dependent"), some(packages, self.few / 2));
            self.line(2, format_args!("{DIM}left out: {count}, {words}: {some}{DIM:#}"));
        }
    }

    /// By stage: with reasons where there is room for them, else names.
    fn entries(&mut self, entries: &[RebuildEntry]) {
        let in_full = entries.len() <= self.few.saturating_mul(3);
        let width = entries.iter().map(|entry| line(&entry.package).len()).max().unwrap_or(0);
        for stage in entries.chunk_by(|a, b| a.stage == b.stage) {
            let number = stage[0].stage;
            if !in_full {
                let names: Vec<&str> = stage.iter().map(|entry| entry.package.as_str()).collect();
                self.line(4, format_args!("{DIM}stage {number:<3}{DIM:#} {}", some(&names, self.few / 2)));
                continue;
            }
            self.line(4, format_args!("{DIM}stage {number}{DIM:#}"));
            for entry in stage {
                let package = padded(&entry.package, width);
                self.line(6, format_args!("{package}  {DIM}{}{DIM:#}", line(&reason(entry))));
            }
        }
    }
}

/// Text of others, with blanks to a width in bytes: the width of a formatted argument ends at 65,535.
fn padded(text: &str, width: usize) -> String {
    let text = line(text);
    format!("{text}{}", " ".repeat(width.saturating_sub(text.len())))
}
