//! What an answer may use beside the question.

use crate::error::Error;
use crate::observer::Observer;
use crate::repository::{Place, Repositories, Repository, RepositoryName};
use caravan_solver::Stop;
use opam_parser::index::Precedence;
use std::sync::Arc;

/// What an answer may use beside the question.
pub struct Context<'c> {
    /// Where repositories come from.
    pub repositories: &'c mut dyn Repositories,
    /// Who gets told what happens.
    pub observer: &'c dyn Observer,
    /// When to give up.
    pub stop: &'c Stop,
}

impl Context<'_> {
    /// The places that a question names, or those that are meant if it names none.
    pub(super) fn places(&mut self, named: &[RepositoryName]) -> Result<Vec<Place>, Error> {
        match named {
            [] => self.repositories.usual(self.observer),
            named => named.iter().map(|name| self.repositories.locate(name, self.observer)).collect(),
        }
    }

    /// The repositories that a question names, laid over each other, with a warning about files that cannot be read.
    pub(super) fn open(&mut self, named: &[RepositoryName], precedence: Precedence) -> Result<Arc<Repository>, Error> {
        let places = self.places(named)?;
        self.open_places(&places, precedence)
    }

    /// Places, opened, with a warning about files that cannot be read.
    pub(super) fn open_places(&mut self, places: &[Place], precedence: Precedence) -> Result<Arc<Repository>, Error> {
        let repository = self.repositories.open(places, precedence, self.observer)?;
        repository.warn_about_files(self.observer);
        Ok(repository)
    }
}
