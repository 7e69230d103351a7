//! `caravan bounds`

use super::solve::failure;
use super::states::States;
use crate::arguments::{Bounds, Format, Global};
use crate::failure::{Failure, Kind, NO};
use crate::output::Output;
use crate::platform::platforms;
use crate::session::Session;
use caravan_revdeps::bounds::{BoundsError, Proposal, propose};
use caravan_revdeps::impact::{Step, targets};
use caravan_solver::{Request, Stop};
use opam_parser::index::{Found, PackageId};
use opam_parser::name::split_package;
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;

#[derive(Serialize)]
struct Json<'j> {
    schema: &'static str,
    base: &'j str,
    head: &'j str,
    #[serde(flatten)]
    proposal: &'j Proposal,
}

pub(crate) fn run(global: &Global, arguments: &Bounds, output: &mut Output) -> Result<ExitCode, Failure> {
    let platforms = platforms(&arguments.targets.platforms, &arguments.targets.platform)?;
    let mut named = arguments.broken.clone();
    if let Some(file) = &arguments.broken_from {
        named.extend(list(file)?);
    }
    let states = States::open(global, &arguments.states, output)?;
    let mut broken = named.iter().map(|text| package(&states.after, text, output)).collect::<Result<Vec<_>, _>>()?;
    broken.sort_unstable();
    broken.dedup();
    let targets =
        targets(&states.before.index, &states.after.index, &platforms, &arguments.targets.ocaml, &Request::default())?;
    let step = Step::new(&states.before.index, &states.after.index, states.changes.clone());
    let text = |file| states.text(file);
    let found = output.spinning("solving", || propose(&step, &targets, &broken, &text, &Stop::new()));
    let proposal = found.map_err(|error| match error {
        BoundsError::Solve(error) => failure(error),
        BoundsError::Build(error) => error.into(),
        BoundsError::TooLarge(error) => error.into(),
        BoundsError::Unreadable(_) => Failure::new(Kind::Repository, error.to_string()),
    })?;
    match output.format {
        Format::Json => output.json(&Json {
            schema: "caravan.bounds/1",
            base: &states.base,
            head: &states.head,
            proposal: &proposal,
        })?,
        _ => {
            output.bytes(proposal.patch.as_bytes())?;
            summary(&proposal, output);
        }
    }
    let kept = proposal.lost.is_empty() && proposal.unbounded.is_empty() && proposal.unrelated.is_empty();
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::from(NO) })
}

/// Packages from a file, one a line; `#` begins a comment.
fn list(path: &Path) -> Result<Vec<String>, Failure> {
    let text =
        if path == Path::new("-") { std::io::read_to_string(std::io::stdin()) } else { fs_err::read_to_string(path) };
    let text = text.map_err(|error| Failure::new(Kind::System, error.to_string()))?;
    let line = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
    Ok(text.lines().map(line).filter(|line| !line.is_empty()).collect())
}

fn package(session: &Session, text: &str, output: &Output) -> Result<PackageId, Failure> {
    let Some((name, version)) = split_package(text) else {
        return Err(Failure::usage(format!("`{text}` is not a version of a package"))
            .hint("write NAME.VERSION, as `caravan impact` lists what to build again"));
    };
    let id = session.name(name.as_str())?;
    match session.index.find(id, version.as_str()) {
        Some(Found::Package(package)) => Ok(package),
        Some(Found::Broken(file)) => Err(session.broken(file, output)),
        None => Err(Failure::unknown_version(name.as_str(), version.as_str(), &session.newest(id))),
    }
}

/// What the patch does, beside it on stderr.
fn summary(proposal: &Proposal, output: &mut Output) {
    for bound in &proposal.bounds {
        let (package, on, version) = (&bound.package, &bound.on, &bound.version);
        let how = if bound.conflict { " (as a conflict: it does not depend on it directly)" } else { "" };
        let relation = if bound.only { "!=" } else { "<" };
        output.note(&format!("{package}: {on} {relation} {version}{how}"));
    }
    for (packages, words) in [
        (&proposal.covered, "kept away from the change by the bounds of others"),
        (&proposal.unrelated, "use nothing of what changed, so no bound helps them"),
        (&proposal.lost, "cannot be installed with older versions"),
        (&proposal.unbounded, "could not be kept away from the change"),
    ] {
        if !packages.is_empty() {
            output.note(&format!("{words}: {}", packages.join(", ")));
        }
    }
}
