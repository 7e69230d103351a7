//! `caravan solve`

mod show;
mod targets;

use crate::arguments::{Cycles, Dialect, Global, Prefer, PushDown, Solve};
use crate::failure::{Failure, Kind, NO};
use crate::output::Output;
use crate::platform::platforms;
use crate::session::Session;
use caravan_solver::compiler::compiler;
use caravan_solver::problem::{self, LowerBounds, Preference};
use caravan_solver::report::Answer;
use caravan_solver::{
    Problem, Request, Setting, SolveError, Stop, View, explain, explain_versions, solve_checked, solve_together,
    solve_until,
};
use opam_parser::index::{Index, NameId};
use opam_parser::name::PackageName;
use rayon::prelude::*;
use std::process::ExitCode;

/// A question and its answers.
pub(crate) struct Answered<'a> {
    pub(crate) session: &'a Session,
    pub(crate) index: &'a Index,
    /// What was asked for, without the compiler that an option names.
    pub(crate) roots: Vec<String>,
    pub(crate) asked: Vec<NameId>,
    pub(crate) answers: Vec<Answer>,
    /// With `--same-versions`: the names of which that was not possible.
    pub(crate) differing: Option<Vec<NameId>>,
    pub(crate) pinned: Vec<PackageName>,
    pub(crate) checked: bool,
    pub(crate) verbose: bool,
}

pub(crate) fn run(global: &Global, arguments: &Solve, output: &mut Output) -> Result<ExitCode, Failure> {
    if arguments.same_versions && arguments.explain_versions {
        return Err(Failure::usage("`--explain-versions` explains the answer of each platform by itself")
            .hint("leave out `--same-versions`"));
    }
    let (session, settings, request, shown_roots) = question(global, arguments, output)?;
    let index = settings[0].index(&[&session.index]).map_err(|error| {
        Failure::new(Kind::BrokenFile, error.to_string()).hint("mend the file; `caravan parse` checks it")
    })?;
    let views: Vec<View<'_>> = settings.iter().map(|setting| View::of(&index, setting)).collect();
    let asked = request.roots.iter().filter_map(|root| index.find_name(root.name.as_str())).collect();
    let stop = Stop::new();
    let mut differing = None;
    let answers = if arguments.same_versions {
        let views: Vec<&View<'_>> = views.iter().collect();
        let (answers, apart) = together(&views, &settings, &request, &stop)?;
        differing = Some(apart);
        answers
    } else {
        let one = |(setting, view): (&Setting, &View<'_>)| answer(arguments, setting, view, &request, &stop);
        let answers: Vec<Result<Answer, Failure>> = settings.par_iter().zip(&views).map(one).collect();
        answers.into_iter().collect::<Result<_, _>>()?
    };
    let all = answers.iter().all(|answer| answer.result.is_ok());
    let answered = Answered {
        session: &session,
        index: &index,
        roots: shown_roots,
        asked,
        answers,
        differing,
        pinned: settings[0].pins.iter().map(|pin| pin.name.clone()).collect(),
        checked: arguments.check,
        verbose: arguments.verbose,
    };
    show::show(&answered, output)?;
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::from(NO) })
}

/// The repositories, the setting for each platform, the request and how its roots are shown.
fn question(
    global: &Global,
    arguments: &Solve,
    output: &mut Output,
) -> Result<(Session, Vec<Setting>, Request, Vec<String>), Failure> {
    if let Some(file) = &arguments.problem {
        let Problem { setting, request } = targets::problem(file)?;
        let session = Session::open_with(global, setting.precedence, output)?;
        let shown = request.roots.iter().map(ToString::to_string).collect();
        return Ok((session, vec![setting], request, shown));
    }
    let platforms = platforms(&arguments.platforms.platforms, &arguments.platforms.platform)?;
    // What is wrong with the question is said before anything is read.
    let targets = targets::Targets::read(arguments, global, output)?;
    let session = Session::open(global, output)?;
    let roots = targets.roots(arguments, &session, output)?;
    let dialect = match arguments.dialect {
        Dialect::Opam => caravan_solver::Dialect::Opam,
        Dialect::Opam0install => caravan_solver::Dialect::Opam0install,
        Dialect::SolverService => caravan_solver::Dialect::SolverService,
    };
    let setting = |platform| Setting {
        platform,
        dialect,
        precedence: crate::session::precedence(global),
        pins: targets.pins.clone(),
    };
    let settings: Vec<Setting> = platforms.into_iter().map(setting).collect();
    let shown = roots.iter().map(ToString::to_string).collect();
    let mut request = Request {
        roots,
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
            Cycles::Refuse => problem::Cycles::Refuse,
            Cycles::Allow => problem::Cycles::Allow,
        }),
        time_limit_ms: arguments.time_limit,
    };
    if let Some(version) = &arguments.platforms.ocaml {
        request.roots.insert(0, compiler(&session.index, version)?);
    }
    Ok((session, settings, request, shown))
}

fn answer(
    arguments: &Solve,
    setting: &Setting,
    view: &View<'_>,
    request: &Request,
    stop: &Stop,
) -> Result<Answer, Failure> {
    let mut held_back = None;
    let result = if arguments.explain_versions {
        explain_versions(view, request, stop).map(|(selection, reasons)| {
            held_back = Some(reasons);
            selection
        })
    } else if arguments.check {
        solve_checked(view, setting, request, stop)
    } else {
        solve_until(view, request, stop)
    };
    let result = match result {
        Ok(selection) => Ok(selection),
        Err(SolveError::NoSolution) => Err(explain(view, request, stop).map_err(failure)?),
        Err(error) => return Err(failure(error)),
    };
    Ok(Answer { platform: setting.platform.clone(), result, held_back })
}

/// One version of each package on all platforms that have an answer.
fn together(
    views: &[&View<'_>],
    settings: &[Setting],
    request: &Request,
    stop: &Stop,
) -> Result<(Vec<Answer>, Vec<NameId>), Failure> {
    let alone: Vec<bool> = views
        .par_iter()
        .map(|view| match solve_until(view, request, stop) {
            Ok(_) => Ok(true),
            Err(SolveError::NoSolution) => Ok(false),
            Err(error) => Err(failure(error)),
        })
        .collect::<Result<_, _>>()?;
    let solvable: Vec<&View<'_>> =
        views.iter().zip(&alone).filter(|(_, alone)| **alone).map(|(view, _)| *view).collect();
    let together = solve_together(&solvable, request, stop).map_err(|(_, error)| failure(error))?;
    let mut selections = together.selections.into_iter();
    let mut answers = Vec::new();
    for ((view, setting), alone) in views.iter().zip(settings).zip(alone) {
        let selection = if alone { selections.next() } else { None };
        let result = match selection {
            Some(selection) => Ok(selection),
            None => Err(explain(view, request, stop).map_err(failure)?),
        };
        answers.push(Answer { platform: setting.platform.clone(), result, held_back: None });
    }
    Ok((answers, together.differing))
}

/// A failure of solving, as it is shown.
pub(crate) fn failure(error: SolveError) -> Failure {
    match error {
        SolveError::UnknownName { name, near } => Failure::unknown_package(&name, &near),
        SolveError::UnknownVersion { name, version, known } => Failure::unknown_version(&name, &version, &known),
        SolveError::Broken { package, .. } => {
            Failure::new(Kind::BrokenFile, format!("`{package}` is set aside because its opam file is broken"))
                .hint(format!("`caravan show {package}` says what is wrong"))
        }
        SolveError::Stopped(why) => {
            Failure::new(Kind::TimeLimit, why.to_string()).hint("`--time-limit` takes a number of seconds")
        }
        error => Failure::new(Kind::Repository, error.to_string()),
    }
}
