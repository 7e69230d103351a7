//! Answers `health`.

use super::context::Context;
use super::plans::{PlanPlatform, PlatformNames, count_solved, packages, plan_error, plan_platforms, targets};
use crate::answer::HealthAnswer;
use crate::error::Error;
use crate::observer::Observer;
use crate::question::{ComparedSide, Health};
use crate::repository::{Place, Repository, StateName, places_at};
use caravan_planning::compare::{Blocker, Comparison, MatrixPlatform, Rows, blockers, compare};
use caravan_planning::matrix::{Matrix, MatrixRequest};
use caravan_solver::{Flags, SolveError, Stop};
use opam_parser::index::Index;
use std::sync::Arc;
use std::time::Duration;

/// Where nothing else is said.
const USUAL: &str = "health-check";

/// Where a side of a comparison says nothing else: the newest compiler.
const NEWEST: &str = "docs-ci";

pub(super) fn answer(question: &Health, context: &mut Context<'_>) -> Result<HealthAnswer, Error> {
    let stop = match question.time_limit_ms {
        Some(limit) => context.stop.within(Duration::from_millis(limit)),
        None => context.stop.clone(),
    };
    match &question.compare {
        Some(sides) => compare_sides(question, sides, &stop, context),
        None => {
            let precedence = context.repositories.precedence();
            let repository = context.open(&question.repositories, precedence)?;
            let platforms = plan_platforms(names(question), repository.index(), USUAL)?;
            let matrix = matrix(question, repository.index(), &platforms, (&stop, context.observer))?;
            let label = repository.label();
            let sides: Vec<_> = (0..platforms.len())
                .map(|platform| (MatrixPlatform { matrix: &matrix, platform }, label.clone()))
                .collect();
            Ok(answer_of(question, &sides, None))
        }
    }
}

fn names(question: &Health) -> PlatformNames<'_> {
    PlatformNames {
        platforms: &question.platforms,
        ocaml: &question.ocaml,
        machine: question.machine.as_ref(),
        catalogue: question.catalogue.as_deref(),
    }
}

/// Which rows of two matrices are the same.
fn rows(question: &Health) -> Rows {
    if question.all_versions { Rows::ByVersion } else { Rows::ByName }
}

/// What was found on the platforms, and by a comparison of the last two.
fn answer_of(
    question: &Health,
    sides: &[(MatrixPlatform<'_, '_>, String)],
    comparison: Option<(&Comparison, &[Blocker])>,
) -> HealthAnswer {
    HealthAnswer {
        names_packages: !question.patterns.is_empty(),
        ..HealthAnswer::of_matrices(sides, rows(question), comparison)
    }
}

fn matrix<'i>(
    question: &Health,
    index: &'i Index,
    platforms: &[PlanPlatform],
    (stop, observer): (&Stop, &dyn Observer),
) -> Result<Matrix<'i>, Error> {
    let packages = packages(&question.patterns, question.all_versions, index)?;
    let targets = targets(platforms);
    let flags = Flags { with_test: question.with_test, with_doc: question.with_doc, ..Flags::default() };
    let made = count_solved(observer, packages.len() * targets.len(), |done| {
        Matrix::decide(index, MatrixRequest { targets: &targets, rows: packages, flags }, stop, done)
    });
    made.map_err(|error| plan_error(index, &targets, error, stop))
}

/// The repositories in the state of a side.
fn open_side(side: &ComparedSide, places: &[Place], context: &mut Context<'_>) -> Result<Arc<Repository>, Error> {
    let places = match &side.state {
        Some(state) => places_at(places.to_vec(), state, context.repositories, context.observer)?,
        None => places.to_vec(),
    };
    let precedence = context.repositories.precedence();
    context.open_places(&places, precedence)
}

/// The platform of a side; without one, the only one that the question names, else the newest compiler's.
fn side_platform(side: &ComparedSide, question: &Health, index: &Index) -> Result<PlanPlatform, Error> {
    let mut names = names(question);
    if let Some(own) = &side.platform {
        names.platforms = std::slice::from_ref(own);
        if !own.contains('/') {
            names.ocaml = &[];
        }
    }
    let mut platforms = plan_platforms(names, index, NEWEST)?;
    match (platforms.pop(), platforms.is_empty()) {
        (Some(only), true) => Ok(only),
        _ => Err(Error::question("`--compare` compares two platforms, not sets of them").with_hint(
            "write for instance `--compare 5.4 5.5`, or `--compare @HEAD~10 @HEAD --platform debian-13-5.4`",
        )),
    }
}

/// Columns are told apart by their labels: where two platforms have the same, each gets its state's.
fn tell_apart(platforms: &mut [PlanPlatform; 2], sides: &[ComparedSide; 2]) -> Result<(), Error> {
    let same = |[a, b]: &[PlanPlatform; 2]| a.target.label == b.target.label;
    if same(platforms) {
        for (platform, side) in platforms.iter_mut().zip(sides) {
            let label = &mut platform.target.label;
            match &side.state {
                Some(StateName::Revision(revision)) => *label = format!("{label}@{revision}"),
                Some(StateName::Commit(name)) => *label = format!("{label}@{}", name.commit),
                None => {}
            }
        }
    }
    if same(platforms) {
        return Err(Error::question("`--compare` was given the same platform and commit twice")
            .with_hint("write for instance `--compare 5.4 5.5`, or `--compare @HEAD~10 @HEAD`"));
    }
    Ok(())
}

fn compare_sides(
    question: &Health,
    sides: &[ComparedSide; 2],
    stop: &Stop,
    context: &mut Context<'_>,
) -> Result<HealthAnswer, Error> {
    let places = context.places(&question.repositories)?;
    let before = open_side(&sides[0], &places, context)?;
    let after = open_side(&sides[1], &places, context)?;
    let mut platforms =
        [side_platform(&sides[0], question, before.index())?, side_platform(&sides[1], question, after.index())?];
    tell_apart(&mut platforms, sides)?;
    let [old, new] = platforms;
    let observer = context.observer;
    let first = matrix(question, before.index(), &[old], (stop, observer))?;
    let second = matrix(question, after.index(), &[new], (stop, observer))?;
    let (first, second) =
        (MatrixPlatform { matrix: &first, platform: 0 }, MatrixPlatform { matrix: &second, platform: 0 });
    let comparison = compare(first, second, rows(question));
    let lost: Vec<usize> = comparison.lost.iter().map(|(_, row)| *row).collect();
    let stage = "looking for what stands in the way";
    observer.progress(stage, 0, 0);
    let found = match blockers(second, &lost, question.blockers, stop) {
        // What was found before the time was over is the answer.
        Err(SolveError::Stopped(_)) => vec![],
        found => found?,
    };
    observer.progress(stage, 1, 1);
    let sides = [(first, before.label()), (second, after.label())];
    Ok(answer_of(question, &sides, Some((&comparison, &found))))
}
