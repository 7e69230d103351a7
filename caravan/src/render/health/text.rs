//! The page of a health check for a terminal.

use crate::answer::{Blocker, BlockerField, HealthAnswer, HealthCell, HealthComparison, HealthReason};
use crate::escape::line;
use crate::render::TextOptions;
use crate::render::numbers::write_numbers;
use crate::render::palette::{BOLD, DIM, GOOD, NOT, UNSURE};
use crate::render::words::{count, joined};
use std::fmt::Write as _;

/// How many of many similar things are shown.
const FEW: usize = 20;

/// Of thousands of packages the numbers are shown, of a few each one.
pub(in crate::render) fn text(answer: &HealthAnswer, options: TextOptions, out: &mut String) {
    let each = options.verbose || answer.names_packages && answer.comparison.is_none();
    let named = answer.packages.len() <= FEW && answer.names_packages;
    if each {
        let before = out.len();
        write_packages(answer, options.verbose || named, out);
        if out.len() > before {
            out.push('\n');
        }
    }
    write_platforms(answer, out);
    if let Some(comparison) = &answer.comparison {
        out.push('\n');
        let all = options.verbose || named;
        write_comparison(comparison, if all { usize::MAX } else { FEW }, out);
    }
}

/// The packages that cannot be installed, or `all`.
fn write_packages(answer: &HealthAnswer, all: bool, out: &mut String) {
    for row in &answer.packages {
        for (platform, cell) in answer.platforms.iter().zip(&row.cells) {
            match cell {
                Some(HealthCell::Not { package, reason }) => {
                    let why = why(reason);
                    let _ = writeln!(
                        out,
                        "{BOLD}{}{BOLD:#} {NOT}not{NOT:#} on {}: {why}",
                        line(package),
                        line(&platform.id)
                    );
                }
                Some(HealthCell::Installable { package, selection }) if all => {
                    let others = count(selection.len().saturating_sub(1), "package");
                    let _ = writeln!(
                        out,
                        "{BOLD}{}{BOLD:#} {GOOD}can be installed{GOOD:#} on {}, with {others}",
                        line(package),
                        line(&platform.id)
                    );
                    // Asked about one package, somebody wants to know which.
                    if answer.packages.len() == 1 {
                        let _ = writeln!(out, "  {DIM}{}{DIM:#}", line(&selection.join(" ")));
                    }
                }
                Some(HealthCell::NotTold { package, not_told }) => {
                    let (package, why) = (line(package), line(not_told));
                    let _ = writeln!(
                        out,
                        "{BOLD}{package}{BOLD:#} {UNSURE}not told{UNSURE:#} on {}: {why}",
                        line(&platform.id)
                    );
                }
                _ => {}
            }
        }
    }
}

fn write_platforms(answer: &HealthAnswer, out: &mut String) {
    let classes = answer.reason_classes();
    let mut heads = vec!["platform".to_owned(), "installable".to_owned(), "share".to_owned(), "not".to_owned()];
    heads.extend(classes.iter().map(|class| class.label().to_owned()));
    let untold = answer.platforms.iter().any(|platform| platform.not_told > 0);
    heads.extend(untold.then(|| "not told".to_owned()));
    let mut rows = vec![heads];
    for platform in &answer.platforms {
        let mut row = vec![
            platform.id.clone(),
            platform.installable.to_string(),
            format!("{:.1} %", platform.percentage()),
            (platform.total() - platform.installable - platform.not_told).to_string(),
        ];
        row.extend(classes.iter().map(|class| platform.not_installable.get(class).copied().unwrap_or(0).to_string()));
        row.extend(untold.then(|| platform.not_told.to_string()));
        rows.push(row);
    }
    write_numbers(&rows, out);
}

/// The cause, and how the package gets to it.
fn why(reason: &HealthReason) -> String {
    let through: Vec<&str> = reason.path.iter().skip(1).map(String::as_str).collect();
    match through.as_slice() {
        [] => line(&reason.cause).into_owned(),
        through => format!("{} {DIM}(through {}){DIM:#}", line(&reason.cause), joined(through)),
    }
}

fn write_comparison(found: &HealthComparison, few: usize, out: &mut String) {
    let _ = writeln!(out, "{BOLD}{} against {}{BOLD:#}", line(&found.after), line(&found.before));
    let _ = writeln!(
        out,
        "  {} lost, {} won; {} can be installed on both, {} on neither",
        count(found.lost.len(), "package"),
        found.won.len(),
        found.both,
        found.neither
    );
    for lost in found.lost.iter().take(few) {
        let _ = writeln!(out, "  {NOT}-{NOT:#} {}: {}", line(&lost.package), why(&lost.reason));
    }
    if found.lost.len() > few {
        let _ = writeln!(out, "    and {} more", found.lost.len() - few);
    }
    for won in found.won.iter().take(few) {
        let _ = writeln!(out, "  {GOOD}+{GOOD:#} {}", line(won));
    }
    if found.won.len() > few {
        let _ = writeln!(out, "    and {} more", found.won.len() - few);
    }
    if !found.blockers.is_empty() {
        let _ = writeln!(out, "\n{BOLD}What stands in the way{BOLD:#}");
        let mut rows = vec![["constraint", "frees", "with all above"].map(str::to_owned).to_vec()];
        rows.extend(found.blockers.iter().map(blocker_row));
        write_numbers(&rows, out);
    }
}

fn blocker_row(blocker: &Blocker) -> Vec<String> {
    let Blocker { package, constraint, .. } = blocker;
    let what = match (blocker.field, blocker.alternatives.len()) {
        (BlockerField::Available, _) => format!("{package}: available: {constraint}"),
        (BlockerField::Conflicts, _) => format!("{package}: conflicts: {constraint}"),
        (BlockerField::Depends, 0) => format!("{package}: {constraint}"),
        (BlockerField::Depends, others) => {
            format!("{package}: {constraint} (or of {})", count(others, "other version"))
        }
    };
    vec![what, blocker.frees.len().to_string(), blocker.together.to_string()]
}
