//! A summary for an issue or a wiki.

use super::{ComparisonReport, HealthReport, count};
use crate::matrix::Class;
use std::fmt::Write;

/// How many rows a table has at most.
const ROWS: usize = 60;

/// The summary of a health check.
pub fn markdown(report: &HealthReport) -> String {
    let mut text = String::new();
    if let Some(comparison) = &report.comparison {
        compared(&mut text, comparison);
    }
    let _ = writeln!(text, "## What can be installed\n");
    let classes: Vec<Class> = Class::ALL
        .into_iter()
        .filter(|class| report.platforms.iter().any(|platform| platform.not_installable.contains_key(class)))
        .collect();
    let heads: String = classes.iter().map(|class| format!(" {} |", class.label())).collect();
    let _ = writeln!(text, "| platform | installable | of |{heads}");
    let _ = writeln!(text, "|---|---:|---:|{}", "---:|".repeat(classes.len()));
    for platform in &report.platforms {
        let (share, total) = (platform.installable as f64 * 100.0 / platform.total().max(1) as f64, platform.total());
        let _ = write!(text, "| `{}` | {} ({share:.1} %) | {total} |", platform.id, platform.installable);
        for class in &classes {
            let _ = write!(text, " {} |", platform.not_installable.get(class).copied().unwrap_or(0));
        }
        text.push('\n');
    }
    text
}

fn compared(text: &mut String, comparison: &ComparisonReport) {
    let ComparisonReport { before, after, lost, won, blockers, .. } = comparison;
    let _ = writeln!(text, "## `{after}` against `{before}`\n");
    let _ = writeln!(
        text,
        "{} lost, {} won; {} can be installed on both, {} on neither.\n",
        count(lost.len(), "package"),
        won.len(),
        comparison.both,
        comparison.neither
    );
    if !blockers.is_empty() {
        let _ = writeln!(text, "### What stands in the way\n");
        let _ = writeln!(text, "| package | constraint | frees | with all above |\n|---|---|---:|---:|");
        for blocker in blockers {
            let _ = writeln!(
                text,
                "| `{}` | `{}` | {} | {} |",
                blocker.package,
                escaped(&blocker.constraint),
                blocker.frees.len(),
                blocker.together
            );
        }
        text.push('\n');
    }
    if !lost.is_empty() {
        let _ = writeln!(text, "### What is lost\n");
        let _ = writeln!(text, "| package | why | cause |\n|---|---|---|");
        for lost in lost.iter().take(ROWS) {
            let cause = escaped(&lost.reason.cause);
            let _ = writeln!(text, "| `{}` | {} | {cause} |", lost.package, lost.reason.class.label());
        }
        if lost.len() > ROWS {
            let _ = writeln!(text, "\nand {} more", lost.len() - ROWS);
        }
        text.push('\n');
    }
    if !won.is_empty() {
        let few: Vec<String> = won.iter().take(ROWS).map(|package| format!("`{package}`")).collect();
        let more = if won.len() > ROWS { format!(" and {} more", won.len() - ROWS) } else { String::new() };
        let _ = writeln!(text, "### What is won\n\n{}{more}\n", few.join(", "));
    }
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}
