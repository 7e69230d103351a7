//! `caravan impact`

use super::solve::compiler;
use super::states::States;
use crate::arguments::{Format, Global, Impact, Like, Targets, TestPolicy, Versions};
use crate::failure::{COULD_NOT_TELL, Failure, NO};
use crate::output::Output;
use crate::platform::platforms;
use caravan_revdeps::impact::{Step, Target, Verdict, impact};
use caravan_revdeps::rebuild::{self, Policy};
use caravan_revdeps::report::{Frame, Report, github, markdown, text};
use caravan_solver::{Request, Stop};
use opam_parser::file::Flags;
use opam_parser::index::Index;
use std::process::ExitCode;

/// CI has to tell three cases apart, and a failure of any kind is the third.
pub(crate) fn run(global: &Global, arguments: &Impact, output: &mut Output) -> Result<ExitCode, Failure> {
    match report(global, arguments, output) {
        Err(failure) if !failure.is_broken_pipe() => {
            output.failure(&failure);
            Ok(ExitCode::from(COULD_NOT_TELL))
        }
        other => other,
    }
}

fn report(global: &Global, arguments: &Impact, output: &mut Output) -> Result<ExitCode, Failure> {
    let platforms = platforms(&arguments.targets.platforms, &arguments.targets.platform)?;
    let states = States::open(global, &arguments.states, output)?;
    let request = Request { time_limit_ms: arguments.time_limit, ..Request::default() };
    let targets = targets(&states, &arguments.targets, &platforms, &request)?;
    let policy = policy(arguments);
    let step = Step::new(&states.before.index, &states.after.index, states.changes.clone());
    let found = output.spinning("solving", || impact(&step, &targets, &policy, &Stop::new()));
    let frame = Frame {
        base: states.base.clone(),
        head: states.head.clone(),
        policy,
        budget: arguments.budget,
        text: &|file| states.text(file),
    };
    let report = Report::new(&step, &found, &frame);
    match output.format {
        Format::Json => output.json(&report)?,
        Format::Markdown => output.bytes(markdown(&report).as_bytes())?,
        Format::Github => output.bytes(github(&report).as_bytes())?,
        _ => output.bytes(text(&report, arguments.verbose).as_bytes())?,
    }
    Ok(match report.verdict {
        Verdict::Clean => ExitCode::SUCCESS,
        Verdict::Broken => ExitCode::from(NO),
        Verdict::Unknown => ExitCode::from(COULD_NOT_TELL),
    })
}

fn policy(arguments: &Impact) -> Policy {
    if let Some(Like::OpamRepoCi) = arguments.like {
        return Policy::LIKE_OPAM_REPO_CI;
    }
    Policy {
        versions: match arguments.versions {
            Versions::Latest => rebuild::Versions::Latest,
            Versions::NewestUsing => rebuild::Versions::NewestUsing,
            Versions::All => rebuild::Versions::All,
        },
        avoided: arguments.include_avoided,
        abandoned: arguments.include_abandoned,
        tests: match arguments.tests {
            TestPolicy::None => rebuild::TestPolicy::None,
            TestPolicy::Direct => rebuild::TestPolicy::Direct,
            TestPolicy::Recursive => rebuild::TestPolicy::Recursive,
        },
        any_significant: false,
    }
}

/// Each compiler on each platform.
pub(crate) fn targets(
    states: &States,
    arguments: &Targets,
    platforms: &[caravan_solver::Platform],
    request: &Request,
) -> Result<Vec<Target>, Failure> {
    let index = &states.after.index;
    let named = match arguments.ocaml.is_empty() {
        true => usual_compilers(index),
        false => arguments.ocaml.clone(),
    };
    let compiler = |text: &String| {
        // One that the change removes is known before.
        compiler(index, text).or_else(|failure| compiler(&states.before.index, text).map_err(|_| failure))
    };
    let roots = named.iter().map(compiler).collect::<Result<Vec<_>, _>>()?;
    let mut targets = Vec::new();
    for platform in platforms {
        for (version, root) in named.iter().zip(&roots) {
            let request = Request { roots: vec![root.clone()], ..request.clone() };
            let label = format!("{}, OCaml {version}", platform.summary());
            targets.push(Target { label, platform: platform.clone(), request });
        }
        if roots.is_empty() {
            targets.push(Target { label: platform.summary(), platform: platform.clone(), request: request.clone() });
        }
    }
    Ok(targets)
}

/// The last series before OCaml 5, and the newest release; none in a repository without compilers.
fn usual_compilers(index: &Index) -> Vec<String> {
    let Some(ocaml) = index.find_name("ocaml") else { return vec![] };
    let text = |package| index.version(index.package_version(package)).to_owned();
    let unfinished = Flags::AVOID_VERSION;
    let released = |version: &str| {
        // What `ocaml` stands for is a release when its compiler is one.
        let compiler = index.find_name("ocaml-base-compiler").and_then(|name| index.find_package(name, version));
        compiler.is_some_and(|compiler| !index.flags(compiler).intersects(unfinished) && !version.contains('~'))
    };
    let newest = index.versions_of(ocaml).rev().map(text).find(|version| released(version));
    let old = index.versions_of(ocaml).map(text).any(|version| version.starts_with("4.14"));
    let old =
        old.then(|| "4.14".to_owned()).filter(|_| newest.as_ref().is_none_or(|newest| !newest.starts_with("4.14")));
    old.into_iter().chain(newest).collect()
}
