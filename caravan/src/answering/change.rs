//! The two states of a question about a change.

use super::context::Context;
use crate::error::Error;
use crate::repository::{Change, RepositoryName, StateName, States};
use caravan_solver::Platform;

/// Opens the two states of a question. A question that names no repositories is about the asker's, or, where both
/// states are repositories at commits, about nothing else.
///
/// # Errors
/// When a state does not exist, cannot be read, or is named twice.
pub(super) fn open(named: &[RepositoryName], states: States<'_>, context: &mut Context<'_>) -> Result<Change, Error> {
    if states.head.is_some() && states.add.is_some() {
        return Err(
            Error::question("`head` and `add` both say what the later state is").with_hint("leave one of them out")
        );
    }
    let is_commit = |state: Option<&StateName>| matches!(state, Some(StateName::Commit(_)));
    let places = match named {
        [] if is_commit(states.base) && is_commit(states.head) => vec![],
        named => context.places(named)?,
    };
    Change::open(states, places, context.repositories, context.observer)
}

/// The platforms that a question names; Linux on x86_64 if it names none.
pub(super) fn platforms(named: &[Platform]) -> Vec<Platform> {
    match named {
        [] => vec![Platform::linux_x86_64()],
        named => named.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Context, States, open};
    use crate::error::Error;
    use crate::observer::{Observer, Silent};
    use crate::repository::{Place, Repositories, Repository, RepositoryName, StateName};
    use caravan_solver::Stop;
    use opam_parser::index::Precedence;
    use std::path::Path;
    use std::sync::Arc;

    /// Has nothing, and says what it was asked for.
    struct Nothing;

    impl Repositories for Nothing {
        fn usual(&mut self, _: &dyn Observer) -> Result<Vec<Place>, Error> {
            Err(Error::question("usual"))
        }

        fn locate(&mut self, name: &RepositoryName, _: &dyn Observer) -> Result<Place, Error> {
            Err(Error::question(format!("{}#{}", name.url, name.commit)))
        }

        fn open(&mut self, _: &[Place], _: Precedence, _: &dyn Observer) -> Result<Arc<Repository>, Error> {
            Err(Error::question("open"))
        }
    }

    #[test]
    fn what_is_asked_for_first() {
        let commit = |commit: &str| RepositoryName { url: "url".to_owned(), commit: commit.to_owned() };
        let [one, two] = ["one", "two"].map(|name| StateName::Commit(commit(name)));
        let (head, add) = (StateName::Revision("main".to_owned()), Path::new("more"));
        let check = |named: &[RepositoryName], base, head, add, expected: &str| {
            let mut context = Context { repositories: &mut Nothing, observer: &Silent, stop: &Stop::new() };
            let found = open(named, States { base, head, add }, &mut context).map(|_| ());
            assert_eq!(found.map_err(|error| error.message), Err(expected.to_owned()));
        };
        check(&[], None, None, None, "usual");
        check(&[], Some(&one), Some(&head), None, "usual");
        // Two commits need no repository beside.
        check(&[], Some(&one), Some(&two), None, "url#two");
        check(&[commit("three")], Some(&one), Some(&two), None, "url#three");
        check(&[], Some(&one), Some(&two), Some(add), "`head` and `add` both say what the later state is");
    }
}
