//! A comment on a pull request, in GitHub's Markdown: short where all is well, details folded.

use super::words::{
    amount, circle, describe, gained, group, left_out, lost_by, mentioning, not_told, reason, refused, telling,
};
use crate::answer::{Fact, ImpactAnswer, LossCause, LostVersion, PlatformImpact, Verdict};
use crate::escape::{markdown as text, markdown_code as code};
use crate::render::words::{count, difference, some};
use std::fmt::{Result, Write as _};

/// How many of many similar things are shown.
const FEW: usize = 10;
/// How many rows a table has at most; GitHub refuses comments over 65,536 characters.
const ROWS: usize = 60;

/// The comment.
pub(in crate::render) fn markdown(answer: &ImpactAnswer, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = write(answer, out);
}

fn codes<T: AsRef<str>>(texts: &[T], limit: usize) -> String {
    some(&texts.iter().map(|text| code(text.as_ref())).collect::<Vec<_>>(), limit)
}

fn write(answer: &ImpactAnswer, out: &mut String) -> Result {
    let verdict = match answer.verdict {
        Verdict::Clean => "✅ Nothing breaks",
        Verdict::Broken => "❌ Something breaks",
        Verdict::Unknown => "❔ Not everything could be told",
    };
    writeln!(out, "### {verdict}\n")?;
    writeln!(out, "From {} to {}.\n", code(&answer.base), code(&answer.head))?;
    changes(answer, out)?;
    for dangling in &answer.dangling {
        let mentioning = codes(&mentioning(dangling), FEW);
        writeln!(out, "\n**{} is gone**, but mentioned by {mentioning}.", code(&dangling.name))?;
    }
    answer.platforms.iter().try_for_each(|one| platform(one, out))
}

fn changes(answer: &ImpactAnswer, out: &mut String) -> Result {
    let packages = &answer.packages;
    if packages.is_empty() && answer.unexpected.is_empty() {
        return writeln!(out, "No package changed.");
    }
    writeln!(out, "| package | change |\n|---|---|")?;
    for change in packages.iter().take(ROWS) {
        writeln!(out, "| {} | {} |", code(&change.package()), text(&describe(change)))?;
    }
    if packages.len() > ROWS {
        writeln!(out, "| … | and {} more |", packages.len() - ROWS)?;
    }
    for path in &answer.unexpected {
        writeln!(out, "| {} | **belongs to no package** |", code(path))?;
    }
    Ok(())
}

fn platform(platform: &PlatformImpact, out: &mut String) -> Result {
    writeln!(out, "\n#### {}\n", text(&platform.label))?;
    if let Some(error) = &platform.error {
        return writeln!(out, "Could not be told: {}", text(error));
    }
    let start = out.len();
    for (cause, words) in [
        (LossCause::Dependencies, "can no longer be installed, because of what they depend on"),
        (LossCause::Itself, "can no longer be installed by anybody"),
        (LossCause::BrokenFile, "can no longer be read"),
        (LossCause::Restricted, "for other compilers or platforms now"),
        (LossCause::Unavailable, "made unavailable"),
        (LossCause::Deleted, "that could be installed deleted"),
    ] {
        lost(&lost_by(platform, cause), words, out)?;
    }
    refusals(platform, out)?;
    for cycle in &platform.cycles.made {
        writeln!(out, "❌ New circle of dependencies: {}\n", text(&circle(cycle)))?;
    }
    for cycle in &platform.cycles.broken {
        writeln!(out, "No circle of dependencies any more: {}\n", text(&circle(cycle)))?;
    }
    let gained = gained(platform);
    if !gained.is_empty() {
        writeln!(out, "{} can be installed now: {}\n", count(gained.len(), "version"), codes(&gained, FEW))?;
    }
    if !platform.broken_before.is_empty() {
        let count = count(platform.broken_before.len(), "version");
        writeln!(out, "{count} of what depends on the change could not be installed before either.\n")?;
    }
    for (reason, packages) in not_told(platform) {
        let count = count(packages.len(), "package");
        writeln!(out, "❔ {count} could not be told of ({}): {}\n", text(reason), codes(&packages, FEW))?;
    }
    reselected(platform, out)?;
    rebuild(platform, out)?;
    if out.len() == start {
        writeln!(out, "Nothing is affected.")?;
    }
    Ok(())
}

/// The versions that are lost for one cause.
fn lost(lost: &[&LostVersion], words: &str, out: &mut String) -> Result {
    let Some(first) = lost.first() else { return Ok(()) };
    let mark = if first.breaks { "❌ " } else { "" };
    writeln!(out, "{mark}**{} {words}:**\n", count(lost.len(), "version"))?;
    listed(lost.iter().map(|lost| (lost.package.as_str(), lost.facts.as_slice())), out)
}

fn refusals(platform: &PlatformImpact, out: &mut String) -> Result {
    for (elsewhere, mark, words) in
        [(false, "❌ ", "cannot be installed by anybody"), (true, "", "only for other compilers or platforms")]
    {
        let refused = refused(platform, elsewhere);
        if refused.is_empty() {
            continue;
        }
        writeln!(out, "{mark}**{} {words}:**\n", count(refused.len(), "new version"))?;
        listed(refused.iter().map(|refused| (refused.package.as_str(), refused.facts.as_slice())), out)?;
    }
    Ok(())
}

/// Packages: the first few with the facts, the names of the rest.
fn listed<'a>(mut packages: impl Iterator<Item = (&'a str, &'a [Fact])>, out: &mut String) -> Result {
    for (package, facts) in packages.by_ref().take(FEW) {
        writeln!(out, "- {}", code(package))?;
        telling(facts).try_for_each(|fact| writeln!(out, "  - {}", text(&fact)))?;
    }
    let rest: Vec<&str> = packages.map(|(package, _)| package).collect();
    if !rest.is_empty() {
        writeln!(out, "- and {}", codes(&rest, ROWS))?;
    }
    writeln!(out)
}

fn reselected(platform: &PlatformImpact, out: &mut String) -> Result {
    if platform.reselected.is_empty() {
        return Ok(());
    }
    let number = count(platform.reselected.len(), "package");
    writeln!(out, "<details><summary>The best solution changes for {number}</summary>\n")?;
    writeln!(out, "| change | for |\n|---|---|")?;
    let groups = group(&platform.reselected);
    for (between, names) in groups.iter().take(ROWS / 2) {
        writeln!(out, "| {} | {} |", text(&difference(between)), codes(names, FEW / 2))?;
    }
    if groups.len() > ROWS / 2 {
        writeln!(out, "| … | and {} |", count(groups.len() - ROWS / 2, "more difference"))?;
    }
    writeln!(out, "\n</details>\n")
}

fn rebuild(platform: &PlatformImpact, out: &mut String) -> Result {
    let rebuild = &platform.rebuild;
    if rebuild.entries.is_empty() {
        return Ok(());
    }
    writeln!(out, "<details><summary>To try again: {}</summary>\n", amount(rebuild))?;
    writeln!(out, "| stage | package | why |\n|--:|---|---|")?;
    for entry in rebuild.entries.iter().take(ROWS) {
        writeln!(out, "| {} | {} | {} |", entry.stage, code(&entry.package), text(&reason(entry)))?;
    }
    if rebuild.entries.len() > ROWS {
        writeln!(out, "| | … | and {} more |", rebuild.entries.len() - ROWS)?;
    }
    writeln!(out)?;
    for (packages, words) in left_out(&rebuild.left_out) {
        writeln!(out, "Left out: {}, {words}.", count(packages.len(), "dependent"))?;
    }
    writeln!(out, "\n</details>\n")
}
