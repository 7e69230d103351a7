//! Repositories for questions, opened beforehand, and a log to read.

use crate::index_of;
use caravan::repository::{CloneName, Place, RepositoryName};
use caravan::vocabulary::Precedence;
use caravan::{Answer, Context, Error, Observer, Question, Repositories, Repository, Stop};
use opam_parser::source::git::GitSource;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Repositories by the names that questions give them.
#[derive(Default)]
pub struct Opened {
    repositories: Vec<(RepositoryName, Arc<Repository>)>,
    clones: Vec<(CloneName, Arc<Repository>)>,
}

fn open(folder: &Path, commit: &str, label: &str) -> Arc<Repository> {
    let index = index_of(&GitSource::open(folder, commit).unwrap());
    let place = Place::in_clone(folder, commit).labelled(label);
    Arc::new(Repository::new(vec![place], index))
}

impl Opened {
    /// Opens a commit of a git repository.
    pub fn open(&mut self, name: RepositoryName, folder: &Path) -> Arc<Repository> {
        let opened = open(folder, &name.commit, &name.url);
        self.repositories.push((name, Arc::clone(&opened)));
        opened
    }

    /// Opens a commit of a clone that questions name by its folder.
    pub fn open_clone(&mut self, name: CloneName, folder: &Path) {
        let opened = open(folder, &name.commit, &name.folder);
        self.clones.push((name, opened));
    }

    /// Whether a repository is open.
    pub fn has(&self, name: &RepositoryName) -> bool {
        self.repositories.iter().any(|(known, _)| known == name)
    }

    /// Whether a clone is open.
    pub fn has_clone(&self, name: &CloneName) -> bool {
        self.clones.iter().any(|(known, _)| known == name)
    }

    /// The answer to a question, and the lines of its log.
    pub fn ask(&mut self, question: &Question, stop: &Stop) -> (Result<Answer, Error>, Vec<String>) {
        let log = Lines::default();
        let answer = caravan::ask(question, &mut Context { repositories: self, observer: &log, stop });
        (answer, log.0.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Repositories for Opened {
    fn locate(&mut self, name: &RepositoryName, _: &dyn Observer) -> Result<Place, Error> {
        let known = self.repositories.iter().find(|(known, _)| known == name);
        Ok(known.unwrap_or_else(|| panic!("{name:?}")).1.places()[0].clone())
    }

    fn locate_clone(&mut self, name: &CloneName, _: &dyn Observer) -> Result<Place, Error> {
        let known = self.clones.iter().find(|(known, _)| known == name);
        Ok(known.unwrap_or_else(|| panic!("{name:?}")).1.places()[0].clone())
    }

    fn open(&mut self, places: &[Place], _: Precedence, _: &dyn Observer) -> Result<Arc<Repository>, Error> {
        let repositories = self.repositories.iter().map(|(_, known)| known);
        let mut known = repositories.chain(self.clones.iter().map(|(_, known)| known));
        Ok(Arc::clone(known.find(|known| known.places() == places).unwrap_or_else(|| panic!("{places:?}"))))
    }
}

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Observer for Lines {
    fn log(&self, line: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned());
    }
}
