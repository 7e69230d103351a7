//! The answers of `revdeps` and `deps` as text and as a graph for Graphviz.

use super::options::TextOptions;
use super::packages::row;
use super::palette::{BOLD, DIM};
use super::table::write_table;
use crate::answer::{ListingAnswer, REVDEPS};
use crate::escape::{graph, line};
use anstyle::Style;
use std::collections::{HashMap, HashSet};

pub(super) fn text(answer: &ListingAnswer, options: TextOptions, out: &mut String) {
    match &answer.edges {
        Some(edges) if options.tree => tree(answer, edges, out),
        _ => write_table(&answer.packages.iter().map(row).collect::<Vec<_>>(), out),
    }
}

/// A tree from each target, in which every package has its branches once.
fn tree(answer: &ListingAnswer, edges: &[[String; 2]], out: &mut String) {
    // The packages depend on the targets, or the targets on them.
    let upwards = answer.schema == REVDEPS;
    let mut below: HashMap<&str, Vec<&str>> = HashMap::new();
    for [from, to] in edges {
        let (above, under) = if upwards { (to, from) } else { (from, to) };
        below.entry(above).or_default().push(under);
    }
    let mut shown = HashSet::new();
    for target in &answer.target_versions {
        // What is still to be shown: a package, and what stands before it and before what is below it.
        let mut waiting = vec![(target.as_str(), String::new(), "", "")];
        while let Some((package, before, branch, after)) = waiting.pop() {
            let children = below.get(package).map_or(&[][..], Vec::as_slice);
            let again = !shown.insert(package) && !children.is_empty();
            let more = if again { format!(" {DIM}(above){DIM:#}") } else { String::new() };
            let style = if branch.is_empty() { BOLD } else { Style::new() };
            out.push_str(&format!("{before}{branch}{style}{}{style:#}{more}\n", line(package)));
            if again {
                continue;
            }
            let before = format!("{before}{after}");
            for (place, child) in children.iter().enumerate().rev() {
                let last = place + 1 == children.len();
                let (branch, after) = if last { ("└── ", "    ") } else { ("├── ", "│   ") };
                waiting.push((*child, before.clone(), branch, after));
            }
        }
    }
}

/// A graph, with the targets in bold.
pub(super) fn dot(answer: &ListingAnswer, out: &mut String) {
    out.push_str("digraph dependencies {\n");
    for target in &answer.target_versions {
        out.push_str(&format!("  {} [style=bold];\n", graph(target)));
    }
    for package in &answer.packages {
        out.push_str(&format!("  {};\n", graph(&format!("{}.{}", package.name, package.version))));
    }
    for [from, to] in answer.edges.iter().flatten() {
        out.push_str(&format!("  {} -> {};\n", graph(from), graph(to)));
    }
    out.push_str("}\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::DEPS;

    fn answer(schema: &'static str) -> ListingAnswer {
        let edge = |from: &str, to: &str| [from.to_owned(), to.to_owned()];
        ListingAnswer {
            schema: schema.into(),
            platform: Default::default(),
            targets: vec!["a".to_owned()],
            packages: vec![],
            edges: Some(vec![edge("a.1", "b.1"), edge("a.1", "c.1"), edge("b.1", "c.1"), edge("c.1", "d.1")]),
            target_versions: vec![if schema == DEPS { "a.1" } else { "d.1" }.to_owned()],
        }
    }

    fn tree_of(schema: &'static str) -> String {
        let mut out = String::new();
        text(&answer(schema), TextOptions { tree: true, ..TextOptions::default() }, &mut out);
        [BOLD, DIM]
            .iter()
            .fold(out, |out, style| out.replace(&style.to_string(), "").replace(&format!("{style:#}"), ""))
    }

    #[test]
    fn a_tree_has_the_branches_of_a_package_once() {
        let expected = "a.1\n├── b.1\n│   └── c.1\n│       └── d.1\n└── c.1 (above)\n";
        assert_eq!(tree_of(DEPS), expected);
        let expected = "d.1\n└── c.1\n    ├── a.1\n    └── b.1\n        └── a.1\n";
        assert_eq!(tree_of(REVDEPS), expected);
    }
}
