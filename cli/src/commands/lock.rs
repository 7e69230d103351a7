//! `caravan lock`

use super::project;
use super::solve::failure;
use crate::arguments::{Format, Global, Lock, LockFor};
use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::platform::one_platform;
use crate::session::{Session, precedence};
use caravan_planning::lock::{LockError, Rules, locked, monorepo, roots};
use caravan_solver::compiler::compiler;
use caravan_solver::problem::Pin;
use caravan_solver::{Request, Setting, SolveError, Stop, View, explain, solve_until};
use opam_parser::index::{Index, PackageId};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Serialize)]
struct Answer {
    schema: &'static str,
    files: Vec<Written>,
}

#[derive(Serialize)]
struct Written {
    path: String,
    packages: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendored: Option<Vec<String>>,
}

pub(crate) fn run(global: &Global, arguments: &Lock, output: &mut Output) -> Result<ExitCode, Failure> {
    let monorepo_only = arguments.allow_jbuilder || arguments.require_cross_compile;
    if monorepo_only && arguments.tool == LockFor::Opam {
        return Err(Failure::usage("`--allow-jbuilder` and `--require-cross-compile` are for opam-monorepo")
            .hint("add `--for opam-monorepo`"));
    }
    let platform = one_platform(&arguments.platform)?;
    let project = project::read(&arguments.directory, global, output)?;
    let session = Session::open(global, output)?;
    let mut pins = project.packages.clone();
    pins.extend(project.pinned.iter().filter(|pin| project.packages.iter().all(|own| own.name != pin.name)).cloned());
    let setting = Setting { platform, precedence: precedence(global), pins, ..Setting::default() };
    let index = setting.index(&[&session.index]).map_err(|error| {
        Failure::new(Kind::BrokenFile, error.to_string()).hint("mend the file; `caravan parse` checks it")
    })?;
    let view = View::of(&index, &setting);
    let written = match arguments.tool {
        LockFor::Opam => for_opam(arguments, &view, &index, &project.packages)?,
        LockFor::OpamMonorepo => vec![for_monorepo(arguments, &view, &session, &setting, &project.packages)?],
    };
    match output.format {
        Format::Json => output.json(&Answer { schema: "caravan.lock/1", files: written })?,
        _ => {
            for file in written {
                let count = file.packages.len();
                let vendored = file.vendored.map(|all| format!(", {} of them vendored", all.len())).unwrap_or_default();
                output.line(format_args!("wrote {}: {count} packages{vendored}", file.path))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs_err::write(path, text).map_err(|error| Failure::new(Kind::System, error.to_string()))
}

fn texts(index: &Index, packages: &[PackageId], own: &[Pin]) -> Vec<String> {
    let is_own = |text: &str| own.iter().any(|pin| text == format!("{}.{}", pin.name, pin.version));
    packages.iter().map(|package| index.package_text(*package)).filter(|text| !is_own(text)).collect()
}

fn for_opam(arguments: &Lock, view: &View<'_>, index: &Index, packages: &[Pin]) -> Result<Vec<Written>, Failure> {
    let with_test = !arguments.build_only;
    let mut request = Request { roots: roots(packages, with_test), ..Request::default() };
    if let Some(version) = &arguments.ocaml {
        request.roots.insert(0, compiler(index, version)?);
    }
    let selection = solve_until(view, &request, &Stop::new()).map_err(|error| unsolved(view, &request, error))?;
    let directory = arguments.output.clone().unwrap_or_else(|| arguments.directory.clone());
    let mut written = Vec::new();
    for package in packages {
        let text = locked(view, selection.packages(), package, with_test).map_err(wrong)?;
        let path = directory.join(format!("{}.opam.locked", package.name));
        write(&path, &text)?;
        let packages = texts(index, selection.packages(), packages);
        written.push(Written { path: path.display().to_string(), packages, vendored: None });
    }
    Ok(written)
}

fn for_monorepo(
    arguments: &Lock,
    view: &View<'_>,
    session: &Session,
    setting: &Setting,
    packages: &[Pin],
) -> Result<Written, Failure> {
    let index = view.index();
    let ocaml = match &arguments.ocaml {
        None => None,
        // The newest version of `ocaml` that was asked for is that of its compiler.
        Some(text) => {
            let request = Request { roots: vec![compiler(index, text)?], ..Request::default() };
            let selection =
                solve_until(view, &request, &Stop::new()).map_err(|error| unsolved(view, &request, error))?;
            let name = index.find_name("ocaml");
            let package = name.and_then(|name| selection.get(index, name));
            package
                .and_then(|package| opam_parser::version::Version::new(index.version(index.package_version(package))))
        }
    };
    let rules = Rules {
        ocaml,
        build_only: arguments.build_only,
        allow_jbuilder: arguments.allow_jbuilder,
        require_cross_compile: arguments.require_cross_compile,
    };
    // The project's own files are pins; all others are in the repositories, whose files have other numbers
    // there than beside the pins.
    let text = |package: PackageId| -> Option<Vec<u8>> {
        let name = index.name(index.package_name(package));
        if let Some(pin) = setting.pins.iter().find(|pin| pin.name.as_str() == name) {
            return Some(pin.opam.clone().into_bytes());
        }
        let version = index.version(index.package_version(package));
        let there = session.index.find_package(session.index.find_name(name)?, version)?;
        session.text(session.index.package_file(there)).ok()
    };
    let lock = monorepo(view, packages, &rules, &text, &Stop::new()).map_err(wrong)?;
    let directory =
        fs_err::canonicalize(&arguments.directory).map_err(|error| Failure::new(Kind::System, error.to_string()))?;
    let name = match packages {
        [only] => only.name.to_string(),
        _ => directory.file_name().map_or_else(|| "project".to_owned(), |name| name.to_string_lossy().into_owned()),
    };
    let path: PathBuf =
        arguments.output.clone().unwrap_or_else(|| arguments.directory.join(format!("{name}.opam.locked")));
    write(&path, &lock.text)?;
    Ok(Written {
        path: path.display().to_string(),
        packages: texts(index, &lock.selection, packages),
        vendored: Some(texts(index, &lock.vendored, packages)),
    })
}

fn unsolved(view: &View<'_>, request: &Request, error: SolveError) -> Failure {
    match (&error, explain(view, request, &Stop::new())) {
        (SolveError::NoSolution, Ok(explanation)) => {
            Failure::new(Kind::No, "there is no solution, so there is nothing to lock").details(explanation.to_string())
        }
        _ => failure(error),
    }
}

fn wrong(error: LockError) -> Failure {
    match error {
        LockError::Solve(error) => failure(error),
        LockError::WithoutDune(_) => Failure::new(Kind::No, error.to_string())
            .hint("an overlay that ports them to dune may be laid over: `--repo OVERLAY --repo …`"),
        LockError::SplitSources => Failure::new(Kind::No, error.to_string())
            .hint("what is vendored has one directory for each source repository, so it has one version"),
        LockError::Unreadable(_) | LockError::Setting(_) => Failure::new(Kind::BrokenFile, error.to_string()),
        LockError::Wrong(_) => Failure::new(Kind::System, error.to_string()),
    }
}
