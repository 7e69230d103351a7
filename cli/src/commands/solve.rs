//! `caravan solve`

use super::{JsonPackage, json_platform, project, synopsis};
use crate::arguments::{Format, Global, Prefer, Solve};
use crate::failure::{Failure, Kind, NO};
use crate::output::{BOLD, Cell, DIM, Output};
use crate::platform::platform;
use crate::session::Session;
use caravan_solver::problem::Preference;
use caravan_solver::solve::Fact;
use caravan_solver::{Flags, Platform, Problem, Root, Selection, SolveError, View, solve};
use opam_parser::index::{Found, Index, NameId, with_pins};
use opam_parser::name::PackageName;
use opam_parser::syntax::RelOp;
use opam_parser::version::Version;
use serde::Serialize;
use std::collections::BTreeMap;
use std::process::ExitCode;

#[derive(Serialize)]
struct Answer {
    schema: &'static str,
    platform: BTreeMap<String, String>,
    roots: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    packages: Option<Vec<JsonPackage>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    no_solution: Option<Vec<Fact>>,
}

pub(crate) fn run(global: &Global, arguments: &Solve, output: &mut Output) -> Result<ExitCode, Failure> {
    let platform = platform(&arguments.platform)?;
    // What is wrong with the question is said before anything is read.
    let targets = arguments.targets.iter().map(|text| Target::new(text)).collect::<Result<Vec<_>, _>>()?;
    let projects = targets.iter().filter_map(|target| match target {
        Target::Project(path) => Some(project::packages(path, output)),
        Target::Package(_) => None,
    });
    let projects = projects.collect::<Result<Vec<_>, _>>()?;
    let session = Session::open(global, output)?;

    let pins: Vec<_> = projects.iter().flatten().cloned().collect();
    let pinned;
    let index = if pins.is_empty() {
        &session.index
    } else {
        pinned = with_pins(&session.index, &pins)?;
        &pinned
    };
    let mut roots = Vec::new();
    let mut projects = projects.into_iter();
    for target in targets {
        match target {
            Target::Package(root) => {
                let mut root = *root;
                let name = session.name(root.name.as_str())?;
                for (_, version) in root.constraints.iter().filter(|(op, _)| *op == RelOp::Eq) {
                    if let Some(Found::Broken(file)) = session.index.find(name, version.as_str()) {
                        return Err(session.broken(file, output));
                    }
                }
                if let Some(exact) = PackageName::new(session.index.name(name)) {
                    root.name = exact;
                }
                root.flags = Flags {
                    with_test: arguments.with_test,
                    with_doc: arguments.with_doc,
                    with_dev_setup: arguments.with_dev_setup,
                    dev: None,
                };
                roots.push(root);
            }
            Target::Project(_) => {
                roots.extend(projects.next().into_iter().flatten().map(|(name, version, _)| Root {
                    name,
                    constraints: vec![(RelOp::Eq, version)],
                    flags: Flags {
                        with_test: true,
                        with_doc: arguments.with_doc,
                        with_dev_setup: arguments.with_dev_setup,
                        dev: Some(true),
                    },
                }));
            }
        }
    }
    let shown_roots: Vec<String> = roots.iter().map(show_root).collect();
    if let Some(version) = &arguments.ocaml {
        roots.insert(0, compiler(index, version)?);
    }
    let preference = match arguments.prefer {
        Prefer::Newest => Preference::Newest,
        Prefer::Oldest => Preference::Oldest,
    };
    let asked: Vec<NameId> = roots.iter().filter_map(|root| index.find_name(root.name.as_str())).collect();
    let view = View::new(index, &platform);
    let result = solve(&view, &Problem { roots, preference });
    let mut answer = Answer {
        schema: "caravan.solve/1",
        platform: json_platform(&platform),
        roots: shown_roots,
        packages: None,
        no_solution: None,
    };
    match result {
        Ok(selection) => {
            if output.format == Format::Json {
                let packages = selection.packages().iter();
                answer.packages = Some(packages.map(|package| JsonPackage::new(index, *package)).collect());
                output.json(&answer)?;
            } else {
                show(index, &selection, &asked, output)?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(SolveError::NoSolution(explanation)) => {
            if output.format == Format::Json {
                answer.no_solution = Some(explanation.facts().to_vec());
                output.json(&answer)?;
            } else {
                no_solution(&answer.roots, &platform, explanation.facts(), output)?;
            }
            Ok(ExitCode::from(NO))
        }
        Err(SolveError::UnknownName { name, near }) => Err(Failure::unknown_package(&name, &near)),
        Err(SolveError::UnknownVersion { name, version, known }) => {
            Err(Failure::unknown_version(&name, &version, &known))
        }
        Err(SolveError::Broken { package, .. }) => {
            // Found above for everything but the compiler; the index may have other files now.
            Err(Failure::new(Kind::BrokenFile, format!("`{package}` is set aside because its opam file is broken"))
                .hint(format!("`caravan show {package}` says what is wrong")))
        }
        Err(error) => Err(Failure::new(Kind::Repository, error.to_string())),
    }
}

enum Target {
    Package(Box<Root>),
    Project(std::path::PathBuf),
}

impl Target {
    /// A directory is written with a slash or dots alone, so that no package is mistaken for one.
    fn new(text: &str) -> Result<Self, Failure> {
        if text.contains('/') || text == "." || text == ".." {
            return Ok(Target::Project(text.into()));
        }
        Ok(Target::Package(Box::new(Session::parse_atom(text)?.into())))
    }
}

fn show_root(root: &Root) -> String {
    let constraints = root.constraints.iter().map(|(op, version)| format!(" {} {version}", op.as_str()));
    format!("{}{}", root.name, constraints.collect::<String>())
}

/// The compiler that was asked for: that version of `ocaml`, or the newest that begins with it.
fn compiler(index: &Index, text: &str) -> Result<Root, Failure> {
    let wrong = || {
        Failure::usage(format!("`{text}` is not a version of OCaml"))
            .hint("write `--ocaml 5.4.1`, or `--ocaml 5.4` for its newest release")
    };
    let version = Version::new(text).ok_or_else(wrong)?;
    let name = PackageName::new("ocaml").ok_or_else(wrong)?;
    let known = index.find_name("ocaml").filter(|id| !index.package_range(*id).is_empty());
    let Some(id) = known else { return Err(Failure::unknown_package("ocaml", &[])) };
    let constraints = match index.find_package(id, text) {
        Some(_) => vec![(RelOp::Eq, version)],
        None => {
            // `5.4` stands for 5.4.0, 5.4.1 and so on: from it up to its next sibling.
            let next = text.rsplit_once('.').and_then(|(major, minor)| {
                Version::new(&format!("{major}.{}~", minor.parse::<u64>().ok()?.checked_add(1)?))
            });
            let next = next.or_else(|| Version::new(&format!("{}~", text.parse::<u64>().ok()?.checked_add(1)?)));
            let next = next.ok_or_else(wrong)?;
            let inside = |package| {
                let found = Version::new(index.version(index.package_version(package)));
                found.is_some_and(|found| found >= version && found < next)
            };
            if !index.versions_of(id).any(inside) {
                let newest = index.versions_of(id).rev().take(5);
                let known: Vec<String> =
                    newest.map(|package| index.version(index.package_version(package)).to_owned()).collect();
                return Err(Failure::unknown_version("ocaml", text, &known));
            }
            vec![(RelOp::Geq, version), (RelOp::Lt, next)]
        }
    };
    Ok(Root { name, constraints, flags: Flags::default() })
}

/// `NAME.VERSION` first, so that the first word of a line is what `opam install` takes.
fn show(index: &Index, selection: &Selection, asked: &[NameId], output: &mut Output) -> Result<(), Failure> {
    let row = |package: &opam_parser::index::PackageId| {
        let text = index.package_text(*package);
        let root = asked.contains(&index.package_name(*package));
        vec![
            if root { Cell::styled(text, BOLD) } else { Cell::new(text) },
            Cell::styled(synopsis(index, *package), DIM),
        ]
    };
    let rows: Vec<_> = selection.packages().iter().map(row).collect();
    output.table(&rows)
}

fn no_solution(roots: &[String], platform: &Platform, facts: &[Fact], output: &mut Output) -> Result<(), Failure> {
    output.line(format_args!("no solution for {} on {}:", roots.join(", "), platform.summary()))?;
    for fact in facts {
        output.line(format_args!("  - {fact}"))?;
    }
    Ok(())
}
