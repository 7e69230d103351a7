//! The repository states that a worker holds: the least recently used go when they take too much memory.

use super::frames::{Failure, StateName};
use crate::reach::Reach;
use crate::solver_service::Lineage;
use opam_parser::index::Index;
use opam_parser::repository::{Cache, Location};
use opam_parser::source::history::History;
use rustc_hash::FxHashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// A state, opened.
pub struct Held {
    /// Its name.
    pub name: StateName,
    /// Its packages: mapped from the cache, so that all workers share them.
    pub index: Index,
    /// What its names need.
    pub reach: Reach,
    /// The commits of its repository.
    pub lineage: Arc<Lineage>,
}

impl Held {
    /// About how many bytes it takes.
    fn size(&self) -> usize {
        self.index.as_bytes().len() + self.index.name_count() * 64
    }
}

/// The states that a worker holds.
pub struct States {
    cache: Cache,
    budget: usize,
    /// The most recently used last.
    held: Vec<Arc<Held>>,
    lineages: FxHashMap<PathBuf, Arc<Lineage>>,
}

fn unreadable(error: impl std::fmt::Display) -> Failure {
    Failure::Repository(error.to_string())
}

impl States {
    /// None yet. `budget`: how many bytes they may take before the least recently used go.
    pub fn new(cache: Cache, budget: usize) -> Self {
        Self { cache, budget, held: vec![], lineages: FxHashMap::default() }
    }

    /// The names of what is held.
    pub fn names(&self) -> Vec<StateName> {
        self.held.iter().map(|held| held.name.clone()).collect()
    }

    /// Makes a state's index if it is not in the cache yet.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn prepare(&self, name: &StateName) -> Result<Vec<String>, Failure> {
        let opened = self.cache.open(&location(name), &|_, _| {}).map_err(unreadable)?;
        Ok(opened.warnings.iter().map(ToString::to_string).collect())
    }

    /// States, opened.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn open(&mut self, names: &[StateName]) -> Result<Vec<Arc<Held>>, Failure> {
        let opened: Vec<Arc<Held>> = names.iter().map(|name| self.one(name)).collect::<Result<_, _>>()?;
        let mut size: usize = self.held.iter().map(|held| held.size()).sum();
        // What was just asked for stays, however large it is.
        while size > self.budget && self.held.len() > names.len() {
            size -= self.held.remove(0).size();
            // A repository of which nothing is held any more is closed.
            self.lineages.retain(|clone, _| self.held.iter().any(|held| held.name.clone == *clone));
        }
        Ok(opened)
    }

    fn one(&mut self, name: &StateName) -> Result<Arc<Held>, Failure> {
        if let Some(place) = self.held.iter().position(|held| held.name == *name) {
            let held = self.held.remove(place);
            self.held.push(Arc::clone(&held));
            return Ok(held);
        }
        let index = self.cache.open(&location(name), &|_, _| {}).map_err(unreadable)?.index;
        let lineage = match self.lineages.get(&name.clone) {
            Some(known) => Arc::clone(known),
            None => {
                let made = Arc::new(Lineage::new(History::open(&name.clone).map_err(unreadable)?));
                self.lineages.insert(name.clone.clone(), Arc::clone(&made));
                made
            }
        };
        let held = Arc::new(Held { name: name.clone(), reach: Reach::new(&index), index, lineage });
        self.held.push(Arc::clone(&held));
        Ok(held)
    }
}

fn location(name: &StateName) -> Location {
    Location::Git { path: name.clone.clone(), revision: name.commit.clone(), before: None }
}
