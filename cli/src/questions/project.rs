//! What is asked for by a project's own opam files: targets of `solve`, and `lock`.

use super::{atom, one_platform, setting};
use crate::arguments::{Global, Lock, LockFor, Solve};
use crate::failure::{Failure, Kind};
use caravan::project::Project;
use caravan::vocabulary::{Constraint, Flags, PackageName, Pin, RelOp, Root, Version};
use caravan::{Local, Observer, Question, question};
use std::path::PathBuf;

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
    pub(super) fn read(arguments: &Solve, local: &Local, observer: &dyn Observer) -> Result<Self, Failure> {
        // A misspelt package is said before a project is read.
        let named: Vec<Result<Root, PathBuf>> =
            arguments.targets.iter().map(|text| named(text)).collect::<Result<_, _>>()?;
        let mut read = Self { targets: Vec::new(), pins: Vec::new() };
        for target in named {
            match target {
                Ok(root) => read.targets.push(Target::Package(Box::new(root))),
                Err(directory) => {
                    let project = Project::read(&directory, local, observer)?;
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

    /// The roots; a project's own packages are wanted with their tests.
    pub(super) fn roots(&self, flags: Flags) -> Vec<Root> {
        let mut roots = Vec::new();
        for target in &self.targets {
            match target {
                Target::Package(root) => roots.push(Root { flags, ..(**root).clone() }),
                Target::Project(packages) => roots.extend(packages.iter().map(|(name, version)| Root {
                    name: name.clone(),
                    constraints: vec![Constraint(RelOp::Eq, version.clone())],
                    flags: Flags { with_test: true, dev: Some(true), ..flags },
                })),
            }
        }
        roots
    }
}

/// A package, or the directory of a project. A directory is written with a slash or dots alone, so that
/// no package is mistaken for one.
fn named(text: &str) -> Result<Result<Root, PathBuf>, Failure> {
    if text.contains('/') || text == "." || text == ".." {
        return Ok(Err(text.into()));
    }
    Ok(Ok(atom(text)?.into()))
}

/// `caravan lock`; the project is read.
pub(crate) fn lock(
    global: &Global,
    arguments: &Lock,
    local: &Local,
    observer: &dyn Observer,
) -> Result<Question, Failure> {
    let monorepo_only = arguments.allow_jbuilder || arguments.require_cross_compile;
    if monorepo_only && arguments.tool == LockFor::Opam {
        return Err(Failure::usage("`--allow-jbuilder` and `--require-cross-compile` are for opam-monorepo")
            .hint("add `--for opam-monorepo`"));
    }
    let mut setting = setting(global, one_platform(&arguments.platform)?);
    let project = Project::read(&arguments.directory, local, observer)?;
    setting.pins = project.pinned;
    let directory =
        fs_err::canonicalize(&arguments.directory).map_err(|error| Failure::new(Kind::System, error.to_string()))?;
    Ok(Question::Lock(Box::new(question::Lock {
        repositories: vec![],
        setting,
        packages: project.packages,
        name: directory.file_name().map(|name| name.to_string_lossy().into_owned()),
        tool: match arguments.tool {
            LockFor::Opam => question::LockFor::Opam,
            LockFor::OpamMonorepo => question::LockFor::OpamMonorepo,
        },
        build_only: arguments.build_only,
        allow_jbuilder: arguments.allow_jbuilder,
        require_cross_compile: arguments.require_cross_compile,
        ocaml: arguments.ocaml.clone(),
    })))
}
