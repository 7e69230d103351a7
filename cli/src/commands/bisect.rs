//! `caravan bisect`

use super::solve::failure;
use super::states;
use crate::arguments::{Bisect, Format, Global, Sought};
use crate::failure::{Failure, Kind, NO};
use crate::output::{BOLD, DIM, Output};
use crate::platform::platforms;
use crate::session::{Session, cache, precedence};
use caravan_revdeps::bisect::{self, BisectError, Turn, Turns};
use caravan_revdeps::impact::Difference;
use caravan_revdeps::report::difference_text;
use caravan_solver::compiler::compiler;
use caravan_solver::explain::{Fact, Statement};
use caravan_solver::report::variables;
use caravan_solver::{Request, Root, Stop};
use opam_parser::repository::Location;
use opam_parser::source::history::Commit;
use serde::Serialize;
use std::collections::BTreeMap;
use std::process::ExitCode;

pub(crate) fn run(global: &Global, arguments: &Bisect, output: &mut Output) -> Result<ExitCode, Failure> {
    let named: Vec<String> = arguments.platforms.iter().cloned().collect();
    let platform = platforms(&named, &arguments.platform)?.remove(0);
    let atoms = arguments.packages.iter().map(|text| Session::parse_atom(text)).collect::<Result<Vec<_>, _>>()?;
    let (path, head) = history(global, arguments, output)?;
    let newest = Location::Git { path: path.clone(), revision: head.clone(), before: None };
    let session = Session::read(&cache(global)?, vec![newest], precedence(global), output)?;
    let mut request = Request { time_limit_ms: arguments.time_limit, ..Request::default() };
    if let Some(version) = &arguments.ocaml {
        request.roots.push(compiler(&session.index, version)?);
    }
    request.roots.extend(atoms.into_iter().map(Root::from));
    request.roots.iter_mut().skip(usize::from(arguments.ocaml.is_some())).for_each(|root| {
        root.flags.with_test = arguments.with_test;
    });
    let search = bisect::Bisect {
        path: &path,
        head: &head,
        base: arguments.base.as_deref(),
        platform: &platform,
        request: &request,
        sought: match arguments.sought {
            Sought::Installable => bisect::Sought::Installable,
            Sought::Solution => bisect::Sought::Solution,
        },
        turns: if arguments.all { usize::MAX } else { 1 },
    };
    let found = output.spinning("searching", || search.run(session.index, &Stop::new(), &|_| {}));
    let found = found.map_err(|error| match error {
        BisectError::Build(error) => error.into(),
        BisectError::Solve(error) => failure(error),
        BisectError::NotBefore { .. } => {
            Failure::new(Kind::Repository, error.to_string()).hint("`git log --first-parent` shows which commits are")
        }
    })?;
    match output.format {
        Format::Json => json(&search, &found, output)?,
        _ => text(&search, &found, output)?,
    }
    Ok(if found.turns.is_empty() { ExitCode::from(NO) } else { ExitCode::SUCCESS })
}

/// The repository with the history, and its newest commit.
fn history(global: &Global, arguments: &Bisect, output: &mut Output) -> Result<(std::path::PathBuf, String), Failure> {
    if global.at.is_some() {
        return Err(Failure::usage("`--at` names one state, and this command looks at many")
            .hint("`--head` names the newest, `--base` the oldest"));
    }
    let repositories = crate::repositories::locations(global, &cache(global)?, output)?;
    let [repository] = repositories.as_slice() else {
        return Err(Failure::usage("a history of several repositories is none: name one with `--repo`"));
    };
    let head = match repository {
        // `--repo GIT#REV`
        Location::Git { revision, .. } if arguments.head == "HEAD" => revision.clone(),
        _ => arguments.head.clone(),
    };
    let (Location::Directory { path, .. } | Location::Git { path, .. } | Location::Archive { path }) = repository;
    match states::history(repository) {
        Some(history) => {
            history.commit(&head)?;
            Ok((path.clone(), head))
        }
        None => Err(Failure::new(Kind::Repository, format!("`{}` has no history", repository.label()))
            .hint("`--repo GIT` names a git repository")),
    }
}

fn roots(request: &Request) -> String {
    request.roots.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn date(commit: &Commit) -> String {
    jiff::Timestamp::from_second(commit.seconds).map(|time| time.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}

fn text(search: &bisect::Bisect<'_>, found: &Turns, output: &mut Output) -> Result<(), Failure> {
    let roots = roots(search.request);
    let summary = search.platform.summary();
    if found.turns.is_empty() {
        let state = match (search.sought, found.installable) {
            (bisect::Sought::Solution, true) => "has the same solution",
            (bisect::Sought::Installable, true) => "has a solution",
            (_, false) => "has no solution",
        };
        return output.line(format_args!("{roots} {state} on {summary} in all of {} commits", found.commits));
    }
    for Turn { commit, before, after, differences, facts } in &found.turns {
        let what = match (before, after) {
            (false, true) => "has a solution since",
            (true, false) => "has no solution since",
            _ => "has another solution since",
        };
        output.line(format_args!("{roots} {what} on {summary}"))?;
        output.line(format_args!("  {BOLD}{:.10}{BOLD:#} {} {}", commit.id, date(commit), commit.summary))?;
        output.line(format_args!("  {DIM}by {}{DIM:#}", commit.author))?;
        let asked = |fact: &&Fact| !matches!(fact.statement, Statement::Asked { but: None, .. });
        if !facts.is_empty() {
            output.line(if *after { "    before:" } else { "    because:" })?;
            facts.iter().filter(asked).try_for_each(|fact| output.line(format_args!("      - {fact}")))?;
        }
        // Of a solution and none, all of it would be named.
        if *before && *after {
            differences.iter().try_for_each(|one| output.line(format_args!("    {}", difference_text(one))))?;
        }
    }
    output.line(format_args!("{DIM}{} commits accounted for, {} solved{DIM:#}", found.commits, found.solved))
}

#[derive(Serialize)]
struct Json<'j> {
    schema: &'static str,
    platform: BTreeMap<String, String>,
    roots: Vec<String>,
    sought: bisect::Sought,
    installable: bool,
    commits: usize,
    solved: usize,
    turns: Vec<JsonTurn<'j>>,
}

#[derive(Serialize)]
struct JsonTurn<'j> {
    commit: &'j str,
    summary: &'j str,
    author: &'j str,
    seconds: i64,
    before: bool,
    after: bool,
    differences: &'j [Difference],
    facts: &'j [Fact],
}

fn json(search: &bisect::Bisect<'_>, found: &Turns, output: &mut Output) -> Result<(), Failure> {
    let turns = found.turns.iter().map(|turn| JsonTurn {
        commit: &turn.commit.id,
        summary: &turn.commit.summary,
        author: &turn.commit.author,
        seconds: turn.commit.seconds,
        before: turn.before,
        after: turn.after,
        differences: &turn.differences,
        facts: &turn.facts,
    });
    output.json(&Json {
        schema: "caravan.bisect/1",
        platform: variables(search.platform),
        roots: search.request.roots.iter().map(ToString::to_string).collect(),
        sought: search.sought,
        installable: found.installable,
        commits: found.commits,
        solved: found.solved,
        turns: turns.collect(),
    })
}
