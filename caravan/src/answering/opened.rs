//! Questions to a repository that is open already.

use super::ask::ask;
use super::context::Context;
use crate::answer::Answer;
use crate::error::Error;
use crate::observer::{Observer, Silent};
use crate::question::Question;
use crate::repository::{Place, Repositories, Repository, RepositoryName};
use caravan_solver::Stop;
use opam_parser::index::Precedence;
use std::sync::Arc;

/// A repository that is open already, for questions that name none.
struct Opened(Arc<Repository>);

impl Repositories for Opened {
    fn usual(&mut self, _: &dyn Observer) -> Result<Vec<Place>, Error> {
        Ok(self.0.places().to_vec())
    }

    fn locate(&mut self, name: &RepositoryName, _: &dyn Observer) -> Result<Place, Error> {
        Err(Error::question(format!("`{}` is not the repository that is open", name.url))
            .with_hint("ask with `caravan::ask` and `Local`, which finds repositories by their names"))
    }

    fn open(
        &mut self,
        places: &[Place],
        precedence: Precedence,
        observer: &dyn Observer,
    ) -> Result<Arc<Repository>, Error> {
        if places == self.0.places() {
            return Ok(Arc::clone(&self.0));
        }
        // Another state of it: through the cache in its usual place.
        crate::repository::Local::new(crate::repository::Options::default())?.open(places, precedence, observer)
    }

    fn allows_paths(&self) -> bool {
        true
    }
}

impl Repository {
    /// Answers a question that names no repository, about this one.
    ///
    /// # Errors
    /// When the question is wrong, a repository cannot be read, or a time limit of the question is over.
    pub fn ask(self: &Arc<Self>, question: &Question) -> Result<Answer, Error> {
        let mut opened = Opened(Arc::clone(self));
        ask(question, &mut Context { repositories: &mut opened, observer: &Silent, stop: &Stop::new() })
    }
}
