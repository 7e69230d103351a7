//! `caravan revdeps`

use super::{JsonPackage, json_platform, newest_of_each_name, row};
use crate::arguments::{Format, Global, Revdeps};
use crate::failure::Failure;
use crate::output::Output;
use crate::platform::one_platform;
use crate::session::Session;
use caravan_revdeps::{Options, Targets, direct, recursive};
use caravan_solver::View;
use opam_parser::atom::Atom;
use opam_parser::index::Found;
use opam_parser::syntax::RelOp;
use opam_parser::version;
use serde::Serialize;
use std::collections::BTreeMap;
use std::process::ExitCode;

#[derive(Serialize)]
struct Answer {
    schema: &'static str,
    platform: BTreeMap<String, String>,
    targets: Vec<String>,
    packages: Vec<JsonPackage>,
}

pub(crate) fn run(global: &Global, arguments: &Revdeps, output: &mut Output) -> Result<ExitCode, Failure> {
    let platform = one_platform(&arguments.platform)?;
    let atoms = arguments.packages.iter().map(|text| Session::parse_atom(text)).collect::<Result<Vec<_>, _>>()?;
    let session = Session::open(global, output)?;
    let index = &session.index;
    let view = View::new(index, &platform);
    let mut targets = Targets::default();
    for atom in &atoms {
        targets.extend(target(&session, atom, output)?);
    }
    let options = Options {
        depopts: arguments.depopts,
        build: !arguments.no_build,
        post: arguments.post,
        with_test: arguments.with_test,
        with_doc: arguments.with_doc,
        with_dev_setup: arguments.with_dev_setup,
        dev: arguments.dev,
    };
    let found =
        if arguments.recursive { recursive(&view, &targets, &options) } else { direct(&view, &targets, &options) };
    let mut packages = found;
    packages.retain(|package| arguments.all || view.is_available(*package));
    if !arguments.all_versions {
        packages = newest_of_each_name(index, packages);
    }
    if output.format == Format::Json {
        output.json(&Answer {
            schema: "caravan.revdeps/1",
            platform: json_platform(&platform),
            targets: atoms.iter().map(Atom::to_string).collect(),
            packages: packages.into_iter().map(|package| JsonPackage::new(index, package)).collect(),
        })?;
    } else {
        let rows: Vec<_> = packages.into_iter().map(|package| row(index, package)).collect();
        output.table(&rows)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The versions that an atom names; there must be one.
fn target(session: &Session, atom: &Atom, output: &Output) -> Result<Targets, Failure> {
    let index = &session.index;
    let name = session.name(atom.name.as_str())?;
    let Some((op, wanted)) = &atom.constraint else { return Ok(Targets::of(index, name, |_| true)) };
    if *op == RelOp::Eq
        && let Some(Found::Broken(file)) = index.find(name, wanted.as_str())
    {
        return Err(session.broken(file, output));
    }
    let holds = |package| {
        let found = index.version(index.package_version(package));
        op.holds(version::compare(found.as_bytes(), wanted.as_str().as_bytes()))
    };
    if !index.versions_of(name).any(holds) {
        let wanted = match op {
            RelOp::Eq => wanted.to_string(),
            op => format!("{} {wanted}", op.as_str()),
        };
        return Err(Failure::unknown_version(index.name(name), &wanted, &session.newest(name)));
    }
    Ok(Targets::of(index, name, holds))
}
