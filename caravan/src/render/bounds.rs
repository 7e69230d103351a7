//! The answer of `bounds` as a patch, with its words.

use super::options::TextOptions;
use super::words::joined;
use crate::answer::{BoundsAnswer, ProposedBound};
use crate::escape::line;

/// The patch alone, as `git apply` takes it.
pub(super) fn text(answer: &BoundsAnswer, _: TextOptions, out: &mut String) {
    out.push_str(&answer.patch);
}

/// What the patch does and what it does not, each in a line to be shown beside it.
pub fn summary(answer: &BoundsAnswer) -> Vec<String> {
    let bound = |ProposedBound { package, on, version, only, conflict }: &ProposedBound| {
        let how = if *conflict { " (as a conflict: it does not depend on it directly)" } else { "" };
        let relation = if *only { "!=" } else { "<" };
        line(&format!("{package}: {on} {relation} {version}{how}")).into_owned()
    };
    let mut lines: Vec<String> = answer.bounds.iter().map(bound).collect();
    for (packages, words) in [
        (&answer.covered, "kept away from the change by the bounds of others"),
        (&answer.unrelated, "use nothing of what changed, so no bound helps them"),
        (&answer.lost, "cannot be installed with older versions"),
        (&answer.unbounded, "could not be kept away from the change"),
    ] {
        if !packages.is_empty() {
            lines.push(format!("{words}: {}", joined(packages)));
        }
    }
    lines
}
