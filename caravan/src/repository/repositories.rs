//! The seam between questions and the world: where answers get repositories.

use super::name::{CloneName, RepositoryName};
use super::opened::Repository;
use super::place::Place;
use crate::error::Error;
use crate::observer::Observer;
use opam_parser::index::Precedence;
use std::sync::Arc;

/// Where answers get the repositories that a question names.
pub trait Repositories {
    /// The repositories that are meant by a question that names none, the first of them that which changes.
    ///
    /// # Errors
    /// When a question has to name its repositories here.
    fn usual(&mut self, observer: &dyn Observer) -> Result<Vec<Place>, Error> {
        let _ = observer;
        Err(Error::question("there is no repository"))
    }

    /// Where a repository is that a question names.
    ///
    /// # Errors
    /// When it cannot be had.
    fn locate(&mut self, name: &RepositoryName, observer: &dyn Observer) -> Result<Place, Error>;

    /// Where a commit is that a question names by the folder of a clone on this machine.
    ///
    /// # Errors
    /// When questions may not name folders here.
    fn locate_clone(&mut self, name: &CloneName, observer: &dyn Observer) -> Result<Place, Error> {
        let _ = observer;
        match self.allows_paths() {
            true => Ok(Place::in_clone(&name.folder, &name.commit)),
            false => Err(Error::question(format!("`{}`: folders of this machine cannot be named here", name.folder))),
        }
    }

    /// Repositories laid over each other.
    ///
    /// # Errors
    /// When one of them cannot be read.
    fn open(
        &mut self,
        places: &[Place],
        precedence: Precedence,
        observer: &dyn Observer,
    ) -> Result<Arc<Repository>, Error>;

    /// Which of several repositories counts that have the same version of a package, where the question does not
    /// say.
    fn precedence(&self) -> Precedence {
        Precedence::FirstWins
    }

    /// Whether questions may name revisions, directories and archives of this machine.
    fn allows_paths(&self) -> bool {
        false
    }
}
