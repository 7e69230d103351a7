//! What is asked for: packages, projects, problems in JSON.

use crate::arguments::{Global, Solve};
use crate::commands::project;
use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::session::Session;
use caravan_solver::problem::{Constraint, Pin};
use caravan_solver::{Flags, Problem, Root};
use opam_parser::index::Found;
use opam_parser::name::PackageName;
use opam_parser::syntax::RelOp;
use opam_parser::version::Version;
use std::path::{Path, PathBuf};

/// The targets of a command line, before any repository is read.
pub(super) struct Targets {
    targets: Vec<Target>,
    /// The packages of projects, and what those pin.
    pub(super) pins: Vec<Pin>,
}

enum Target {
    Package(Box<Root>),
    /// The packages that a project defines.
    Project(Vec<(PackageName, Version)>),
}

impl Targets {
    pub(super) fn read(arguments: &Solve, global: &Global, output: &mut Output) -> Result<Self, Failure> {
        // A misspelt package is said before a project is read.
        let named: Vec<Result<Root, PathBuf>> =
            arguments.targets.iter().map(|text| named(text)).collect::<Result<_, _>>()?;
        let mut read = Self { targets: Vec::new(), pins: Vec::new() };
        for target in named {
            match target {
                Ok(root) => read.targets.push(Target::Package(Box::new(root))),
                Err(directory) => {
                    let project = project::read(&directory, global, output)?;
                    let own = project.packages.iter().map(|pin| (pin.name.clone(), pin.version.clone()));
                    read.targets.push(Target::Project(own.collect()));
                    read.pins.extend(project.packages);
                    read.pins.extend(project.pinned);
                }
            }
        }
        // A project's own packages come before what another one pins; the first pin of a name counts.
        let mut names: Vec<PackageName> = Vec::new();
        read.pins.retain(|pin| {
            let first = !names.contains(&pin.name);
            names.push(pin.name.clone());
            first
        });
        Ok(read)
    }

    pub(super) fn roots(
        &self,
        arguments: &Solve,
        session: &Session,
        output: &mut Output,
    ) -> Result<Vec<Root>, Failure> {
        let wanted = Flags {
            with_test: arguments.with_test,
            with_doc: arguments.with_doc,
            with_dev_setup: arguments.with_dev_setup,
            dev: None,
        };
        let mut roots = Vec::new();
        for target in &self.targets {
            match target {
                Target::Package(root) => {
                    let pinned = self.pins.iter().any(|pin| pin.name == root.name);
                    let name = if pinned { root.name.clone() } else { known(root, session, output)? };
                    roots.push(Root { name, constraints: root.constraints.clone(), flags: wanted });
                }
                Target::Project(packages) => roots.extend(packages.iter().map(|(name, version)| Root {
                    name: name.clone(),
                    constraints: vec![Constraint(RelOp::Eq, version.clone())],
                    flags: Flags { with_test: true, dev: Some(true), ..wanted },
                })),
            }
        }
        Ok(roots)
    }
}

/// A package, or the directory of a project. A directory is written with a slash or dots alone, so that
/// no package is mistaken for one.
fn named(text: &str) -> Result<Result<Root, PathBuf>, Failure> {
    if text.contains('/') || text == "." || text == ".." {
        return Ok(Err(text.into()));
    }
    Ok(Ok(Session::parse_atom(text)?.into()))
}

/// The name of a root, as the repository writes it.
fn known(root: &Root, session: &Session, output: &mut Output) -> Result<PackageName, Failure> {
    let name = session.name(root.name.as_str())?;
    for constraint in root.constraints.iter().filter(|constraint| constraint.0 == RelOp::Eq) {
        if let Some(Found::Broken(file)) = session.index.find(name, constraint.1.as_str()) {
            return Err(session.broken(file, output));
        }
    }
    Ok(PackageName::new(session.index.name(name)).unwrap_or_else(|| root.name.clone()))
}

/// A problem in JSON, from a file or standard input.
pub(super) fn problem(path: &Path) -> Result<Problem, Failure> {
    let text =
        if path == Path::new("-") { std::io::read_to_string(std::io::stdin()) } else { fs_err::read_to_string(path) };
    let text = text.map_err(|error| Failure::new(Kind::System, error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::usage(format!("`{}` is not a problem: {error}", path.display()))
            .hint("docs/json.md describes problems")
    })
}
