//! The oldest commit at which an answer is the same (section 4, step 11): downstream builds are kept as long
//! as it does not change.

use opam_parser::source::SourceError;
use opam_parser::source::history::History;
use rustc_hash::FxHashSet;
use std::sync::{Mutex, PoisonError};

/// The commits before a commit, first parents only, followed back as far as somebody asked.
pub struct Ancestry {
    known: Mutex<Known>,
}

struct Known {
    history: History,
    /// From the newest on: each commit with the packages, `NAME.VERSION`, that differ from its first parent.
    commits: Vec<(String, FxHashSet<String>)>,
    /// The commit whose differences come next; `None` after the first commit of all.
    next: Option<String>,
}

impl Ancestry {
    /// The ancestry of a commit.
    ///
    /// # Errors
    /// When there is no such commit.
    pub fn new(history: History, commit: &str) -> Result<Self, SourceError> {
        let next = Some(history.commit(commit)?.id);
        Ok(Self { known: Mutex::new(Known { history, commits: Vec::new(), next }) })
    }

    /// The oldest commit from which on none of some packages' directories changed.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn oldest_with(&self, packages: &FxHashSet<String>) -> Result<String, SourceError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut place = 0;
        loop {
            if place == known.commits.len() && !known.step()? {
                // Everything is as it was in the first commit of all.
                return Ok(known.commits.last().map(|(commit, _)| commit.clone()).unwrap_or_default());
            }
            let (commit, changed) = &known.commits[place];
            if packages.iter().any(|package| changed.contains(package)) {
                return Ok(commit.clone());
            }
            place += 1;
        }
    }
}

impl Known {
    /// Looks at one more commit, if there is one.
    fn step(&mut self) -> Result<bool, SourceError> {
        let Some(commit) = self.next.take() else { return Ok(false) };
        let mut changed = FxHashSet::default();
        if let Ok(parent) = self.history.commit(&format!("{commit}^")) {
            for difference in self.history.differences(&parent.id, Some(&commit))? {
                changed.extend(difference.path.split('/').nth(2).map(str::to_owned));
            }
            self.next = Some(parent.id);
        }
        self.commits.push((commit, changed));
        Ok(true)
    }
}
