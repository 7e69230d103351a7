//! The repositories that a worker has open: the least recently used are closed when they take too much memory.

use super::frames::{ClonedRepository, CommitInClone, RepositoryLabel};
use caravan::repository::{CloneName, Lineage, Place, RepositoryName, lay_over, open_places};
use caravan::vocabulary::{Cache, Location, Precedence};
use caravan::{Error, Observer, Repositories, Repository, Silent};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The repositories that a worker has open, each at a commit.
pub(super) struct OpenRepositories {
    cache: Cache,
    budget: usize,
    /// The most recently used last.
    open: Vec<(Place, Arc<Repository>)>,
    /// The histories of their clones.
    lineages: HashMap<PathBuf, Arc<Lineage>>,
}

/// The clone and the commit of a place.
fn commit_of(place: &Place) -> Option<(&Path, &str)> {
    match &place.location {
        Location::Git { path, revision, before: None } => Some((path, revision)),
        _ => None,
    }
}

fn place_of(repository: &ClonedRepository) -> Place {
    let ClonedRepository { label: RepositoryLabel::Url(label) | RepositoryLabel::Folder(label), at } = repository;
    Place::in_clone(&at.folder, &at.commit).labelled(format!("{label}#{}", at.commit))
}

impl OpenRepositories {
    /// None yet. `budget`: how many bytes they may take before the least recently used are closed.
    pub(super) fn new(cache: Cache, budget: usize) -> Self {
        Self { cache, budget, open: vec![], lineages: HashMap::new() }
    }

    /// What is open.
    pub(super) fn commits(&self) -> Vec<CommitInClone> {
        let commit = |(place, _): &(Place, _)| {
            let (folder, commit) = commit_of(place)?;
            Some(CommitInClone { folder: folder.to_owned(), commit: commit.to_owned() })
        };
        self.open.iter().filter_map(commit).collect()
    }

    /// Makes a repository's index if it is not in the cache yet.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub(super) fn make_index(&self, repository: &ClonedRepository, observer: &dyn Observer) -> Result<(), Error> {
        open_places(&self.cache, &[place_of(repository)], Precedence::FirstWins, observer).map(drop)
    }

    /// Closes the least recently used until the rest takes no more memory than it may. The last `kept` stay, however
    /// large they are.
    pub(super) fn close_unused(&mut self, kept: usize) {
        let mut size: usize = self.open.iter().map(|(_, repository)| repository.size()).sum();
        while size > self.budget && self.open.len() > kept {
            size -= self.open.remove(0).1.size();
        }
        // A clone of which nothing is open any more is closed.
        let open = &self.open;
        self.lineages.retain(|folder, _| {
            open.iter().any(|(place, _)| commit_of(place).is_some_and(|(clone, _)| clone == folder))
        });
    }

    fn open_one(&mut self, place: &Place) -> Result<Arc<Repository>, Error> {
        if let Some(at) = self.open.iter().position(|(known, _)| known == place) {
            let known = self.open.remove(at);
            let repository = Arc::clone(&known.1);
            self.open.push(known);
            return Ok(repository);
        }
        // What is wrong with the cache was said when the index was made.
        let opened = open_places(&self.cache, std::slice::from_ref(place), Precedence::FirstWins, &Silent)?;
        let opened = match commit_of(place) {
            Some((folder, _)) => opened.with_lineage(self.lineage(folder)?),
            None => opened,
        };
        let opened = Arc::new(opened);
        self.open.push((place.clone(), Arc::clone(&opened)));
        Ok(opened)
    }

    fn lineage(&mut self, folder: &Path) -> Result<Arc<Lineage>, Error> {
        if let Some(known) = self.lineages.get(folder) {
            return Ok(Arc::clone(known));
        }
        let made = Arc::new(Lineage::open(folder)?);
        self.lineages.insert(folder.to_owned(), Arc::clone(&made));
        Ok(made)
    }
}

/// The repositories of a job: those that the service prepared for it, and nothing else of this machine.
pub(super) struct JobRepositories<'j> {
    prepared: &'j [ClonedRepository],
    open: &'j mut OpenRepositories,
}

impl<'j> JobRepositories<'j> {
    pub(super) fn new(prepared: &'j [ClonedRepository], open: &'j mut OpenRepositories) -> Self {
        Self { prepared, open }
    }

    fn find(&self, label: &RepositoryLabel, commit: &str) -> Option<Place> {
        let is_meant =
            |known: &&ClonedRepository| known.label == *label && known.at.commit.eq_ignore_ascii_case(commit);
        self.prepared.iter().find(is_meant).map(place_of)
    }

    /// Whether it is in a clone of the job. Another commit of it may be needed, such as where a change began.
    fn may_open(&self, place: &Place) -> bool {
        commit_of(place).is_some_and(|(folder, _)| self.prepared.iter().any(|known| known.at.folder == folder))
    }
}

impl Repositories for JobRepositories<'_> {
    fn locate(&mut self, name: &RepositoryName, _: &dyn Observer) -> Result<Place, Error> {
        let found = self.find(&RepositoryLabel::Url(name.url.clone()), &name.commit);
        found.ok_or_else(|| Error::question(format!("`{}` is not open", name.url)))
    }

    fn locate_clone(&mut self, name: &CloneName, _: &dyn Observer) -> Result<Place, Error> {
        let found = self.find(&RepositoryLabel::Folder(name.folder.clone()), &name.commit);
        found.ok_or_else(|| Error::question(format!("`{}` is not open", name.folder)))
    }

    fn open(&mut self, places: &[Place], precedence: Precedence, _: &dyn Observer) -> Result<Arc<Repository>, Error> {
        if let Some(other) = places.iter().find(|place| !self.may_open(place)) {
            return Err(Error::question(format!("`{}` is not a repository of the question", other.label)));
        }
        let opened = places.iter().map(|place| self.open.open_one(place)).collect::<Result<Vec<_>, _>>()?;
        lay_over(&opened, precedence)
    }
}
