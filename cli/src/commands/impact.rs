//! `caravan impact`

use super::states::States;
use crate::arguments::{Format, Global, Impact, Like, TestPolicy, Versions};
use crate::failure::{COULD_NOT_TELL, Failure, NO};
use crate::output::Output;
use crate::platform::platforms;
use caravan_revdeps::impact::{Step, Verdict, impact, targets};
use caravan_revdeps::rebuild::{self, Policy};
use caravan_revdeps::report::{Frame, Report, github, markdown, text};
use caravan_solver::{Request, Stop};
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
    let (before, after) = (&states.before.index, &states.after.index);
    let targets = targets(before, after, &platforms, &arguments.targets.ocaml, &request)?;
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
