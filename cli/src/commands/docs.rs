//! `caravan docs`

use super::columns::{catalogue, entries, failed, packages};
use super::states::open_at;
use crate::arguments::{Docs as Arguments, Format, Global, Rows};
use crate::failure::Failure;
use crate::output::{Counter, Output};
use crate::session::Session;
use caravan_planning::docs::Docs;
use caravan_planning::report::{DocsReport, docs_text};
use caravan_revdeps::impact::Target;
use caravan_solver::problem::Constraint;
use caravan_solver::{Request, Root, Stop};
use opam_parser::index::{Index, PackageId};
use opam_parser::syntax::RelOp;
use std::process::ExitCode;

pub(crate) fn run(global: &Global, arguments: &Arguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let session = Session::open(global, output)?;
    let target = target(arguments, &session.index)?;
    let stop = Stop::new();
    let report = match &arguments.base {
        None => DocsReport::new(&plan(arguments, &session.index, &target, &stop, output)?, session.label(), None),
        Some(revision) => {
            let base = open_at(global, revision, output)?;
            let before = plan(arguments, &base.index, &target, &stop, output)?;
            let packages = packages(&rows(arguments), &session.index)?;
            let step = output.spinning("planning", || before.step(&session.index, packages, &stop));
            let step = step.map_err(|error| failed(&session.index, std::slice::from_ref(&target), error))?;
            DocsReport::new(&step, session.label(), Some(base.label()))
        }
    };
    match output.format {
        Format::Json => output.json(&report)?,
        _ => output.bytes(docs_text(&report).as_bytes())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn rows(arguments: &Arguments) -> Rows {
    Rows { patterns: arguments.patterns.clone(), all_versions: !arguments.latest }
}

fn plan<'i>(
    arguments: &Arguments,
    index: &'i Index,
    target: &Target,
    stop: &Stop,
    output: &mut Output,
) -> Result<Docs<'i>, Failure> {
    let packages: Vec<PackageId> = packages(&rows(arguments), index)?;
    let counter = Counter::new(output, "solving", packages.len());
    let docs = Docs::new(index, target, packages, stop, &|done| counter.done(done));
    drop(counter);
    docs.map_err(|error| failed(index, std::slice::from_ref(target), error))
}

/// The platform, where every package has the newest compiler that it goes with (`peers.md`, 5.1).
fn target(arguments: &Arguments, index: &Index) -> Result<Target, Failure> {
    let catalogue = catalogue(arguments.catalogue.as_deref())?;
    let found = entries(&catalogue, index, &arguments.platform)?;
    let [entry] = found.as_slice() else {
        return Err(Failure::usage(format!("`{}` is not one platform", arguments.platform))
            .hint("documentation is built on one; `caravan platforms` lists them"));
    };
    let up_to = |root: &Root| Root {
        constraints: root.constraints.iter().map(|of| Constraint(RelOp::Leq, of.1.clone())).collect(),
        ..root.clone()
    };
    let request = Request { roots: entry.roots.iter().map(up_to).collect(), ..Request::default() };
    let target = entry.target(&Request::default());
    Ok(Target { request, ..target })
}
