//! The answer of `solve` as text.

use super::palette::{BOLD, DIM};
use super::table::{Cell, write_table};
use super::words::{first_line, joined, platform};
use crate::answer::{Fact, NoSolution, Package, PlatformSolution, SolveAnswer};
use crate::escape::line;

pub(super) fn text(answer: &SolveAnswer, out: &mut String) {
    match answer.answers.as_slice() {
        [only] => {
            if let Some(packages) = &only.packages {
                table(answer, packages, "", out);
            }
            if let Some(why) = &only.no_solution {
                no_solution(answer, &platform(&only.platform), why, out);
            }
            held_back(only, out);
        }
        several => {
            on_several(answer, several, out);
            if let Some(differing) = answer.differing.as_ref().filter(|differing| !differing.is_empty()) {
                out.push_str(&format!("no one version fits all of these platforms of: {}\n", joined(differing)));
            }
        }
    }
    if answer.checked == Some(true) {
        out.push_str("checked: every rule holds, and nothing in it can be better\n");
    }
}

/// What all platforms have in common first, then what each has beside that.
fn on_several(answer: &SolveAnswer, solutions: &[PlatformSolution], out: &mut String) {
    let solved: Vec<&[Package]> = solutions.iter().filter_map(|solution| solution.packages.as_deref()).collect();
    let everywhere: Vec<&Package> = match solved.as_slice() {
        [first, rest @ ..] => first.iter().filter(|package| rest.iter().all(|other| has(other, package))).collect(),
        [] => vec![],
    };
    if !everywhere.is_empty() {
        let platforms = match solved.len() == solutions.len() {
            true => format!("all {} platforms", solutions.len()),
            false => format!("the {} of {} platforms with a solution", solved.len(), solutions.len()),
        };
        out.push_str(&format!("{BOLD}on {platforms}:{BOLD:#}\n"));
        table(answer, everywhere.iter().copied(), "  ", out);
    }
    for (place, solution) in solutions.iter().enumerate() {
        if let Some(packages) = &solution.packages {
            let is_shown = |package: &Package| everywhere.iter().any(|other| is_same(other, package));
            let own: Vec<&Package> = packages.iter().filter(|package| !is_shown(package)).collect();
            if !own.is_empty() {
                out.push_str(&format!("{BOLD}also on {}:{BOLD:#}\n", platform(&solution.platform)));
                table(answer, own, "  ", out);
            }
        }
        if let Some(why) = &solution.no_solution {
            // What is wrong on several platforms is said once, with the first of them.
            let has_same = |other: &&PlatformSolution| other.no_solution.as_ref() == Some(why);
            if solutions[..place].iter().any(|earlier| has_same(&earlier)) {
                continue;
            }
            let platforms = solutions.iter().filter(has_same).map(|other| platform(&other.platform));
            no_solution(answer, &platforms.collect::<Vec<_>>().join(", "), why, out);
        }
        held_back(solution, out);
    }
}

fn has(packages: &[Package], wanted: &Package) -> bool {
    packages.iter().any(|package| is_same(package, wanted))
}

fn is_same(a: &Package, b: &Package) -> bool {
    (&a.name, &a.version) == (&b.name, &b.version)
}

/// `NAME.VERSION` first, so that the first word of a line is what `opam install` takes.
fn table<'p>(answer: &SolveAnswer, packages: impl IntoIterator<Item = &'p Package>, indent: &str, out: &mut String) {
    let row = |package: &Package| {
        let text = format!("{indent}{}.{}", package.name, package.version);
        let is_root = answer.root_names.contains(&package.name);
        vec![
            if is_root { Cell::styled(text, BOLD) } else { Cell::new(text) },
            Cell::styled(first_line(&package.synopsis), DIM),
        ]
    };
    write_table(&packages.into_iter().map(row).collect::<Vec<_>>(), out);
}

fn no_solution(answer: &SolveAnswer, platforms: &str, why: &NoSolution, out: &mut String) {
    out.push_str(&format!("no solution for {} on {platforms}:\n", joined(&answer.roots)));
    if why.facts.is_empty() {
        out.push_str("  (why was not found in the steps that a search may take)\n");
    }
    facts(&why.facts, out);
    for hint in &why.hints {
        out.push_str(&format!("{BOLD}hint:{BOLD:#} {}\n", line(&hint.to_string())));
    }
}

fn facts(facts: &[Fact], out: &mut String) {
    for fact in facts {
        out.push_str(&format!("  - {}\n", line(fact.text.as_deref().unwrap_or_default())));
        if let Some(place) = fact.origin.as_ref().and_then(|origin| origin.place.as_ref()) {
            out.push_str(&format!("      {DIM}{}{DIM:#}\n", line(&place.to_string())));
        }
    }
}

fn held_back(solution: &PlatformSolution, out: &mut String) {
    for held in solution.held_back.iter().flatten() {
        let (package, best) = (format!("{}.{}", held.name, held.version), line(&held.best));
        out.push_str(&format!("\n{BOLD}{}{BOLD:#} and not {best}:\n", line(&package)));
        facts(&held.facts, out);
    }
}
