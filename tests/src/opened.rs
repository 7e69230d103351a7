//! Repositories for questions, opened beforehand, and a log to read.

use crate::index_of;
use caravan::repository::{Place, RepositoryName};
use caravan::vocabulary::Precedence;
use caravan::{Answer, Context, Error, Observer, Question, Repositories, Repository, Stop};
use opam_parser::source::git::GitSource;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Repositories by the names that questions give them.
#[derive(Default)]
pub struct Opened(Vec<(RepositoryName, Arc<Repository>)>);

impl Opened {
    /// Opens a commit of a git repository.
    pub fn open(&mut self, name: RepositoryName, folder: &Path) -> Arc<Repository> {
        let index = index_of(&GitSource::open(folder, &name.commit).unwrap());
        let place = Place::in_clone(folder, &name.commit).labelled(&name.url);
        let opened = Arc::new(Repository::new(vec![place], index));
        self.0.push((name, Arc::clone(&opened)));
        opened
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
        let known = self.0.iter().find(|(known, _)| known == name);
        Ok(known.unwrap_or_else(|| panic!("{name:?}")).1.places()[0].clone())
    }

    fn open(&mut self, places: &[Place], _: Precedence, _: &dyn Observer) -> Result<Arc<Repository>, Error> {
        let known = self.0.iter().find(|(_, known)| known.places() == places);
        Ok(Arc::clone(&known.unwrap_or_else(|| panic!("{places:?}")).1))
    }
}

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Observer for Lines {
    fn log(&self, line: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned());
    }
}
