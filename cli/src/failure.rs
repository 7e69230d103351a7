//! What can go wrong: an error of the library, or our own output that nobody reads any more.

use std::io;
use std::process::ExitCode;

pub(crate) use caravan::ErrorKind as Kind;
use caravan::vocabulary::CacheError;

/// The code for an answer that is no.
pub(crate) const NO: u8 = 1;

/// The code of `impact` for everything that is neither yes nor no.
pub(crate) const COULD_NOT_TELL: u8 = 2;

/// A failure as it is shown.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something is wrong with the question, the repositories or the system.
    Error(Box<caravan::Error>),
    /// Whoever read our output has seen enough.
    BrokenPipe,
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        caravan::Error::new(kind, message).into()
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Question, message)
    }

    /// The same with words about what to do.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        match self {
            Self::Error(error) => error.with_hint(hint).into(),
            Self::BrokenPipe => self,
        }
    }

    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Self::Error(error) => ExitCode::from(error.kind.exit_code()),
            Self::BrokenPipe => ExitCode::SUCCESS,
        }
    }
}

impl From<caravan::Error> for Failure {
    fn from(error: caravan::Error) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<CacheError> for Failure {
    fn from(error: CacheError) -> Self {
        caravan::Error::from(error).into()
    }
}

impl From<io::Error> for Failure {
    /// Errors of writing our own output.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::new(Kind::System, format!("cannot write the output: {error}")),
        }
    }
}
