//! `impact`, `bounds`, `bisect`.

use super::{atoms, read_text, several_platforms};
use crate::arguments::{Bisect, Bounds, Global, Impact, Like, Sought, TestPolicy, Versions};
use crate::failure::Failure;
use caravan::repository::StateName;
use caravan::vocabulary::{self, Policy};
use caravan::{Question, question};

/// A state as the command line names it.
fn state(text: Option<&String>) -> Option<StateName> {
    text.cloned().map(StateName::Revision)
}

/// A command that compares two states does not take `--at`.
fn two_states(global: &Global) -> Result<(), Failure> {
    match global.at {
        None => Ok(()),
        Some(_) => Err(Failure::usage("`--at` names one state, and this command compares two")
            .hint("`--base` and `--head` name them")),
    }
}

/// `caravan impact`
pub(crate) fn impact(global: &Global, arguments: &Impact) -> Result<Question, Failure> {
    let platforms = several_platforms(&arguments.targets.platforms, &arguments.targets.platform)?;
    two_states(global)?;
    Ok(Question::Impact(Box::new(question::Impact {
        repositories: vec![],
        base: state(arguments.states.base.as_ref()),
        head: state(arguments.states.head.as_ref()),
        add: arguments.states.add.clone(),
        platforms,
        ocaml: arguments.targets.ocaml.clone(),
        policy: policy(arguments),
        budget: arguments.budget,
        time_limit_ms: arguments.time_limit,
    })))
}

fn policy(arguments: &Impact) -> Policy {
    if let Some(Like::OpamRepoCi) = arguments.like {
        return Policy::LIKE_OPAM_REPO_CI;
    }
    Policy {
        versions: match arguments.versions {
            Versions::Latest => vocabulary::Versions::Latest,
            Versions::NewestUsing => vocabulary::Versions::NewestUsing,
            Versions::All => vocabulary::Versions::All,
        },
        avoided: arguments.include_avoided,
        abandoned: arguments.include_abandoned,
        tests: match arguments.tests {
            TestPolicy::None => vocabulary::TestPolicy::None,
            TestPolicy::Direct => vocabulary::TestPolicy::Direct,
            TestPolicy::Recursive => vocabulary::TestPolicy::Recursive,
        },
        any_significant: false,
    }
}

/// `caravan bounds`
pub(crate) fn bounds(global: &Global, arguments: &Bounds) -> Result<Question, Failure> {
    let platforms = several_platforms(&arguments.targets.platforms, &arguments.targets.platform)?;
    let mut broken = arguments.broken.clone();
    if let Some(file) = &arguments.broken_from {
        // Packages, one a line; `#` begins a comment.
        let text = read_text(file)?;
        let line = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
        broken.extend(text.lines().map(line).filter(|line| !line.is_empty()));
    }
    two_states(global)?;
    Ok(Question::Bounds(Box::new(question::Bounds {
        repositories: vec![],
        base: state(arguments.states.base.as_ref()),
        head: state(arguments.states.head.as_ref()),
        add: arguments.states.add.clone(),
        broken,
        platforms,
        ocaml: arguments.targets.ocaml.clone(),
    })))
}

/// `caravan bisect`
pub(crate) fn bisect(global: &Global, arguments: &Bisect) -> Result<Question, Failure> {
    let named: Vec<String> = arguments.platforms.iter().cloned().collect();
    let platform = several_platforms(&named, &arguments.platform)?.into_iter().next();
    let packages = atoms(&arguments.packages)?;
    if global.at.is_some() {
        return Err(Failure::usage("`--at` names one state, and this command looks at many")
            .hint("`--head` names the newest, `--base` the oldest"));
    }
    Ok(Question::Bisect(Box::new(question::Bisect {
        head: state(Some(&arguments.head).filter(|head| *head != "HEAD")),
        base: arguments.base.clone(),
        packages,
        sought: match arguments.sought {
            Sought::Installable => vocabulary::Sought::Installable,
            Sought::Solution => vocabulary::Sought::Solution,
        },
        all: arguments.all,
        with_test: arguments.with_test,
        ocaml: arguments.ocaml.clone(),
        platform,
        time_limit_ms: arguments.time_limit,
    })))
}
