//! What can go wrong, with the exit code and the words for it.

use caravan_solver::compiler::CompilerError;
use opam_parser::index::{BuildError, TooLarge};
use opam_parser::repository::CacheError;
use opam_parser::source::SourceError;
use std::io;
use std::process::ExitCode;

/// The kinds of failure; the numbers are the exit codes of the documented table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// The answer is no, and there is nothing more to show.
    No = 1,
    Usage = 2,
    Unknown = 3,
    Repository = 4,
    BrokenFile = 5,
    System = 6,
    TimeLimit = 7,
}

/// The code for an answer that is no.
pub(crate) const NO: u8 = 1;

/// The code of `impact` for everything that is neither yes nor no.
pub(crate) const COULD_NOT_TELL: u8 = 2;

/// A failure as it is shown.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    pub(crate) message: String,
    /// Text that stands before the message, such as the excerpt of a broken file.
    pub(crate) details: Option<String>,
    pub(crate) hint: Option<String>,
    broken_pipe: bool,
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), details: None, hint: None, broken_pipe: false }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn details(mut self, details: String) -> Self {
        self.details = Some(details);
        self
    }

    /// An unknown package, with names that may have been meant.
    pub(crate) fn unknown_package(name: &str, near: &[String]) -> Self {
        let failure = Self::new(Kind::Unknown, format!("there is no package `{name}`"));
        match near {
            [] => failure.hint("`caravan list '*WORD*'` searches the names"),
            near => {
                let quoted: Vec<String> = near.iter().map(|near| format!("`{near}`")).collect();
                failure.hint(format!("did you mean {}?", quoted.join(" or ")))
            }
        }
    }

    /// An unknown version, with the newest known ones.
    pub(crate) fn unknown_version(name: &str, version: &str, known: &[String]) -> Self {
        let failure = Self::new(Kind::Unknown, format!("there is no version `{version}` of `{name}`"));
        match known {
            [] => failure,
            known => failure.hint(format!("the newest versions are {}", known.join(", "))),
        }
    }

    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(self.kind as u8)
    }

    pub(crate) fn is_broken_pipe(&self) -> bool {
        self.broken_pipe
    }
}

impl From<io::Error> for Failure {
    /// Errors of writing our own output.
    fn from(error: io::Error) -> Self {
        let broken_pipe = error.kind() == io::ErrorKind::BrokenPipe;
        Self { broken_pipe, ..Self::new(Kind::System, format!("cannot write the output: {error}")) }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let failure = Self::new(Kind::Repository, error.to_string());
        match error {
            SourceError::Missing(_) => failure.hint("`--repo` takes a directory, GIT[#REV], an archive or a URL"),
            SourceError::NotARepository { .. } => {
                failure.hint("an opam repository has its packages in `packages/NAME/NAME.VERSION/opam`")
            }
            SourceError::NotGit(_) => failure.hint("`--at` and `#REV` need a git repository: `--repo GIT`"),
            SourceError::NoRevision { .. } => {
                failure.hint("a revision is a branch, a tag, a commit or an expression such as `HEAD~3`")
            }
            _ => failure,
        }
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Source(error) => error.into(),
            BuildError::TooLarge(error) => error.into(),
        }
    }
}

impl From<TooLarge> for Failure {
    fn from(error: TooLarge) -> Self {
        Self::new(Kind::Repository, error.to_string())
    }
}

impl From<CompilerError> for Failure {
    fn from(error: CompilerError) -> Self {
        match error {
            CompilerError::Malformed(_) => {
                Self::usage(error.to_string()).hint("write `--ocaml 5.4.1`, or `--ocaml 5.4` for its newest release")
            }
            CompilerError::NoOcaml => Self::unknown_package("ocaml", &[]),
            CompilerError::Unknown { version, newest } => Self::unknown_version("ocaml", &version, &newest),
        }
    }
}

impl From<CacheError> for Failure {
    fn from(error: CacheError) -> Self {
        Self::new(Kind::System, error.to_string()).hint("`--cache-dir DIR` or CARAVAN_CACHE_DIR names another place")
    }
}
