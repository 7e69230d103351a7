//! Two states of a repository: which ones are meant, and what differs between them.

use crate::arguments::{Global, States as Arguments};
use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::repositories::locations;
use crate::session::{Session, cache, precedence};
use caravan_revdeps::changes::{Changes, Edit, edits};
use opam_parser::index::{FileId, Index, PackageId, Precedence};
use opam_parser::name::split_package;
use opam_parser::repository::Location;
use opam_parser::source::compare::{differences, opam_files};
use opam_parser::source::history::{Commit, History};
use std::path::{Path, PathBuf};

/// Two states, opened.
pub(crate) struct States {
    pub(crate) before: Session,
    pub(crate) after: Session,
    pub(crate) changes: Changes,
    /// What to call them.
    pub(crate) base: String,
    pub(crate) head: String,
}

impl States {
    pub(crate) fn open(global: &Global, arguments: &Arguments, output: &mut Output) -> Result<Self, Failure> {
        if global.at.is_some() {
            return Err(Failure::usage("`--at` names one state, and this command compares two")
                .hint("`--base` and `--head` name them"));
        }
        let cache = cache(global)?;
        let mut repositories = locations(global, &cache, output)?;
        let own = repositories.remove(0);
        let meant = Meant::find(&own, arguments)?;
        // The repository named first is the one that changes; it counts before the others, or after them.
        let with = |own: Vec<Location>| match precedence(global) {
            Precedence::FirstWins => own.into_iter().chain(repositories.clone()).collect::<Vec<_>>(),
            Precedence::LastWins => repositories.iter().cloned().rev().chain(own).collect(),
        };
        let first = Precedence::FirstWins;
        let before = Session::read(&cache, with(vec![meant.before.clone()]), first, output)?;
        let layers = match &meant.added {
            Some(directory) => vec![Location::Directory { path: directory.clone(), marks: None }, meant.before.clone()],
            None => vec![meant.after.clone()],
        };
        let after = Session::read(&cache, with(layers), first, output)?;
        after.complain(output);
        let changes = meant.changes(&before)?;
        Ok(Self { before, after, changes, base: meant.base, head: meant.head })
    }

    /// The text of an opam file of the later state.
    pub(crate) fn text(&self, file: FileId) -> Option<Vec<u8>> {
        self.after.text(file).ok()
    }
}

/// Which states are meant.
struct Meant {
    before: Location,
    after: Location,
    added: Option<PathBuf>,
    base: String,
    head: String,
}

impl Meant {
    fn find(own: &Location, arguments: &Arguments) -> Result<Self, Failure> {
        let history = history(own);
        let named = |text: &String| named(text, own, history.as_ref());
        let (after, head) = match (&arguments.head, own) {
            (Some(text), _) => named(text)?,
            (None, Location::Git { revision, .. }) => named(revision)?,
            (None, Location::Directory { path, .. }) => {
                let kind = if history.is_some() { "the working tree of " } else { "" };
                (own.clone(), format!("{kind}{}", path.display()))
            }
            (None, Location::Archive { path }) => (own.clone(), path.display().to_string()),
        };
        if let Some(directory) = &arguments.add {
            let (before, base) = arguments.base.as_ref().map_or(Ok((after, head)), named)?;
            let head = format!("the same with {}", directory.display());
            return Ok(Self { after: before.clone(), before, added: Some(directory.clone()), base, head });
        }
        let (before, base) = match (&arguments.base, &history) {
            (Some(text), _) => named(text)?,
            (None, Some(history)) => {
                let found = earlier(history, &after)?;
                (at(own, &found.id), label(&found))
            }
            (None, None) => {
                return Err(Failure::usage(format!(
                    "`{}` has no history, so it is not clear what to compare with",
                    own.label()
                ))
                .hint("`--base` names the earlier state: a directory or an archive"));
            }
        };
        Ok(Self { before, after, added: None, base, head })
    }

    fn changes(&self, before: &Session) -> Result<Changes, Failure> {
        let source = self.before.source()?;
        if let Some(directory) = &self.added {
            let edits = added(before, directory)?;
            return Ok(Changes::of(&before.index, &edits, vec![]));
        }
        let later = self.after.source()?;
        let differing = match (&self.before, &self.after) {
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
        Ok(Changes::of(&before.index, &edits, unexpected))
    }
}

/// The repositories with the first of them as of a revision.
pub(crate) fn open_at(global: &Global, revision: &str, output: &mut Output) -> Result<Session, Failure> {
    let cache = cache(global)?;
    let mut repositories = locations(global, &cache, output)?;
    let history = history(&repositories[0]).ok_or_else(|| {
        Failure::usage(format!("`{}` has no history, so there is no `{revision}`", repositories[0].label()))
            .hint("`--repo GIT` names a git repository")
    })?;
    let commit = history.commit(revision)?;
    repositories[0] = at(&repositories[0], &commit.id);
    let session = Session::read(&cache, repositories, precedence(global), output)?;
    session.complain(output);
    Ok(session)
}

/// How far changes are followed back: builds are seldom kept for longer.
const HISTORY: usize = 1000;

/// The commits that last changed packages.
pub(crate) struct LastChanges {
    /// For each package, by its place, how many commits ago it changed; `None` if that was earlier.
    ages: Vec<Option<u32>>,
    commits: Vec<String>,
    /// The oldest commit that was looked at.
    pub(crate) oldest: String,
}

impl LastChanges {
    /// How many commits ago a package changed, and in which commit.
    pub(crate) fn of(&self, package: PackageId) -> Option<(u32, &str)> {
        let age = self.ages[package.place()]?;
        Some((age, &self.commits[age as usize]))
    }
}

/// The commits that last changed packages; `None` for a working tree, or where there is no history.
pub(crate) fn last_changes(own: &Location, index: &Index) -> Result<Option<LastChanges>, Failure> {
    let Location::Git { path, revision, .. } = own else { return Ok(None) };
    let history = History::open(path)?;
    let commits: Vec<Commit> = history.first_parents(revision)?.take(HISTORY).collect();
    let mut found = LastChanges { ages: vec![None; index.package_count()], commits: vec![], oldest: String::new() };
    for (age, pair) in commits.windows(2).enumerate() {
        for difference in history.differences(&pair[1].id, Some(&pair[0].id))? {
            let package = difference.path.split('/').nth(2).and_then(split_package);
            let Some((name, version)) = package else { continue };
            let known = index.find_name(name.as_str()).and_then(|name| index.find_package(name, version.as_str()));
            if let Some(package) = known {
                found.ages[package.place()].get_or_insert(age as u32);
            }
        }
    }
    found.oldest = commits.last().map(|commit| commit.id.clone()).unwrap_or_default();
    found.commits = commits.into_iter().map(|commit| commit.id).collect();
    Ok(Some(found))
}

/// The history of a repository, if it has one. A directory in the middle of a checkout has none of its own.
pub(crate) fn history(own: &Location) -> Option<History> {
    match own {
        Location::Git { path, .. } => History::open(path).ok(),
        Location::Directory { path, marks: None } if path.join(".git").exists() => History::open(path).ok(),
        Location::Directory { .. } | Location::Archive { .. } => None,
    }
}

fn at(own: &Location, revision: &str) -> Location {
    let (Location::Git { path, .. } | Location::Directory { path, .. } | Location::Archive { path }) = own;
    Location::Git { path: path.clone(), revision: revision.to_owned(), before: None }
}

/// A state by a revision of the repository, or by a path.
fn named(text: &String, own: &Location, history: Option<&History>) -> Result<(Location, String), Failure> {
    let path = Path::new(text);
    let missing = match history.map(|history| history.commit(text)) {
        Some(Ok(commit)) => return Ok((at(own, &commit.id), label(&commit))),
        Some(Err(error)) => Failure::from(error),
        None => Failure::new(Kind::Repository, format!("there is no `{text}`"))
            .hint("without a git repository, states are directories and archives"),
    };
    match () {
        () if path.join("packages").is_dir() => {
            Ok((Location::Directory { path: path.to_owned(), marks: None }, path.display().to_string()))
        }
        () if path.is_file() => Ok((Location::Archive { path: path.to_owned() }, path.display().to_string())),
        () => Err(missing),
    }
}

/// What a later state is compared with when nothing is said: where it parted from the branch that changes
/// go to; of a commit on that branch, its first parent.
fn earlier(history: &History, after: &Location) -> Result<Commit, Failure> {
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
            Failure::usage(format!("`{head}` is the first commit, so there is nothing before it"))
                .hint("`--base` names the earlier state")
        })?,
        _ => commit,
    })
}

fn label(commit: &Commit) -> String {
    format!("{:.10} {}", commit.id, commit.summary)
}

/// The packages of a directory that are not in a repository, or are others there.
fn added(before: &Session, directory: &Path) -> Result<Vec<Edit>, Failure> {
    let location = Location::Directory { path: directory.to_owned(), marks: None };
    let source = location.source()?;
    let mut edits = Vec::new();
    for path in opam_files(&*source)?.into_keys() {
        let package = path.rsplit('/').nth(1).and_then(split_package);
        let Some((name, version)) = package else { continue };
        let index: &Index = &before.index;
        let known = index.find_name(name.as_str()).and_then(|name| index.find_package(name, version.as_str()));
        let old = known.map(|package| before.text(index.package_file(package))).transpose()?;
        let after = Some(source.fetch(&path)?);
        edits.push(Edit { name, version, path: Some(path), before: old, after, files: false });
    }
    edits.sort_by(|a, b| (&a.name, &a.version, &a.path).cmp(&(&b.name, &b.version, &b.path)));
    Ok(edits)
}
