//! Answers of `caravan solve`, for people and for programs.

use super::Answered;
use crate::commands::synopsis;
use crate::failure::Failure;
use crate::output::{BOLD, Cell, DIM, Output};
use caravan_solver::explain::{Fact, HeldBack};
use caravan_solver::report::{Answer, Answers};
use caravan_solver::{Explanation, Selection};
use opam_parser::file::field_line;
use opam_parser::index::PackageId;
use opam_parser::name::split_package;

pub(super) fn show(answered: &Answered<'_>, output: &mut Output) -> Result<(), Failure> {
    match output.format {
        crate::arguments::Format::Json => {
            let answers = Answers {
                index: answered.index,
                roots: &answered.roots,
                answers: &answered.answers,
                differing: answered.differing.as_deref(),
                checked: answered.checked,
                place: &|fact| place(answered, fact),
            };
            output.json(&answers.report())
        }
        _ => text(answered, output),
    }
}

fn text(answered: &Answered<'_>, output: &mut Output) -> Result<(), Failure> {
    if let [answer] = answered.answers.as_slice() {
        match &answer.result {
            Ok(selection) => table(answered, selection.packages(), "", output)?,
            Err(explanation) => no_solution(answered, &answer.platform.summary(), explanation, output)?,
        }
        held_back(answered, answer, output)?;
        return checked(answered, output);
    }
    let solved: Vec<(&Answer, &Selection)> =
        answered.answers.iter().filter_map(|answer| Some((answer, answer.result.as_ref().ok()?))).collect();
    let everywhere: Vec<PackageId> = match solved.as_slice() {
        [(_, first), rest @ ..] => {
            let shared = |package: &&PackageId| rest.iter().all(|(_, other)| other.packages().contains(package));
            first.packages().iter().filter(shared).copied().collect()
        }
        [] => vec![],
    };
    if !everywhere.is_empty() {
        output.line(format_args!("{BOLD}on {}:{BOLD:#}", several(solved.len(), answered.answers.len())))?;
        table(answered, &everywhere, "  ", output)?;
    }
    for (place, answer) in answered.answers.iter().enumerate() {
        match &answer.result {
            Ok(selection) => {
                let own: Vec<PackageId> =
                    selection.packages().iter().filter(|package| !everywhere.contains(package)).copied().collect();
                if !own.is_empty() {
                    output.line(format_args!("{BOLD}also on {}:{BOLD:#}", answer.platform.summary()))?;
                    table(answered, &own, "  ", output)?;
                }
            }
            Err(explanation) => {
                // What is wrong on several platforms is said once, with the first of them.
                let same = |other: &&Answer| other.result.as_ref().err() == Some(explanation);
                if answered.answers[..place].iter().any(|earlier| same(&earlier)) {
                    continue;
                }
                let platforms = answered.answers.iter().filter(same).map(|answer| answer.platform.summary());
                no_solution(answered, &platforms.collect::<Vec<_>>().join(", "), explanation, output)?;
            }
        }
        held_back(answered, answer, output)?;
    }
    if let Some(differing) = answered.differing.as_ref().filter(|differing| !differing.is_empty()) {
        let names: Vec<&str> = differing.iter().map(|name| answered.index.name(*name)).collect();
        output.line(format_args!("no one version fits all of these platforms of: {}", names.join(", ")))?;
    }
    checked(answered, output)
}

fn several(solved: usize, all: usize) -> String {
    match solved == all {
        true => format!("all {all} platforms"),
        false => format!("the {solved} of {all} platforms with a solution"),
    }
}

fn checked(answered: &Answered<'_>, output: &mut Output) -> Result<(), Failure> {
    if answered.checked && answered.answers.iter().any(|answer| answer.result.is_ok()) {
        output.line("checked: every rule holds, and nothing in it can be better")?;
    }
    Ok(())
}

/// `NAME.VERSION` first, so that the first word of a line is what `opam install` takes.
fn table(answered: &Answered<'_>, packages: &[PackageId], indent: &str, output: &mut Output) -> Result<(), Failure> {
    let row = |package: &PackageId| {
        let text = format!("{indent}{}", answered.index.package_text(*package));
        let root = answered.asked.contains(&answered.index.package_name(*package));
        vec![
            if root { Cell::styled(text, BOLD) } else { Cell::new(text) },
            Cell::styled(synopsis(answered.index, *package), DIM),
        ]
    };
    output.table(&packages.iter().map(row).collect::<Vec<_>>())
}

fn no_solution(
    answered: &Answered<'_>,
    platforms: &str,
    explanation: &Explanation,
    output: &mut Output,
) -> Result<(), Failure> {
    output.line(format_args!("no solution for {} on {platforms}:", answered.roots.join(", ")))?;
    for fact in &explanation.facts {
        output.line(format_args!("  - {fact}"))?;
        if let Some(place) = place(answered, fact) {
            output.line(format_args!("      {DIM}{place}{DIM:#}"))?;
        }
    }
    for hint in &explanation.hints {
        output.line(format_args!("{BOLD}hint:{BOLD:#} {hint}"))?;
    }
    Ok(())
}

/// With `--verbose`: the file and line that a fact is from.
fn place(answered: &Answered<'_>, fact: &Fact) -> Option<String> {
    let origin = fact.origin.as_ref().filter(|_| answered.verbose)?;
    // A pinned file is not in a repository: then its package and field are all there is to say.
    let base = &answered.session.index;
    let file = split_package(&origin.package).filter(|(name, _)| !answered.pinned.contains(name)).and_then(
        |(name, version)| {
            let found = base.find_package(base.find_name(name.as_str())?, version.as_str())?;
            Some(base.package_file(found))
        },
    );
    let Some(file) = file else { return Some(format!("{}: {}", origin.package, origin.field)) };
    let label = answered.session.file_label(file);
    let text = answered.session.text(file).ok()?;
    Some(match field_line(&text, origin.field, origin.mention.as_deref()) {
        Some(line) => format!("{label}:{line}: {}", origin.field),
        None => format!("{label}: {}", origin.field),
    })
}

fn held_back(answered: &Answered<'_>, answer: &Answer, output: &mut Output) -> Result<(), Failure> {
    let Some(held_back) = &answer.held_back else { return Ok(()) };
    let index = answered.index;
    for HeldBack { package, best, facts } in held_back {
        let best = index.version(index.package_version(*best));
        output.line("")?;
        output.line(format_args!("{BOLD}{}{BOLD:#} and not {best}:", index.package_text(*package)))?;
        for fact in facts {
            output.line(format_args!("  - {fact}"))?;
            if let Some(place) = place(answered, fact) {
                output.line(format_args!("      {DIM}{place}{DIM:#}"))?;
            }
        }
    }
    Ok(())
}
