//! The answer of `docs` as text.

use super::options::TextOptions;
use super::palette::{BOLD, DIM};
use super::words::{count, write_not_told};
use crate::answer::DocsAnswer;
use crate::escape::line;
use std::fmt::Write;

/// How many of the solutions are shown.
const FEW: usize = 20;

pub(super) fn text(answer: &DocsAnswer, _: TextOptions, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "{BOLD}{}{BOLD:#} on {}: {} have a solution",
        count(answer.versions, "version"),
        line(&answer.platform),
        answer.solutions
    );
    let _ = writeln!(
        out,
        "{}, of {} with documentation",
        count(answer.universes, "universe"),
        count(answer.blessed.len(), "version")
    );
    if let Some(base) = &answer.base {
        let _ = writeln!(out, "{} solved again since {}", count(answer.solved, "version"), line(base));
    }
    let new: usize = answer.jobs.iter().map(|job| job.prepare.len()).sum();
    let _ = writeln!(out, "{} to install, for {}", count(answer.jobs.len(), "solution"), count(new, "build"));
    for job in answer.jobs.iter().take(FEW) {
        let _ = writeln!(out, "  {} {DIM}({}){DIM:#}", line(&job.package), count(job.prepare.len(), "new build"));
    }
    if answer.jobs.len() > FEW {
        let _ = writeln!(out, "  and {} more", answer.jobs.len() - FEW);
    }
    write_not_told(&answer.not_told, out);
}
