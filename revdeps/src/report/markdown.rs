//! A comment on a pull request: short where all is well, details folded.

use super::text::{circle, described, reason};
use super::{PlatformReport, Report, Said, count, difference_text, grouped, some, telling};
use crate::impact::{Cause, Verdict};
use std::fmt::Write as _;

/// How many of many similar things are shown.
const FEW: usize = 10;
/// How many rows a table has at most; GitHub refuses comments over 65,536 characters.
const ROWS: usize = 60;

/// The comment, in GitHub's Markdown.
pub fn markdown(report: &Report) -> String {
    let mut text = String::new();
    write(report, &mut text).map_or_else(|_| String::new(), |()| text)
}

/// Text within a table or a code span: what would end either is replaced.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'").replace('|', "\\|"))
}

fn codes<T: AsRef<str>>(texts: &[T], limit: usize) -> String {
    some(&texts.iter().map(|text| code(text.as_ref())).collect::<Vec<_>>(), limit)
}

fn write(report: &Report, out: &mut String) -> std::fmt::Result {
    let verdict = match report.verdict {
        Verdict::Clean => "✅ Nothing breaks",
        Verdict::Broken => "❌ Something breaks",
        Verdict::Unknown => "❔ Not everything could be told",
    };
    writeln!(out, "### {verdict}\n")?;
    writeln!(out, "From {} to {}.\n", code(&report.base), code(&report.head))?;
    changes(report, out)?;
    for dangling in &report.dangling {
        let wanted: Vec<&String> = dangling.required_by.iter().chain(&dangling.wanted_by).collect();
        writeln!(out, "\n**{} is gone**, but mentioned by {}.", code(&dangling.name), codes(&wanted, FEW))?;
    }
    report.platforms.iter().try_for_each(|one| platform(one, out))
}

fn changes(report: &Report, out: &mut String) -> std::fmt::Result {
    let packages = &report.changes.packages;
    if report.changes.is_empty() {
        return writeln!(out, "No package changed.");
    }
    writeln!(out, "| package | change |\n|---|---|")?;
    for change in packages.iter().take(ROWS) {
        writeln!(out, "| {} | {} |", code(&change.to_string()), described(change).replace('|', "\\|"))?;
    }
    if packages.len() > ROWS {
        writeln!(out, "| … | and {} more |", packages.len() - ROWS)?;
    }
    for path in &report.changes.unexpected {
        writeln!(out, "| {} | **belongs to no package** |", code(path))?;
    }
    Ok(())
}

fn facts(facts: &[Said], out: &mut String) -> std::fmt::Result {
    telling(facts).try_for_each(|fact| writeln!(out, "  - {}", fact.replace('<', "&lt;")))
}

fn platform(platform: &PlatformReport, out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n#### {}\n", platform.label.replace('<', "&lt;"))?;
    if let Some(error) = &platform.error {
        return writeln!(out, "Could not be told: {error}");
    }
    let start = out.len();
    for (cause, words) in [
        (Cause::Dependencies, "can no longer be installed, because of what they depend on"),
        (Cause::Itself, "can no longer be installed by anybody"),
        (Cause::BrokenFile, "can no longer be read"),
        (Cause::Restricted, "for other compilers or platforms now"),
        (Cause::Unavailable, "made unavailable"),
        (Cause::Deleted, "that could be installed deleted"),
    ] {
        let lost: Vec<_> = platform.lost.iter().filter(|lost| lost.cause == cause).collect();
        if lost.is_empty() {
            continue;
        }
        let mark = if cause.breaks() { "❌ " } else { "" };
        writeln!(out, "{mark}**{} {words}:**\n", count(lost.len(), "version"))?;
        for lost in lost.iter().take(FEW) {
            writeln!(out, "- {}", code(&lost.package))?;
            facts(&lost.facts, out)?;
        }
        let rest: Vec<&str> = lost.iter().skip(FEW).map(|lost| lost.package.as_str()).collect();
        if !rest.is_empty() {
            writeln!(out, "- and {}", codes(&rest, ROWS))?;
        }
        writeln!(out)?;
    }
    for (elsewhere, words) in
        [(false, "❌ **{} cannot be installed by anybody:**"), (true, "**{} only for other compilers or platforms:**")]
    {
        let refused: Vec<_> = platform.refused.iter().filter(|refused| refused.elsewhere == elsewhere).collect();
        if refused.is_empty() {
            continue;
        }
        writeln!(out, "{}\n", words.replace("{}", &count(refused.len(), "new version")))?;
        for refused in refused.iter().take(FEW) {
            writeln!(out, "- {}", code(&refused.package))?;
            facts(&refused.facts, out)?;
        }
        let rest: Vec<&str> = refused.iter().skip(FEW).map(|refused| refused.package.as_str()).collect();
        if !rest.is_empty() {
            writeln!(out, "- and {}", codes(&rest, ROWS))?;
        }
        writeln!(out)?;
    }
    for cycle in &platform.cycles.made {
        writeln!(out, "❌ New circle of dependencies: {}\n", circle(cycle))?;
    }
    for cycle in &platform.cycles.broken {
        writeln!(out, "No circle of dependencies any more: {}\n", circle(cycle))?;
    }
    let gained: Vec<&str> = platform.gained.iter().filter(|gained| !gained.new).map(|g| g.package.as_str()).collect();
    if !gained.is_empty() {
        writeln!(out, "{} can be installed now: {}\n", count(gained.len(), "version"), codes(&gained, FEW))?;
    }
    if !platform.broken_before.is_empty() {
        let count = count(platform.broken_before.len(), "version");
        writeln!(out, "{count} of what depends on the change could not be installed before either.\n")?;
    }
    reselected(platform, out)?;
    rebuild(platform, out)?;
    if out.len() == start {
        writeln!(out, "Nothing is affected.")?;
    }
    Ok(())
}

fn reselected(platform: &PlatformReport, out: &mut String) -> std::fmt::Result {
    if platform.reselected.is_empty() {
        return Ok(());
    }
    let number = count(platform.reselected.len(), "package");
    writeln!(out, "<details><summary>The best solution changes for {number}</summary>\n")?;
    writeln!(out, "| change | for |\n|---|---|")?;
    let groups = grouped(&platform.reselected);
    for (difference, names) in groups.iter().take(ROWS / 2) {
        writeln!(out, "| {} | {} |", difference_text(difference), codes(names, FEW / 2))?;
    }
    if groups.len() > ROWS / 2 {
        writeln!(out, "| … | and {} |", count(groups.len() - ROWS / 2, "more difference"))?;
    }
    writeln!(out, "\n</details>\n")
}

fn rebuild(platform: &PlatformReport, out: &mut String) -> std::fmt::Result {
    let rebuild = &platform.rebuild;
    if rebuild.entries.is_empty() {
        return Ok(());
    }
    writeln!(out, "<details><summary>To try again: {}</summary>\n", rebuild.amount())?;
    writeln!(out, "| stage | package | why |\n|--:|---|---|")?;
    for entry in rebuild.entries.iter().take(ROWS) {
        writeln!(out, "| {} | {} | {} |", entry.stage, code(&entry.package), reason(entry))?;
    }
    if rebuild.entries.len() > ROWS {
        writeln!(out, "| | … | and {} more |", rebuild.entries.len() - ROWS)?;
    }
    writeln!(out)?;
    for (packages, words) in rebuild.left_out.reasons() {
        writeln!(out, "Left out: {}, {words}.", count(packages.len(), "dependent"))?;
    }
    writeln!(out, "\n</details>\n")
}
