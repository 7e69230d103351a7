//! Answers `bounds`.

use super::change;
use super::context::Context;
use crate::answer::{BoundsAnswer, ProposedBound};
use crate::error::{Error, ErrorKind};
use crate::observer::Observer;
use crate::question::Bounds;
use crate::repository::{Repository, States};
use caravan_revdeps::RepositoryChange;
use caravan_revdeps::bounds::{BoundsError, Proposal, propose};
use caravan_revdeps::impact::targets;
use caravan_solver::Request;
use opam_parser::index::{Found, PackageId};
use opam_parser::name::split_package;

pub(super) fn answer(question: &Bounds, context: &mut Context<'_>) -> Result<BoundsAnswer, Error> {
    let states = States { base: question.base.as_ref(), head: question.head.as_ref(), add: question.add.as_deref() };
    let change = change::open(&question.repositories, states, context)?;
    let find = |text: &String| find_package(&change.after, text, context.observer);
    let mut broken = question.broken.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    broken.sort_unstable();
    broken.dedup();
    let (before, after) = (change.before.index(), change.after.index());
    let platforms = change::platforms(&question.platforms);
    let targets = targets(before, after, &platforms, &question.ocaml, &Request::default())?;
    let step = RepositoryChange::new(before, after, change.changes.clone());
    context.observer.progress("solving", 0, 0);
    let found = propose(&step, &targets, &broken, &|file| change.texts.get(file), context.stop);
    context.observer.progress("solving", 1, 1);
    let Proposal { bounds, covered, unrelated, lost, unbounded, patch } = found.map_err(no_proposal)?;
    Ok(BoundsAnswer {
        schema: "caravan.bounds/1".into(),
        base: change.base,
        head: change.head,
        bounds: bounds.into_iter().map(ProposedBound::from).collect(),
        covered,
        unrelated,
        lost,
        unbounded,
        patch,
    })
}

fn no_proposal(error: BoundsError) -> Error {
    match error {
        BoundsError::Solve(error) => error.into(),
        BoundsError::Build(error) => error.into(),
        BoundsError::TooLarge(error) => error.into(),
        BoundsError::Unreadable(_) => Error::new(ErrorKind::Repository, error.to_string()),
    }
}

/// The package that `NAME.VERSION` names.
fn find_package(repository: &Repository, text: &str, observer: &dyn Observer) -> Result<PackageId, Error> {
    let Some((name, version)) = split_package(text) else {
        return Err(Error::question(format!("`{text}` is not a version of a package"))
            .with_hint("write NAME.VERSION, as `caravan impact` lists what to build again"));
    };
    let id = repository.name(name.as_str())?;
    match repository.index().find(id, version.as_str()) {
        Some(Found::Package(package)) => Ok(package),
        Some(Found::Broken(file)) => Err(repository.broken(file, observer)),
        None => Err(Error::unknown_version(name.as_str(), version.as_str(), &repository.newest(id))),
    }
}
