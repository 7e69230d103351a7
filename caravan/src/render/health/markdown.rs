//! A summary for an issue or a wiki.

use crate::answer::{HealthAnswer, HealthComparison};
use crate::escape::{markdown as text, markdown_code as code};
use crate::render::words::count;
use std::fmt::Write;

/// How many rows a table has at most.
const ROWS: usize = 60;

/// The summary of a health check, in GitHub's Markdown.
pub(in crate::render) fn markdown(answer: &HealthAnswer, out: &mut String) {
    if let Some(comparison) = &answer.comparison {
        write_comparison(comparison, out);
    }
    let _ = writeln!(out, "## What can be installed\n");
    let classes = answer.reason_classes();
    let heads: String = classes.iter().map(|class| format!(" {} |", class.label())).collect();
    let untold = answer.platforms.iter().any(|platform| platform.not_told > 0);
    let (head, line) = if untold { (" not told |", "---:|") } else { ("", "") };
    let _ = writeln!(out, "| platform | installable | of |{heads}{head}");
    let _ = writeln!(out, "|---|---:|---:|{}{line}", "---:|".repeat(classes.len()));
    for platform in &answer.platforms {
        let (share, total) = (platform.percentage(), platform.total());
        let _ = write!(out, "| {} | {} ({share:.1} %) | {total} |", code(&platform.id), platform.installable);
        for class in &classes {
            let _ = write!(out, " {} |", platform.not_installable.get(class).copied().unwrap_or(0));
        }
        if untold {
            let _ = write!(out, " {} |", platform.not_told);
        }
        out.push('\n');
    }
}

fn write_comparison(comparison: &HealthComparison, out: &mut String) {
    let HealthComparison { before, after, lost, won, both, neither, .. } = comparison;
    let _ = writeln!(out, "## {} against {}\n", code(after), code(before));
    let (count_lost, count_won) = (count(lost.len(), "package"), won.len());
    let _ =
        writeln!(out, "{count_lost} lost, {count_won} won; {both} can be installed on both, {neither} on neither.\n");
    write_blockers(comparison, out);
    if !lost.is_empty() {
        let _ = writeln!(out, "### What is lost\n");
        let _ = writeln!(out, "| package | why | cause |\n|---|---|---|");
        for lost in lost.iter().take(ROWS) {
            let cause = text(&lost.reason.cause);
            let _ = writeln!(out, "| {} | {} | {cause} |", code(&lost.package), lost.reason.class.label());
        }
        if lost.len() > ROWS {
            let _ = writeln!(out, "\nand {} more", lost.len() - ROWS);
        }
        out.push('\n');
    }
    if !won.is_empty() {
        let few: Vec<String> = won.iter().take(ROWS).map(|package| code(package)).collect();
        let more = if won.len() > ROWS { format!(" and {} more", won.len() - ROWS) } else { String::new() };
        let _ = writeln!(out, "### What is won\n\n{}{more}\n", few.join(", "));
    }
}

fn write_blockers(comparison: &HealthComparison, out: &mut String) {
    if comparison.blockers.is_empty() {
        return;
    }
    let _ = writeln!(out, "### What stands in the way\n");
    let _ = writeln!(out, "| package | constraint | frees | with all above |\n|---|---|---:|---:|");
    for blocker in &comparison.blockers {
        let constraint = code(&blocker.constraint);
        let (frees, together) = (blocker.frees.len(), blocker.together);
        let _ = writeln!(out, "| {} | {constraint} | {frees} | {together} |", code(&blocker.package));
    }
    out.push('\n');
}
