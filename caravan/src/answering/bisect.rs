//! Answers `bisect`.

use super::context::Context;
use crate::answer::{BisectAnswer, Turn, variables};
use crate::error::{Error, ErrorKind};
use crate::question::Bisect;
use crate::repository::{Place, StateName, history_of, refuse_state};
use caravan_revdeps::bisect::{self, BisectError};
use caravan_solver::compiler::compiler;
use caravan_solver::{Flags, Platform, Request, Root};
use opam_parser::index::Index;
use opam_parser::repository::Location;
use opam_parser::source::git::GitSource;
use std::path::Path;

pub(super) fn answer(question: &Bisect, context: &mut Context<'_>) -> Result<BisectAnswer, Error> {
    if let Some(base) = &question.base
        && !context.repositories.allows_paths()
        && !is_commit_id(base)
    {
        return Err(Error::question(format!("`{base}` is not the id of a commit"))
            .with_hint("write all of its hexadecimal digits"));
    }
    let newest = newest(question.head.as_ref(), context)?;
    let (path, head) = history(&newest)?;
    let precedence = context.repositories.precedence();
    let repository = context.repositories.open(std::slice::from_ref(&newest), precedence, context.observer)?;
    let platform = question.platform.clone().unwrap_or_else(Platform::linux_x86_64);
    let request = request(question, repository.index())?;
    let search = bisect::Bisect {
        path,
        head,
        base: question.base.as_deref(),
        platform: &platform,
        request: &request,
        sought: question.sought,
        limit: if question.all { usize::MAX } else { 1 },
    };
    context.observer.progress("searching", 0, 0);
    let progress = |commits: usize| context.observer.progress("searching", commits, 0);
    let found = search.run(repository.index(), context.stop, &progress);
    context.observer.progress("searching", 1, 1);
    let found = found.map_err(no_search)?;
    Ok(BisectAnswer {
        schema: "caravan.bisect/1".into(),
        platform: variables(&platform),
        roots: request.roots.iter().map(ToString::to_string).collect(),
        sought: question.sought,
        installable: found.installable,
        commits: found.commits,
        solved: found.solved,
        turns: found.changes.into_iter().map(Turn::from).collect(),
    })
}

fn no_search(error: BisectError) -> Error {
    match error {
        BisectError::Build(error) => error.into(),
        BisectError::Solve(error) => error.into(),
        BisectError::NotBefore { .. } => Error::new(ErrorKind::Repository, error.to_string())
            .with_hint("`git log --first-parent` shows which commits are"),
    }
}

/// What is to be installed together; the compiler is what the index, the newest one, has.
fn request(question: &Bisect, index: &Index) -> Result<Request, Error> {
    let compiler = question.ocaml.as_ref().map(|version| compiler(index, version)).transpose()?;
    let flags = Flags { with_test: question.with_test, ..Flags::default() };
    let packages = question.packages.iter().map(|atom| Root { flags, ..Root::from(atom.0.clone()) });
    Ok(Request {
        roots: compiler.into_iter().chain(packages).collect(),
        time_limit_ms: question.time_limit_ms,
        ..Request::default()
    })
}

/// The newest commit to look at.
fn newest(head: Option<&StateName>, context: &mut Context<'_>) -> Result<Place, Error> {
    let revision = match head {
        None => "HEAD",
        Some(StateName::Revision(revision)) if context.repositories.allows_paths() => revision.as_str(),
        Some(StateName::Revision(text)) => return Err(refuse_state(text)),
        Some(StateName::Commit(name)) => {
            let place = context.repositories.locate(name, context.observer)?;
            history(&place)?;
            return Ok(place);
        }
    };
    let mut places = context.places(&[])?;
    let (Some(place), true) = (places.pop(), places.is_empty()) else {
        return Err(Error::question("a history of several repositories is none: name one with `--repo`"));
    };
    if history_of(&place.location).is_none() {
        return Err(no_history(&place));
    }
    let revision = match &place.location {
        Location::Git { path, revision: own, before: Some(before) } if revision == "HEAD" => {
            GitSource::open_at_time(path, own, before.seconds, &before.shown)?.commit()
        }
        // `--repo GIT#REV`
        Location::Git { .. } if revision == "HEAD" => return Ok(place),
        _ => revision.to_owned(),
    };
    let (Location::Directory { path, .. } | Location::Git { path, .. } | Location::Archive { path }) = place.location;
    Ok(Place::new(Location::Git { path, revision, before: None }))
}

/// The git repository of a place, and its revision, which exists.
fn history(place: &Place) -> Result<(&Path, &str), Error> {
    match (&place.location, history_of(&place.location)) {
        (Location::Git { path, revision, .. }, Some(history)) => {
            history.commit(revision)?;
            Ok((path, revision))
        }
        _ => Err(no_history(place)),
    }
}

fn no_history(place: &Place) -> Error {
    Error::new(ErrorKind::Repository, format!("`{}` has no history", place.label))
        .with_hint("`--repo GIT` names a git repository")
}

/// Whether a text is the whole id of a commit, which names the same commit for ever.
fn is_commit_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::{Context, answer};
    use crate::error::Error;
    use crate::observer::{Observer, Silent};
    use crate::question::Bisect;
    use crate::repository::{Place, Repositories, Repository, RepositoryName};
    use caravan_solver::Stop;
    use opam_parser::index::Precedence;
    use opam_parser::repository::Location;
    use std::sync::Arc;

    /// A service that has lost its clone.
    struct Service;

    impl Repositories for Service {
        fn locate(&mut self, name: &RepositoryName, _: &dyn Observer) -> Result<Place, Error> {
            let location = Location::Git { path: "lost".into(), revision: name.commit.clone(), before: None };
            Ok(Place::new(location))
        }

        fn open(&mut self, _: &[Place], _: Precedence, _: &dyn Observer) -> Result<Arc<Repository>, Error> {
            Err(Error::question("opened"))
        }
    }

    #[test]
    fn services_take_commits_only() {
        let id = "0123456789".repeat(4);
        let head = format!(r#"{{"url": "url", "commit": "{id}"}}"#);
        for (head, base, expected) in [
            ("\"main\"", id.as_str(), "`main` is not a repository at a commit"),
            ("null", &id, "there is no repository"),
            (&head, "main", "`main` is not the id of a commit"),
            (&head, &id[1..], "`123456789012345678901234567890123456789` is not the id of a commit"),
            (&head, &id, &format!("`lost#{id}` has no history")),
        ] {
            let json = format!(r#"{{"head": {head}, "base": "{base}", "packages": ["a"]}}"#);
            let question: Bisect = serde_json::from_str(&json).unwrap();
            let mut context = Context { repositories: &mut Service, observer: &Silent, stop: &Stop::new() };
            assert_eq!(answer(&question, &mut context).unwrap_err().message, expected, "{json}");
        }
    }
}
