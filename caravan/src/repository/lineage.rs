//! The oldest commit at which an answer is the same: builds are kept as long as it does not change.

use crate::error::Error;
use caravan_solver::{Stop, Stopped};
use opam_parser::source::history::History;
use opam_parser::source::{SourceError, Stamp};
use rustc_hash::{FxHashMap, FxHashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A repository's commits, followed back as far as somebody asked. Shared by all states of that repository: their
/// pasts are mostly the same.
pub struct Lineage {
    known: Mutex<Known>,
}

struct Known {
    history: History,
    /// For each commit what it differs in from each of its parents.
    steps: FxHashMap<String, Vec<Step>>,
    /// The directories below `packages/` at the commits that were asked for last, each with its state.
    names: FxHashMap<String, FxHashMap<String, Stamp>>,
    /// The directories in such a directory, by its state.
    directories: FxHashMap<Stamp, Arc<[String]>>,
}

/// From a commit to one of its parents.
struct Step {
    parent: String,
    /// What differs, worked out when somebody first asks.
    changed: Option<Changed>,
}

/// What differs between two commits.
struct Changed {
    /// The directories directly below `packages/`: `NAME`.
    names: FxHashSet<String>,
    /// The directories below these: `NAME/NAME.VERSION`.
    versions: FxHashSet<String>,
}

/// The directory of a package version: `packages/NAME/NAME.VERSION`, whether it is there or not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct VersionDirectory {
    /// `NAME`
    pub(crate) name: String,
    /// `NAME.VERSION`
    pub(crate) package: String,
}

impl VersionDirectory {
    /// `NAME/NAME.VERSION`
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.name, self.package)
    }
}

/// Why there is no oldest commit.
#[derive(Debug, thiserror::Error)]
pub enum LineageError {
    /// The repository cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Nobody waits for it any more.
    #[error("{0}")]
    Stopped(Stopped),
}

/// A directory that is watched, as it is at the commit where the search begins.
struct Watched<'d> {
    directory: &'d VersionDirectory,
    path: String,
    has_name: bool,
    has_version: bool,
}

impl Lineage {
    /// The commits of the git repository in a folder.
    ///
    /// # Errors
    /// When there is no git repository.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let history = History::open(folder)?;
        Ok(Self {
            known: Mutex::new(Known {
                history,
                steps: FxHashMap::default(),
                names: FxHashMap::default(),
                directories: FxHashMap::default(),
            }),
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The oldest commit that solver-service names (rule C9): going back along first parents, each directory has to be
    /// as it is at the commit, or absent as there. `None` if none of them is there.
    ///
    /// # Errors
    /// When the repository cannot be read, or the search is stopped.
    pub(crate) fn oldest_with_same(
        &self,
        commit: &str,
        directories: &[VersionDirectory],
        stop: &Stop,
    ) -> Result<Option<String>, LineageError> {
        let mut known = self.known();
        let mut commit = known.history.commit(commit)?.id;
        let watched = known.watch(&commit, directories)?;
        if !watched.iter().any(|watched| watched.has_version) {
            return Ok(None);
        }
        let mut by_name: FxHashMap<&str, Vec<&Watched<'_>>> = FxHashMap::default();
        watched.iter().for_each(|watched| by_name.entry(&watched.directory.name).or_default().push(watched));
        let mut circle = CircleCheck::default();
        loop {
            if circle.comes_again(&commit) {
                return Err(known.history.circle(&commit).into());
            }
            stop.check().map_err(LineageError::Stopped)?;
            let Some((parent, changed)) = known.step(&commit, 0)? else { return Ok(Some(commit)) };
            let concerned = changed.names.iter().filter_map(|name| by_name.get(name.as_str())).flatten();
            let mut gone = Vec::new();
            for watched in concerned {
                if !watched.has_name || changed.versions.contains(&watched.path) {
                    return Ok(Some(commit));
                }
                // It is absent, and has to stay so, but the directory that it would be in must not go.
                if !watched.has_version {
                    gone.push(&watched.directory.name);
                }
            }
            let parent = parent.to_owned();
            for name in gone {
                if known.versions(&parent, name)?.is_none() {
                    return Ok(Some(commit));
                }
            }
            commit = parent;
        }
    }

    /// What `git log -n 1 COMMIT -- DIRECTORY…` names (rule C11): the last commit that changed one of the directories. Where
    /// histories were merged, it follows the first parent that has all of them as they are. `None` if there is no such
    /// commit: none of them was ever there.
    ///
    /// # Errors
    /// When the repository cannot be read, or the search is stopped.
    pub(crate) fn last_change(
        &self,
        commit: &str,
        directories: &[VersionDirectory],
        stop: &Stop,
    ) -> Result<Option<String>, LineageError> {
        let mut known = self.known();
        let mut commit = known.history.commit(commit)?.id;
        let paths: Vec<String> = directories.iter().map(VersionDirectory::path).collect();
        let mut circle = CircleCheck::default();
        'commits: loop {
            if circle.comes_again(&commit) {
                return Err(known.history.circle(&commit).into());
            }
            stop.check().map_err(LineageError::Stopped)?;
            let mut place = 0;
            while let Some((parent, changed)) = known.step(&commit, place)? {
                if !paths.iter().any(|path| changed.versions.contains(path)) {
                    commit = parent.to_owned();
                    continue 'commits;
                }
                place += 1;
            }
            // Before the first commit there was nothing.
            let is_change = place > 0 || known.watch(&commit, directories)?.iter().any(|watched| watched.has_version);
            return Ok(is_change.then_some(commit));
        }
    }

    /// The directories in a directory below `packages/` that is in this state.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub(crate) fn directories(&self, state: Stamp) -> Result<Arc<[String]>, SourceError> {
        self.known().directories(state)
    }
}

/// Notices that commits come again, without remembering them all (Brent's algorithm).
#[derive(Default)]
struct CircleCheck {
    remembered: String,
    steps: usize,
}

impl CircleCheck {
    /// Whether this commit was the one that is remembered; after 1, 2, 4, 8, … steps that is another one.
    fn comes_again(&mut self, commit: &str) -> bool {
        if commit == self.remembered {
            return true;
        }
        self.steps += 1;
        if self.steps.is_power_of_two() {
            commit.clone_into(&mut self.remembered);
        }
        false
    }
}

impl Known {
    fn directories(&mut self, state: Stamp) -> Result<Arc<[String]>, SourceError> {
        if let Some(known) = self.directories.get(&state) {
            return Ok(Arc::clone(known));
        }
        let found: Arc<[String]> = self.history.directories(state)?.into();
        self.directories.insert(state, Arc::clone(&found));
        Ok(found)
    }

    /// The directories below `packages/NAME` at a commit; `None` if that is no directory there.
    fn versions(&mut self, commit: &str, name: &str) -> Result<Option<Arc<[String]>>, SourceError> {
        /// Newer commits push out older ones, of which nobody asks any more.
        const KEPT: usize = 64;
        if !self.names.contains_key(commit) {
            if self.names.len() >= KEPT {
                self.names.clear();
            }
            self.names.insert(commit.to_owned(), self.history.names(commit)?);
        }
        let state = self.names[commit].get(name).copied();
        state.map(|state| self.directories(state)).transpose()
    }

    fn watch<'d>(
        &mut self,
        commit: &str,
        directories: &'d [VersionDirectory],
    ) -> Result<Vec<Watched<'d>>, SourceError> {
        let mut watch = |directory: &'d VersionDirectory| {
            let versions = self.versions(commit, &directory.name)?;
            Ok(Watched {
                directory,
                path: directory.path(),
                has_name: versions.is_some(),
                has_version: versions.is_some_and(|versions| versions.contains(&directory.package)),
            })
        };
        directories.iter().map(&mut watch).collect()
    }

    /// One of a commit's parents, and what the commit differs in from it; `None` if it has not so many.
    fn step(&mut self, commit: &str, place: usize) -> Result<Option<(&str, &Changed)>, SourceError> {
        if !self.steps.contains_key(commit) {
            let parents = self.history.parents(commit)?;
            let steps = parents.into_iter().map(|parent| Step { parent, changed: None }).collect();
            self.steps.insert(commit.to_owned(), steps);
        }
        let Some(step) = self.steps.get_mut(commit).and_then(|steps| steps.get_mut(place)) else { return Ok(None) };
        let changed = match &mut step.changed {
            Some(changed) => changed,
            none => none.insert(changed_between(&self.history, &step.parent, commit)?),
        };
        Ok(Some((&step.parent, changed)))
    }
}

fn changed_between(history: &History, parent: &str, commit: &str) -> Result<Changed, SourceError> {
    let mut changed = Changed { names: FxHashSet::default(), versions: FxHashSet::default() };
    for difference in history.differences(parent, Some(commit))? {
        let mut parts = difference.path.split('/').skip(1);
        if let Some(name) = parts.next() {
            changed.versions.extend(parts.next().map(|version| format!("{name}/{version}")));
            changed.names.insert(name.to_owned());
        }
    }
    Ok(changed)
}
