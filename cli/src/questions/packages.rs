//! `solve`, `installable`, `list`, `show`.

use super::project::Targets;
use super::{atoms, one_platform, read_text, setting, several_platforms};
use crate::arguments::{Cycles, Dialect, Global, Installable, List, Prefer, PushDown, Show, Solve};
use crate::failure::Failure;
use caravan::vocabulary::{self, Flags, LowerBounds, Platform, Preference, Problem, Request};
use caravan::{Local, Observer, Question, question};
use std::path::Path;

/// `caravan solve`; the projects among its targets are read.
pub(crate) fn solve(
    global: &Global,
    arguments: &Solve,
    local: &Local,
    observer: &dyn Observer,
) -> Result<Question, Failure> {
    if arguments.same_versions && arguments.explain_versions {
        return Err(Failure::usage("`--explain-versions` explains the answer of each platform by itself")
            .hint("leave out `--same-versions`"));
    }
    let (problem, platforms) = match &arguments.problem {
        Some(file) => (from_file(file)?, vec![]),
        None => {
            let platforms = several_platforms(&arguments.platforms.platforms, &arguments.platforms.platform)?;
            let problem = problem(global, arguments, &platforms, &Targets::read(arguments, local, observer)?);
            (problem, platforms)
        }
    };
    Ok(Question::Solve(Box::new(question::Solve {
        repositories: vec![],
        problem,
        platforms,
        ocaml: if arguments.problem.is_some() { None } else { arguments.platforms.ocaml.clone() },
        explain_versions: arguments.explain_versions,
        check: arguments.check,
        same_versions: arguments.same_versions,
        places: arguments.verbose,
    })))
}

fn problem(global: &Global, arguments: &Solve, platforms: &[Platform], targets: &Targets) -> Problem {
    let mut setting = setting(global, platforms.first().cloned().unwrap_or_default());
    setting.dialect = match arguments.dialect {
        Dialect::Opam => vocabulary::Dialect::Opam,
        Dialect::Opam0install => vocabulary::Dialect::Opam0install,
        Dialect::SolverService => vocabulary::Dialect::SolverService,
    };
    setting.pins.clone_from(&targets.pins);
    let flags = Flags {
        with_test: arguments.with_test,
        with_doc: arguments.with_doc,
        with_dev_setup: arguments.with_dev_setup,
        dev: None,
    };
    let request = Request {
        roots: targets.roots(flags),
        prefer: match arguments.prefer {
            Prefer::Newest => Preference::Newest,
            Prefer::Oldest => Preference::Oldest,
        },
        avoid: arguments.avoid.map(Into::into),
        lower_bounds: (!arguments.push_down.is_empty()).then(|| LowerBounds {
            conf: arguments.push_down.contains(&PushDown::Conf),
            compilers: arguments.push_down.contains(&PushDown::Compilers),
            revisions: arguments.push_down.contains(&PushDown::Revisions),
        }),
        cycles: arguments.cycles.map(|cycles| match cycles {
            Cycles::Refuse => vocabulary::Cycles::Refuse,
            Cycles::Allow => vocabulary::Cycles::Allow,
        }),
        time_limit_ms: arguments.time_limit,
    };
    Problem { setting, request }
}

/// A problem in JSON.
fn from_file(path: &Path) -> Result<Problem, Failure> {
    serde_json::from_str(&read_text(path)?).map_err(|error| {
        Failure::usage(format!("`{}` is not a problem: {error}", path.display()))
            .hint("docs/json.md describes problems")
    })
}

/// `caravan installable`
pub(crate) fn installable(global: &Global, arguments: &Installable) -> Result<Question, Failure> {
    let platforms = several_platforms(&arguments.platforms.platforms, &arguments.platforms.platform)?;
    Ok(Question::Installable(Box::new(question::Installable {
        setting: setting(global, platforms.first().cloned().unwrap_or_default()),
        platforms,
        ocaml: arguments.platforms.ocaml.clone(),
        packages: atoms(&arguments.packages)?,
        all_versions: arguments.all_versions,
        flags: Flags { with_test: arguments.with_test, with_doc: arguments.with_doc, ..Flags::default() },
        avoid: arguments.avoid.map(Into::into),
        time_limit_ms: arguments.time_limit,
        ..question::Installable::default()
    })))
}

/// `caravan list`
pub(crate) fn list(global: &Global, arguments: &List) -> Result<Question, Failure> {
    Ok(Question::List(Box::new(question::List {
        setting: setting(global, one_platform(&arguments.platform)?),
        patterns: arguments.patterns.clone(),
        all_versions: arguments.all_versions,
        unavailable: arguments.all,
        ..question::List::default()
    })))
}

/// `caravan show`
pub(crate) fn show(global: &Global, arguments: &Show) -> Result<Question, Failure> {
    Ok(Question::Show(Box::new(question::Show {
        repositories: vec![],
        setting: setting(global, one_platform(&arguments.platform)?),
        packages: atoms(&arguments.packages)?,
    })))
}
