//! The answer of `builds` as text and as a graph.

use super::numbers::write_numbers;
use super::options::TextOptions;
use super::palette::{BOLD, DIM};
use super::words::{count, write_not_told};
use crate::answer::BuildsAnswer;
use crate::escape::{graph, line};
use std::fmt::Write;

pub(super) fn text(answer: &BuildsAnswer, _: TextOptions, out: &mut String) {
    let mut rows = vec![["platform", "jobs", "builds", "without sharing"].map(str::to_owned).to_vec()];
    let row = |name: &str, numbers: [usize; 3]| {
        std::iter::once(name.to_owned()).chain(numbers.map(|number| number.to_string())).collect()
    };
    for platform in &answer.platforms {
        rows.push(row(&platform.id, [platform.jobs, platform.builds, platform.without_sharing]));
    }
    if answer.platforms.len() > 1 {
        rows.push(row("all", [answer.jobs.len(), answer.builds.len(), answer.without_sharing]));
    }
    write_numbers(&rows, out);
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "\n{BOLD}{}{BOLD:#} on {}; {} at best, {} on one",
        duration(answer.seconds),
        count(answer.workers, "worker"),
        duration(answer.critical_seconds),
        duration(answer.work_seconds)
    );
    let path: Vec<&str> = answer
        .critical_path
        .iter()
        .filter_map(|build| answer.builds.get(*build))
        .map(|build| build.package.as_str())
        .collect();
    let _ = writeln!(out, "{DIM}the longest way:{DIM:#} {}", line(&path.join(", ")));
    write_not_told(&answer.not_told, out);
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

/// The graph for Graphviz: an arrow from each build to what it needs.
pub(super) fn dot(answer: &BuildsAnswer, out: &mut String) {
    out.push_str("digraph builds {\n  node [shape=box];\n");
    for (place, build) in answer.builds.iter().enumerate() {
        let platform = answer.platforms.get(build.platform).map_or("", |platform| platform.id.as_str());
        let label = match answer.platforms.len() {
            1 => build.package.clone(),
            _ => format!("{}\n{platform}", build.package),
        };
        let style = if answer.critical_path.contains(&place) { ", style=bold" } else { "" };
        let _ = writeln!(out, "  b{place} [label={}, tooltip={}{style}];", graph(&label), graph(&build.key));
    }
    for (place, build) in answer.builds.iter().enumerate() {
        for need in &build.needs {
            let _ = writeln!(out, "  b{place} -> b{need};");
        }
    }
    out.push_str("}\n");
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations() {
        assert_eq!(duration(0.4), "0 s");
        assert_eq!(duration(59.4), "59 s");
        assert_eq!(duration(59.6), "1 min 00 s");
        assert_eq!(duration(3725.0), "1 h 02 min");
    }
}
