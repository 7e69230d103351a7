//! A task's answer.

use super::{Impact, Installable, RepositoryAt, Revdeps, Solve, Task, Text};
use crate::solver_service::{self, Refusal, SolveRequest, SolveResponse, State};
use crate::worker::Held;
use crate::worker::frames::Failure;
use caravan_revdeps::changes::{Changes, edits};
use caravan_revdeps::impact::{Step, impact, targets};
use caravan_revdeps::report::{Frame, Report};
use caravan_revdeps::{ListReport, Options, Targets, coinstallable, direct, like_opam_repo_ci, recursive};
use caravan_solver::compiler::compiler;
use caravan_solver::report::{Answer, Answers, InstallableReport};
use caravan_solver::{
    Flags, Platform, Request, Setting, SolveError, Stop, View, explain, explain_versions, installable, solve_checked,
    solve_until,
};
use opam_parser::atom::Atom;
use opam_parser::index::{Index, NameId, PackageId};
use opam_parser::source::Source;
use opam_parser::source::compare::differences;
use opam_parser::source::git::GitSource;
use opam_parser::source::history::History;
use rayon::prelude::*;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use std::sync::Arc;

/// The question is wrong.
fn wrong(error: impl std::fmt::Display) -> Failure {
    Failure::Question(error.to_string())
}

fn unreadable(error: impl std::fmt::Display) -> Failure {
    Failure::Repository(error.to_string())
}

fn failure(error: SolveError) -> Failure {
    match error {
        SolveError::Stopped(why) => why.into(),
        error => wrong(error),
    }
}

/// Answers a task, in JSON. `held` are its states ([`Task::states`]). The log gets a line for every part of a
/// batch.
///
/// # Errors
/// When the question is wrong, or it is to end. What is wrong in a part of a batch is in its answer.
pub fn answer(task: &Task, held: &[Arc<Held>], log: &mut dyn FnMut(&str), stop: &Stop) -> Result<Vec<u8>, Failure> {
    Ok(answered(task, held, log, stop)?.get().as_bytes().to_vec())
}

fn answered(task: &Task, held: &[Arc<Held>], log: &mut dyn FnMut(&str), stop: &Stop) -> Result<Box<RawValue>, Failure> {
    let states = States(held);
    match task {
        Task::Solve(task) => solve(task, &states, stop),
        Task::Installable(task) => which(task, &states, stop),
        Task::Revdeps(task) => revdeps(task, &states, stop),
        Task::Impact(task) => change(task, &states, log, stop),
        Task::SolverService(request) => service(request, &states, log, stop),
        Task::Batch(tasks) => batch(tasks, held, log, stop),
    }
}

/// An answer as it is sent.
fn written(answer: &impl Serialize) -> Result<Box<RawValue>, Failure> {
    to_raw_value(answer).map_err(wrong)
}

/// The states of a task, opened.
struct States<'h>(&'h [Arc<Held>]);

impl<'h> States<'h> {
    fn find(&self, at: &RepositoryAt) -> Result<&'h Held, Failure> {
        let found =
            self.0.iter().find(|held| held.name.url == at.url && held.name.commit.eq_ignore_ascii_case(&at.commit));
        found.map(|held| &**held).ok_or_else(|| wrong(format_args!("`{}` is not open", at.url)))
    }

    fn indexes(&self, repositories: &[RepositoryAt]) -> Result<Vec<&'h Index>, Failure> {
        if repositories.is_empty() {
            return Err(wrong("there is no repository"));
        }
        repositories.iter().map(|at| Ok(&self.find(at)?.index)).collect()
    }
}

/// The setting on each platform.
fn settings(setting: &Setting, platforms: &[Platform]) -> Vec<Setting> {
    match platforms {
        [] => vec![setting.clone()],
        platforms => {
            platforms.iter().map(|platform| Setting { platform: platform.clone(), ..setting.clone() }).collect()
        }
    }
}

fn solve(task: &Solve, states: &States<'_>, stop: &Stop) -> Result<Box<RawValue>, Failure> {
    let setting = &task.problem.setting;
    let index = setting.index(&states.indexes(&task.repositories)?).map_err(wrong)?;
    let roots: Vec<String> = task.problem.request.roots.iter().map(ToString::to_string).collect();
    let mut request = task.problem.request.clone();
    if let Some(ocaml) = &task.ocaml {
        request.roots.insert(0, compiler(&index, ocaml).map_err(wrong)?);
    }
    let one = |setting: Setting| {
        let view = View::of(&index, &setting);
        let mut held_back = None;
        let result = if task.explain_versions {
            explain_versions(&view, &request, stop).map(|(selection, reasons)| {
                held_back = Some(reasons);
                selection
            })
        } else if task.check {
            solve_checked(&view, &setting, &request, stop)
        } else {
            solve_until(&view, &request, stop)
        };
        let result = match result {
            Ok(selection) => Ok(selection),
            Err(SolveError::NoSolution) => Err(explain(&view, &request, stop).map_err(failure)?),
            Err(error) => return Err(failure(error)),
        };
        Ok(Answer { platform: setting.platform, result, held_back })
    };
    let answers = settings(setting, &task.platforms).into_par_iter().map(one).collect::<Result<Vec<_>, _>>()?;
    let checked = task.check && !task.explain_versions;
    let place = |_: &_| None;
    let answers = Answers { index: &index, roots: &roots, answers: &answers, differing: None, checked, place: &place };
    written(&answers.report())
}

/// What is installed already.
fn switch(index: &Index, ocaml: Option<&String>) -> Result<Request, Failure> {
    let root = ocaml.map(|ocaml| compiler(index, ocaml)).transpose().map_err(wrong)?;
    Ok(Request { roots: root.into_iter().collect(), ..Request::default() })
}

fn name(index: &Index, atom: &Atom) -> Result<NameId, Failure> {
    let known = index.find_name(atom.name.as_str()).filter(|name| !index.package_range(*name).is_empty());
    known.ok_or_else(|| wrong(format_args!("there is no package `{}`", atom.name)))
}

/// The versions that atoms name; every atom has to name some.
fn named(index: &Index, atoms: &[Text<Atom>]) -> Result<Targets, Failure> {
    let mut all = Targets::default();
    for Text(atom) in atoms {
        let found = Targets::of_atom(index, name(index, atom)?, atom);
        if found.packages(index).next().is_none() {
            return Err(wrong(format_args!("there is no version that is `{atom}`")));
        }
        all.extend(found);
    }
    Ok(all)
}

fn which(task: &Installable, states: &States<'_>, stop: &Stop) -> Result<Box<RawValue>, Failure> {
    let index = task.setting.index(&states.indexes(&task.repositories)?).map_err(wrong)?;
    let request = switch(&index, task.ocaml.as_ref())?;
    let candidates: Vec<PackageId> = match task.packages.as_slice() {
        [] => index.packages().collect(),
        atoms => named(&index, atoms)?.packages(&index).collect(),
    };
    let mut answers = Vec::new();
    for setting in settings(&task.setting, &task.platforms) {
        let view = View::of(&index, &setting);
        let targets = match task.all_versions {
            true => candidates.clone(),
            false => view.newest_of_each_name(&candidates),
        };
        let found = installable(&view, &request, &targets, task.flags, stop, &|_| {}).map_err(failure)?;
        answers.push((setting.platform, targets.into_iter().zip(found).collect()));
    }
    written(&InstallableReport::new(&index, &answers))
}

fn revdeps(task: &Revdeps, states: &States<'_>, stop: &Stop) -> Result<Box<RawValue>, Failure> {
    let index = task.setting.index(&states.indexes(&task.repositories)?).map_err(wrong)?;
    let targets = named(&index, &task.packages)?;
    let view = View::of(&index, &task.setting);
    let request = switch(&index, task.ocaml.as_ref())?;
    let atoms: Vec<Atom> = task.packages.iter().map(|Text(atom)| atom.clone()).collect();
    let show = |found: &[PackageId]| written(&ListReport::new("caravan.revdeps/1", &view, &atoms, found, None));
    if task.like_opam_repo_ci {
        let mut union = Vec::new();
        for package in targets.packages(&index) {
            union.extend(like_opam_repo_ci(&view, &request, package, stop).map_err(failure)?);
        }
        union.sort_unstable();
        union.dedup();
        // What changes together is not tested because of each other.
        union.retain(|package| !targets.contains(&index, *package));
        return show(&union);
    }
    let (depopts, with_test, with_doc) = (task.depopts, task.with_test, task.with_doc);
    let options = Options { depopts, with_test, with_doc, ..Options::default() };
    let mut found = match task.recursive {
        true => recursive(&view, &targets, &options),
        false => direct(&view, &targets, &options),
    };
    found.retain(|package| view.is_available(*package));
    if task.installable {
        let flags = Flags { with_test, with_doc, ..Flags::default() };
        let everyones = View::of(&index, &task.setting).with_everyones(flags);
        found = coinstallable(&everyones, &request, &found, stop).map_err(failure)?;
    }
    if !task.all_versions {
        found = index.newest_of_each_name(&found, |_| false);
    }
    show(&found)
}

fn change(
    task: &Impact,
    states: &States<'_>,
    log: &mut dyn FnMut(&str),
    stop: &Stop,
) -> Result<Box<RawValue>, Failure> {
    let (before, after) = (states.find(&task.base)?, states.find(&task.head)?);
    let source = |held: &Held| GitSource::open(&held.name.clone, &held.name.commit).map_err(unreadable);
    let (earlier, later) = (source(before)?, source(after)?);
    let differing = if before.name.clone == after.name.clone {
        let history = History::open(&before.name.clone).map_err(unreadable)?;
        history.differences(&before.name.commit, Some(&after.name.commit))
    } else {
        differences(&earlier, &later)
    };
    let (edits, unexpected) = edits(&differing.map_err(unreadable)?, &earlier, &later).map_err(unreadable)?;
    let changes = Changes::of(&before.index, &edits, unexpected);
    log(&format!("{} packages changed", edits.len()));
    let platforms = match task.platforms.as_slice() {
        [] => &[Platform::linux_x86_64()],
        platforms => platforms,
    };
    let targets = targets(&before.index, &after.index, platforms, &task.ocaml, &Request::default()).map_err(wrong)?;
    let step = Step::new(&before.index, &after.index, changes);
    let found = impact(&step, &targets, &task.policy, stop);
    stop.check()?;
    let frame = Frame {
        base: task.base.commit.clone(),
        head: task.head.commit.clone(),
        policy: task.policy,
        budget: task.budget,
        text: &|file| later.fetch(&after.index.file(file).path).ok(),
    };
    written(&Report::new(&step, &found, &frame))
}

fn service(
    request: &SolveRequest,
    states: &States<'_>,
    log: &mut dyn FnMut(&str),
    stop: &Stop,
) -> Result<Box<RawValue>, Failure> {
    let mut opened = Vec::new();
    for (url, commit) in &request.opam_repository_commits {
        let held = states.find(&RepositoryAt { url: url.clone(), commit: commit.clone() })?;
        let (index, reach, lineage) = (&held.index, &held.reach, &*held.lineage);
        opened.push(State { url, commit, index, reach, lineage });
    }
    match solver_service::answer(&opened, request, log, stop) {
        SolveResponse::Error(Refusal::Cancelled) => Err(Failure::Cancelled),
        response => written(&response),
    }
}

/// `caravan.batch/1`
#[derive(Serialize)]
struct Batch {
    schema: &'static str,
    answers: Vec<Part>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Part {
    Answer(Box<RawValue>),
    Error(String),
}

fn batch(tasks: &[Task], held: &[Arc<Held>], log: &mut dyn FnMut(&str), stop: &Stop) -> Result<Box<RawValue>, Failure> {
    let mut answers = Vec::new();
    for (place, task) in tasks.iter().enumerate() {
        answers.push(match answered(task, held, log, stop) {
            Ok(answer) => Part::Answer(answer),
            Err(Failure::Question(text) | Failure::Repository(text)) => Part::Error(text),
            Err(stopped) => return Err(stopped),
        });
        log(&format!("{} of {}: {}", place + 1, tasks.len(), task.kind()));
    }
    written(&Batch { schema: "caravan.batch/1", answers })
}
