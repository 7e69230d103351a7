//! The oldest commit at which an answer is the same: builds are kept as long as it does not change.

use crate::error::Error;
use caravan_solver::{Stop, Stopped};
use opam_parser::source::SourceError;
use opam_parser::source::history::History;
use rustc_hash::{FxHashMap, FxHashSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// A repository's commits, first parents only, followed back as far as somebody asked. Shared by all states
/// of that repository: their pasts are mostly the same.
pub struct Lineage {
    known: Mutex<Known>,
}

struct Known {
    history: History,
    /// What each commit that was looked at differs in from its first parent.
    steps: FxHashMap<String, Step>,
}

struct Step {
    parent: Option<String>,
    /// `NAME.VERSION`
    changed: FxHashSet<String>,
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

impl Lineage {
    /// The commits of the git repository in a folder.
    ///
    /// # Errors
    /// When there is no git repository.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let history = History::open(folder)?;
        Ok(Self { known: Mutex::new(Known { history, steps: FxHashMap::default() }) })
    }

    /// The oldest commit, going back from a commit, from which on none of some packages' directories changed.
    ///
    /// # Errors
    /// When the repository cannot be read, or the search is stopped.
    pub fn oldest_with(&self, commit: &str, packages: &FxHashSet<String>, stop: &Stop) -> Result<String, LineageError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut commit = known.history.commit(commit)?.id;
        let mut seen = FxHashSet::default();
        loop {
            if !seen.insert(commit.clone()) {
                return Err(known.history.circle(&commit).into());
            }
            stop.check().map_err(LineageError::Stopped)?;
            let step = known.step(&commit)?;
            match &step.parent {
                Some(parent) if packages.is_disjoint(&step.changed) => commit = parent.clone(),
                _ => return Ok(commit),
            }
        }
    }
}

impl Known {
    fn step(&mut self, commit: &str) -> Result<&Step, SourceError> {
        if !self.steps.contains_key(commit) {
            let mut changed = FxHashSet::default();
            let parent = self.history.commit(&format!("{commit}^")).ok().map(|parent| parent.id);
            if let Some(parent) = &parent {
                for difference in self.history.differences(parent, Some(commit))? {
                    changed.extend(difference.path.split('/').nth(2).map(str::to_owned));
                }
            }
            self.steps.insert(commit.to_owned(), Step { parent, changed });
        }
        Ok(&self.steps[commit])
    }
}
