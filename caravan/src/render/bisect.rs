//! The answer of `bisect` as text.

use super::options::TextOptions;
use super::palette::{BOLD, DIM};
use super::words::{difference, joined, platform};
use crate::answer::{BisectAnswer, Turn};
use crate::escape::line;
use caravan_revdeps::bisect::Sought;
use std::fmt::{Result, Write as _};

pub(super) fn text(answer: &BisectAnswer, _: TextOptions, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = write(answer, out);
}

fn write(answer: &BisectAnswer, out: &mut String) -> Result {
    let roots = joined(&answer.roots);
    let platform = platform(&answer.platform);
    if answer.turns.is_empty() {
        let state = match (answer.sought, answer.installable) {
            (Sought::Solution, true) => "has the same solution",
            (Sought::Installable, true) => "has a solution",
            (_, false) => "has no solution",
        };
        return writeln!(out, "{roots} {state} on {platform} in all of {} commits", answer.commits);
    }
    for turn in &answer.turns {
        let what = match (turn.before, turn.after) {
            (false, true) => "has a solution since",
            (true, false) => "has no solution since",
            _ => "has another solution since",
        };
        writeln!(out, "{roots} {what} on {platform}")?;
        commit(turn, out)?;
    }
    writeln!(out, "{DIM}{} commits accounted for, {} solved{DIM:#}", answer.commits, answer.solved)
}

fn commit(turn: &Turn, out: &mut String) -> Result {
    writeln!(out, "  {BOLD}{:.10}{BOLD:#} {} {}", line(&turn.commit), date(turn.seconds), line(&turn.summary))?;
    writeln!(out, "  {DIM}by {}{DIM:#}", line(&turn.author))?;
    if !turn.facts.is_empty() {
        writeln!(out, "    {}", if turn.after { "before:" } else { "because:" })?;
        for fact in turn.facts.iter().filter(|fact| !fact.is_only_asked()) {
            writeln!(out, "      - {}", line(&fact.statement.to_string()))?;
        }
    }
    // Of a solution and none, all of it would be named.
    if turn.before && turn.after {
        for one in &turn.differences {
            writeln!(out, "    {}", difference(one))?;
        }
    }
    Ok(())
}

/// The day, in UTC.
fn date(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map(|time| time.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}
