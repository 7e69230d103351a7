//! Two states of a repository: which ones are meant, and what differs between them.

use super::history::history_of;
use super::name::StateName;
use super::opened::Repository;
use super::place::{Place, directory as directory_place};
use super::repositories::Repositories;
use super::texts::Texts;
use crate::error::{Error, ErrorKind};
use crate::observer::Observer;
use caravan_revdeps::changes::{Changes, Edit, edits};
use opam_parser::index::{Index, Precedence};
use opam_parser::name::split_package;
use opam_parser::repository::Location;
use opam_parser::source::compare::{differences, opam_files};
use opam_parser::source::history::{Commit, History};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which states are compared, as a question names them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct States<'q> {
    /// The earlier one; `None`: where the later one parted from the branch that changes go to.
    pub(crate) base: Option<&'q StateName>,
    /// The later one; `None`: the repository as it is.
    pub(crate) head: Option<&'q StateName>,
    /// The later state is the earlier one with the packages of this directory.
    pub(crate) add: Option<&'q Path>,
}

/// Two states, opened, and what differs between them.
pub(crate) struct Change {
    pub(crate) before: Arc<Repository>,
    pub(crate) after: Arc<Repository>,
    pub(crate) changes: Changes,
    /// What to call the earlier state.
    pub(crate) base: String,
    /// What to call the later state.
    pub(crate) head: String,
    /// The opam files of the later state.
    pub(crate) texts: Texts,
}

impl Change {
    /// Opens two states of the first of the places; the others are the same in both. Of these, the precedence says
    /// which counts.
    ///
    /// # Errors
    /// When a state does not exist or cannot be read.
    pub(crate) fn open(
        states: States<'_>,
        places: Vec<Place>,
        repositories: &mut dyn Repositories,
        observer: &dyn Observer,
    ) -> Result<Self, Error> {
        let mut others = places;
        let own = if others.is_empty() { None } else { Some(others.remove(0)) };
        let meant = Meant::find(states, own.as_ref(), repositories, observer)?;
        // The repository named first is the one that changes; it counts before the others, or after them.
        let with = |own: Vec<Place>, precedence: Precedence| match precedence {
            Precedence::FirstWins => own.into_iter().chain(others.clone()).collect::<Vec<_>>(),
            Precedence::LastWins => others.iter().cloned().rev().chain(own).collect(),
        };
        let precedence = repositories.precedence();
        let before = with(vec![meant.before.clone()], precedence);
        let before = repositories.open(&before, Precedence::FirstWins, observer)?;
        let layers = match &meant.added {
            Some(directory) => vec![directory_place(directory), meant.before.clone()],
            None => vec![meant.after.clone()],
        };
        let after = repositories.open(&with(layers, precedence), Precedence::FirstWins, observer)?;
        after.warn_about_files(observer);
        let changes = meant.changes(&before)?;
        let texts = Texts::new(Arc::clone(&after));
        Ok(Self { before, after, changes, base: meant.base, head: meant.head, texts })
    }
}

/// Which states are meant.
struct Meant {
    before: Place,
    after: Place,
    added: Option<PathBuf>,
    base: String,
    head: String,
}

/// A state, and what to call it.
type Named = (Place, String);

impl Meant {
    fn find(
        states: States<'_>,
        own: Option<&Place>,
        repositories: &mut dyn Repositories,
        observer: &dyn Observer,
    ) -> Result<Self, Error> {
        let history = own.and_then(|own| history_of(&own.location));
        let allowed = repositories.allows_paths();
        let mut named = |state: &StateName| match state {
            StateName::Commit(name) => {
                let place = repositories.locate(name, observer)?;
                let label = match history_of(&place.location).map(|history| history.commit(&name.commit)) {
                    Some(Ok(commit)) => commit_label(&commit),
                    _ => name.commit.clone(),
                };
                Ok((place, label))
            }
            StateName::Revision(text) if allowed => by_text(text, own, history.as_ref()),
            StateName::Revision(text) => Err(refuse_state(text)),
        };
        let (after, head) = match (states.head, own) {
            (Some(state), _) => named(state)?,
            (None, Some(own)) => current(own, history.as_ref())?,
            (None, None) => return Err(Error::question("there is no later state").with_hint("`head` names it")),
        };
        if let Some(directory) = states.add {
            if !allowed {
                return Err(refuse_state(&directory.display().to_string()));
            }
            let (before, base) = states.base.map_or(Ok((after, head)), named)?;
            let head = format!("the same with {}", directory.display());
            return Ok(Self { after: before.clone(), before, added: Some(directory.to_owned()), base, head });
        }
        let (before, base) = match (states.base, own, &history) {
            (Some(state), ..) => named(state)?,
            (None, Some(own), Some(history)) => {
                let found = earlier(history, &after.location)?;
                (at_commit(own, &found.id), commit_label(&found))
            }
            (None, Some(own), None) => {
                return Err(Error::question(format!(
                    "`{}` has no history, so it is not clear what to compare with",
                    own.label
                ))
                .with_hint("`--base` names the earlier state: a directory or an archive"));
            }
            (None, None, _) => return Err(Error::question("there is no earlier state").with_hint("`base` names it")),
        };
        Ok(Self { before, after, added: None, base, head })
    }

    fn changes(&self, before: &Repository) -> Result<Changes, Error> {
        let source = self.before.location.source()?;
        if let Some(directory) = &self.added {
            let edits = added(before, directory)?;
            return Ok(Changes::of(before.index(), &edits, vec![]));
        }
        let later = self.after.location.source()?;
        let differing = match (&self.before.location, &self.after.location) {
            (Location::Git { path, revision, .. }, Location::Git { path: same, revision: other, .. })
                if path == same =>
            {
                History::open(path)?.differences(revision, Some(other))?
            }
            (Location::Git { path, revision, .. }, Location::Directory { path: tree, .. }) if path == tree => {
                History::open(path)?.differences(revision, None)?
            }
            _ => differences(&*source, &*later)?,
        };
        let (edits, unexpected) = edits(&differing, &*source, &*later)?;
        Ok(Changes::of(before.index(), &edits, unexpected))
    }
}

/// What a service says to a state that is not a repository at a commit.
pub(crate) fn refuse_state(text: &str) -> Error {
    Error::question(format!("`{text}` is not a repository at a commit"))
        .with_hint("write an object with its `url` and `commit`")
}

/// The repository as it is, as a later state.
fn current(own: &Place, history: Option<&History>) -> Result<Named, Error> {
    match &own.location {
        Location::Git { revision, .. } => by_text(revision, Some(own), history),
        Location::Directory { path, .. } => {
            let kind = if history.is_some() { "the working tree of " } else { "" };
            Ok((own.clone(), format!("{kind}{}", path.display())))
        }
        Location::Archive { path } => Ok((own.clone(), path.display().to_string())),
    }
}

/// Places with the first of them as of a revision.
pub(crate) fn places_at(
    mut places: Vec<Place>,
    state: &StateName,
    repositories: &mut dyn Repositories,
    observer: &dyn Observer,
) -> Result<Vec<Place>, Error> {
    match state {
        StateName::Commit(name) => {
            let place = repositories.locate(name, observer)?;
            match places.first_mut() {
                Some(first) => *first = place,
                None => places.push(place),
            }
        }
        StateName::Revision(text) if !repositories.allows_paths() => return Err(refuse_state(text)),
        StateName::Revision(revision) => {
            let Some(first) = places.first_mut() else { return Err(refuse_state(revision)) };
            let history = history_of(&first.location).ok_or_else(|| {
                Error::question(format!("`{}` has no history, so there is no `{revision}`", first.label))
                    .with_hint("`--repo GIT` names a git repository")
            })?;
            *first = at_commit(first, &history.commit(revision)?.id);
        }
    }
    Ok(places)
}

fn at_commit(own: &Place, revision: &str) -> Place {
    let (Location::Git { path, .. } | Location::Directory { path, .. } | Location::Archive { path }) = &own.location;
    Place::new(Location::Git { path: path.clone(), revision: revision.to_owned(), before: None })
}

/// A state by a revision of the repository, or by a path.
fn by_text(text: &str, own: Option<&Place>, history: Option<&History>) -> Result<Named, Error> {
    let path = Path::new(text);
    let missing = match (own, history.map(|history| history.commit(text))) {
        (Some(own), Some(Ok(commit))) => return Ok((at_commit(own, &commit.id), commit_label(&commit))),
        (_, Some(Err(error))) => Error::from(error),
        _ => Error::new(ErrorKind::Repository, format!("there is no `{text}`"))
            .with_hint("without a git repository, states are directories and archives"),
    };
    match () {
        () if path.join("packages").is_dir() => Ok((directory_place(path), path.display().to_string())),
        () if path.is_file() => {
            Ok((Place::new(Location::Archive { path: path.to_owned() }), path.display().to_string()))
        }
        () => Err(missing),
    }
}

/// What a later state is compared with when nothing is said: where it parted from the branch that changes
/// go to; of a commit on that branch, its first parent.
fn earlier(history: &History, after: &Location) -> Result<Commit, Error> {
    let (head, is_commit) = match after {
        Location::Git { revision, .. } => (revision.as_str(), true),
        Location::Directory { .. } | Location::Archive { .. } => ("HEAD", false),
    };
    let commit = history.commit(head)?;
    let base = match history.target_branch() {
        Some(target) => history.merge_base(target, head)?,
        None => None,
    };
    Ok(match base {
        Some(base) if base != commit || !is_commit => base,
        _ if is_commit => history.commit(&format!("{head}^")).map_err(|_| {
            Error::question(format!("`{head}` is the first commit, so there is nothing before it"))
                .with_hint("`--base` names the earlier state")
        })?,
        _ => commit,
    })
}

/// `fc477bc19c Merge pull request #30513`
fn commit_label(commit: &Commit) -> String {
    format!("{:.10} {}", commit.id, commit.summary)
}

/// The packages of a directory that are not in a repository, or are others there.
fn added(before: &Repository, directory: &Path) -> Result<Vec<Edit>, Error> {
    let source = directory_place(directory).location.source()?;
    let index: &Index = before.index();
    let mut edits = Vec::new();
    for path in opam_files(&*source)?.into_keys() {
        let package = path.rsplit('/').nth(1).and_then(split_package);
        let Some((name, version)) = package else { continue };
        let known = index.find_name(name.as_str()).and_then(|name| index.find_package(name, version.as_str()));
        let old = known.map(|package| before.text(index.package_file(package))).transpose()?;
        let after = Some(source.fetch(&path)?);
        edits.push(Edit { name, version, path: Some(path), before: old, after, files: false });
    }
    edits.sort_by(|a, b| (&a.name, &a.version, &a.path).cmp(&(&b.name, &b.version, &b.path)));
    Ok(edits)
}
