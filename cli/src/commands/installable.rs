//! `caravan installable`

use super::solve::failure;
use crate::arguments::{Format, Global, Installable};
use crate::failure::{Failure, NO};
use crate::output::{BOLD, Cell, Counter, Output};
use crate::platform::platforms;
use crate::session::Session;
use caravan_solver::compiler::compiler;
use caravan_solver::reduce::{Bound, Sets};
use caravan_solver::report::InstallableReport;
use caravan_solver::view::Masks;
use caravan_solver::{Flags, Platform, Request, Stop, View, installable};
use opam_parser::index::{Index, PackageId};
use std::process::ExitCode;

pub(crate) fn run(global: &Global, arguments: &Installable, output: &mut Output) -> Result<ExitCode, Failure> {
    let platforms = platforms(&arguments.platforms.platforms, &arguments.platforms.platform)?;
    let session = Session::open(global, output)?;
    let index = &session.index;
    let mut request =
        Request { time_limit_ms: arguments.time_limit, avoid: arguments.avoid.map(Into::into), ..Request::default() };
    if let Some(version) = &arguments.platforms.ocaml {
        request.roots.push(compiler(index, version)?);
    }
    let flags = Flags { with_test: arguments.with_test, with_doc: arguments.with_doc, ..Flags::default() };
    let named = named(arguments, &session)?;
    let mut answers = Vec::new();
    for platform in platforms {
        let view = View::new(index, &platform);
        let candidates = match arguments.packages.is_empty() {
            true => index.packages().collect(),
            false => named.clone(),
        };
        let targets = if arguments.all_versions { candidates } else { view.newest_of_each_name(&candidates) };
        let counter = Counter::new(output, "solving", targets.len());
        let result = installable(&view, &request, &targets, flags, &Stop::new(), &|count| counter.done(count));
        drop(counter);
        let result = result.map_err(failure)?;
        answers.push((platform, targets.into_iter().zip(result).collect::<Vec<(PackageId, bool)>>()));
    }
    let all = answers.iter().all(|(_, answer)| answer.iter().all(|(_, installable)| *installable));
    match output.format {
        Format::Json => output.json(&InstallableReport::new(index, &answers))?,
        _ => text(index, arguments, &answers, output)?,
    }
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::from(NO) })
}

/// The packages that were asked about; every version of a name that a version or constraint allows.
fn named(arguments: &Installable, session: &Session) -> Result<Vec<PackageId>, Failure> {
    let index = &session.index;
    let mut named = Vec::new();
    for text in &arguments.packages {
        let atom = Session::parse_atom(text)?;
        let name = session.name(atom.name.as_str())?;
        let start = index.package_range(name).start;
        match &atom.constraint {
            None => named.extend(index.versions_of(name)),
            Some((op, version)) => {
                let mask = Masks(index).constraint(name, *op, Bound::Text(version.as_str()));
                let found: Vec<PackageId> = mask.places().map(|place| PackageId(start + place as u32)).collect();
                if found.is_empty() {
                    return Err(Failure::unknown_version(index.name(name), version.as_str(), &session.newest(name)));
                }
                named.extend(found);
            }
        }
    }
    named.sort_unstable();
    named.dedup();
    Ok(named)
}

fn text(
    index: &Index,
    arguments: &Installable,
    answers: &[(Platform, Vec<(PackageId, bool)>)],
    output: &mut Output,
) -> Result<(), Failure> {
    for (platform, answer) in answers {
        let shown: Vec<Vec<Cell>> = answer
            .iter()
            .filter(|(_, installable)| !*installable || arguments.verbose)
            .map(|(package, installable)| {
                let verdict = if *installable { "can be installed" } else { "cannot be installed" };
                vec![Cell::new(index.package_text(*package)), Cell::new(verdict)]
            })
            .collect();
        output.table(&shown)?;
        let count = answer.iter().filter(|(_, installable)| *installable).count();
        output.line(format_args!(
            "{BOLD}{count} of {} can be installed on {}{BOLD:#}",
            answer.len(),
            platform.summary()
        ))?;
    }
    Ok(())
}
