//! Pages for a person at a terminal.

use super::{BuildsReport, CellReport, ComparisonReport, DocsReport, HealthReport, ReasonReport, count};
use crate::matrix::Class;
use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const BAD: Style = AnsiColor::Red.on_default();
const GOOD: Style = AnsiColor::Green.on_default();

/// How many of many similar things are shown.
const FEW: usize = 20;

/// Rows whose columns line up; all but the first are numbers.
fn table(text: &mut String, rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            0 => format!("{cell:width$}"),
            _ => format!("{cell:>width$}"),
        });
        let _ = writeln!(text, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

/// The page of a health check; `each` lists the packages, and `all` those that can be installed, too.
pub fn health_text(report: &HealthReport, each: bool, all: bool) -> String {
    let mut text = String::new();
    if each {
        for row in &report.packages {
            for (platform, cell) in report.platforms.iter().zip(&row.cells) {
                match cell {
                    Some(CellReport::Not { package, reason }) => {
                        let _ = writeln!(
                            text,
                            "{BOLD}{package}{BOLD:#} {BAD}not{BAD:#} on {}: {}",
                            platform.id,
                            why(reason)
                        );
                    }
                    Some(CellReport::Installable { package, selection }) if all => {
                        let others = selection.len().saturating_sub(1);
                        let _ = writeln!(
                            text,
                            "{BOLD}{package}{BOLD:#} {GOOD}can be installed{GOOD:#} on {}, with {}",
                            platform.id,
                            count(others, "package")
                        );
                        // Asked about one package, somebody wants to know which.
                        if report.packages.len() == 1 {
                            let _ = writeln!(text, "  {DIM}{}{DIM:#}", selection.join(" "));
                        }
                    }
                    _ => {}
                }
            }
        }
        if !text.is_empty() {
            text.push('\n');
        }
    }
    let classes: Vec<Class> = Class::ALL
        .into_iter()
        .filter(|class| report.platforms.iter().any(|platform| platform.not_installable.contains_key(class)))
        .collect();
    let mut heads = vec!["platform".to_owned(), "installable".to_owned(), "share".to_owned(), "not".to_owned()];
    heads.extend(classes.iter().map(|class| class.label().to_owned()));
    let mut rows = vec![heads];
    for platform in &report.platforms {
        let total = platform.total();
        let share = platform.installable as f64 * 100.0 / total.max(1) as f64;
        let mut row = vec![
            platform.id.clone(),
            platform.installable.to_string(),
            format!("{share:.1} %"),
            (total - platform.installable).to_string(),
        ];
        row.extend(classes.iter().map(|class| platform.not_installable.get(class).copied().unwrap_or(0).to_string()));
        rows.push(row);
    }
    table(&mut text, &rows);
    if let Some(comparison) = &report.comparison {
        text.push('\n');
        compared(&mut text, comparison, if all { usize::MAX } else { FEW });
    }
    text
}

/// The cause, and how the package gets to it.
fn why(reason: &ReasonReport) -> String {
    let through: Vec<&str> = reason.path.iter().skip(1).map(String::as_str).collect();
    let through =
        if through.is_empty() { String::new() } else { format!(" {DIM}(through {}){DIM:#}", through.join(", ")) };
    format!("{}{through}", reason.cause)
}

fn compared(text: &mut String, found: &ComparisonReport, few: usize) {
    let _ = writeln!(text, "{BOLD}{} against {}{BOLD:#}", found.after, found.before);
    let _ = writeln!(
        text,
        "  {} lost, {} won; {} can be installed on both, {} on neither",
        count(found.lost.len(), "package"),
        found.won.len(),
        found.both,
        found.neither
    );
    for lost in found.lost.iter().take(few) {
        let _ = writeln!(text, "  {BAD}-{BAD:#} {}: {}", lost.package, why(&lost.reason));
    }
    if found.lost.len() > few {
        let _ = writeln!(text, "    and {} more", found.lost.len() - few);
    }
    for won in found.won.iter().take(few) {
        let _ = writeln!(text, "  {GOOD}+{GOOD:#} {won}");
    }
    if found.won.len() > few {
        let _ = writeln!(text, "    and {} more", found.won.len() - few);
    }
    if !found.blockers.is_empty() {
        let _ = writeln!(text, "\n{BOLD}What stands in the way{BOLD:#}");
        let mut rows = vec![vec!["constraint".to_owned(), "frees".to_owned(), "with all above".to_owned()]];
        for blocker in &found.blockers {
            let other = match blocker.alternatives.len() {
                0 => String::new(),
                others => format!(" (or of {})", count(others, "other version")),
            };
            let what = match blocker.field {
                "available" => format!("{}: available: {}", blocker.package, blocker.constraint),
                "conflicts" => format!("{}: conflicts: {}", blocker.package, blocker.constraint),
                _ => format!("{}: {}{other}", blocker.package, blocker.constraint),
            };
            rows.push(vec![what, blocker.frees.len().to_string(), blocker.together.to_string()]);
        }
        table(text, &rows);
    }
}

/// The page of a build plan.
pub fn builds_text(report: &BuildsReport) -> String {
    let mut text = String::new();
    let mut rows = vec![["platform", "jobs", "builds", "without sharing"].map(str::to_owned).to_vec()];
    for platform in &report.platforms {
        let numbers = [platform.jobs, platform.builds, platform.without_sharing];
        rows.push(std::iter::once(platform.id.clone()).chain(numbers.map(|number| number.to_string())).collect());
    }
    if report.platforms.len() > 1 {
        let numbers = [report.jobs.len(), report.builds.len(), report.without_sharing];
        rows.push(std::iter::once("all".to_owned()).chain(numbers.map(|number| number.to_string())).collect());
    }
    table(&mut text, &rows);
    let _ = writeln!(
        text,
        "\n{BOLD}{}{BOLD:#} on {}; {} at best, {} on one",
        duration(report.seconds),
        count(report.workers, "worker"),
        duration(report.critical_seconds),
        duration(report.work_seconds)
    );
    let path: Vec<&str> = report.critical_path.iter().map(|build| report.builds[*build].package.as_str()).collect();
    let _ = writeln!(text, "{DIM}the longest way:{DIM:#} {}", path.join(", "));
    text
}

/// Seconds as hours, minutes and seconds.
fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, _) => format!("{seconds:.0} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

/// The page of a documentation plan.
pub fn docs_text(report: &DocsReport) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{BOLD}{}{BOLD:#} on {}: {} have a solution",
        count(report.versions, "version"),
        report.platform,
        report.solutions
    );
    let _ = writeln!(
        text,
        "{}, of {} with documentation",
        count(report.universes, "universe"),
        count(report.blessed.len(), "version")
    );
    if let Some(base) = &report.base {
        let _ = writeln!(text, "{} solved again since {base}", count(report.solved, "version"));
    }
    let new: usize = report.jobs.iter().map(|job| job.prepare.len()).sum();
    let _ = writeln!(text, "{} to install, for {}", count(report.jobs.len(), "solution"), count(new, "build"));
    for job in report.jobs.iter().take(FEW) {
        let _ = writeln!(text, "  {} {DIM}({}){DIM:#}", job.package, count(job.prepare.len(), "new build"));
    }
    if report.jobs.len() > FEW {
        let _ = writeln!(text, "  and {} more", report.jobs.len() - FEW);
    }
    text
}
