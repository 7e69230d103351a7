//! What can go wrong, with the exit code and the HTTP status of each kind.

use caravan_solver::compiler::CompilerError;
use caravan_solver::{SolveError, Stopped};
use opam_parser::index::{BuildError, TooLarge};
use opam_parser::repository::CacheError;
use opam_parser::source::SourceError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The kinds of errors. Programs may rely on the names, the exit codes and the statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The answer is no, and there is nothing more to show.
    No,
    /// The question is wrong.
    Question,
    /// There is no such package or version.
    UnknownPackage,
    /// The repository cannot be read.
    Repository,
    /// A broken opam file is in the way.
    BrokenFile,
    /// The system does not let us: cache directory, network, output.
    System,
    /// The time limit was reached.
    Deadline,
    /// Nobody waits for the answer any more.
    Cancelled,
}

impl ErrorKind {
    /// The exit code of the command line.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::No => 1,
            Self::Question => 2,
            Self::UnknownPackage => 3,
            Self::Repository => 4,
            Self::BrokenFile => 5,
            Self::System | Self::Cancelled => 6,
            Self::Deadline => 7,
        }
    }

    /// The status of a response over HTTP.
    pub fn http_status(self) -> u16 {
        match self {
            Self::No | Self::Question | Self::UnknownPackage | Self::Repository | Self::BrokenFile => 422,
            Self::System | Self::Cancelled => 500,
            Self::Deadline => 504,
        }
    }

    /// The word that stands for it in JSON (`caravan.error/1`).
    pub fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Question => "question",
            Self::UnknownPackage => "unknown-package",
            Self::Repository => "repository",
            Self::BrokenFile => "broken-file",
            Self::System => "system",
            Self::Deadline => "deadline",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    /// What kind of error it is.
    pub kind: ErrorKind,
    /// What is wrong, in a sentence without a full stop.
    pub message: String,
    /// Text that stands before the message, such as the excerpt of a broken file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl Error {
    /// An error of a kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), details: None, hint: None }
    }

    /// The question is wrong.
    pub fn question(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Question, message)
    }

    /// The system does not let us.
    pub fn system(error: impl fmt::Display) -> Self {
        Self::new(ErrorKind::System, error.to_string())
    }

    /// The same with words about what to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with text to stand before the message.
    #[must_use]
    pub fn with_details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }

    /// There is no package of a name; `near` are names that may have been meant.
    pub fn unknown_package(name: &str, near: &[String]) -> Self {
        let error = Self::new(ErrorKind::UnknownPackage, format!("there is no package `{name}`"));
        match near {
            [] => error.with_hint("`caravan list '*WORD*'` searches the names"),
            near => {
                let quoted: Vec<String> = near.iter().map(|near| format!("`{near}`")).collect();
                error.with_hint(format!("did you mean {}?", quoted.join(" or ")))
            }
        }
    }

    /// A package has no such version; `known` are its newest ones.
    pub fn unknown_version(name: &str, version: &str, known: &[String]) -> Self {
        let error = Self::new(ErrorKind::UnknownPackage, format!("there is no version `{version}` of `{name}`"));
        match known {
            [] => error,
            known => error.with_hint(format!("the newest versions are {}", known.join(", "))),
        }
    }

    /// A version whose opam file cannot be read, with what is wrong in it.
    pub fn broken_file(package: &str, details: impl Into<String>) -> Self {
        Self::new(ErrorKind::BrokenFile, format!("`{package}` is set aside because its opam file is broken"))
            .with_details(details)
            .with_hint("mend the file, or ask for another version")
    }
}

impl From<Stopped> for Error {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Cancelled => Self::new(ErrorKind::Cancelled, stopped.to_string()),
            Stopped::Steps => Self::new(ErrorKind::Deadline, stopped.to_string())
                .with_hint("what is asked is a puzzle: name versions, or leave something out"),
            Stopped::Deadline => Self::new(ErrorKind::Deadline, stopped.to_string())
                .with_hint("`--time-limit` takes a number of seconds"),
        }
    }
}

impl From<SolveError> for Error {
    fn from(error: SolveError) -> Self {
        match error {
            SolveError::UnknownName { name, near } => Self::unknown_package(&name, &near),
            SolveError::UnknownVersion { name, version, known } => Self::unknown_version(&name, &version, &known),
            SolveError::Broken { package, .. } => {
                Self::new(ErrorKind::BrokenFile, format!("`{package}` is set aside because its opam file is broken"))
                    .with_hint(format!("`caravan show {package}` says what is wrong"))
            }
            SolveError::Stopped(why) => why.into(),
            SolveError::NoSolution => Self::new(ErrorKind::No, error.to_string()),
            error => Self::new(ErrorKind::Repository, error.to_string()),
        }
    }
}

impl From<SourceError> for Error {
    fn from(error: SourceError) -> Self {
        let made = Self::new(ErrorKind::Repository, error.to_string());
        match &error {
            SourceError::Missing(_) => made.with_hint("`--repo` takes a directory, GIT[#REV], an archive or a URL"),
            SourceError::NoPackages { unread, .. } => match unread.first() {
                Some(first) => made.with_details(format!("{} {}", first.path, first.reason)),
                None => made.with_hint("an opam repository has its packages in `packages/NAME/NAME.VERSION/opam`"),
            },
            SourceError::CommitCircle { .. } => made.with_hint("`git fsck` says what is damaged; clone it again"),
            SourceError::Limit { .. } => made.with_hint("no repository of opam packages is like that"),
            SourceError::NotARepository { .. } => {
                made.with_hint("an opam repository has its packages in `packages/NAME/NAME.VERSION/opam`")
            }
            SourceError::NotGit(_) => made.with_hint("`--at` and `#REV` need a git repository: `--repo GIT`"),
            SourceError::NoRevision { .. } => {
                made.with_hint("a revision is a branch, a tag, a commit or an expression such as `HEAD~3`")
            }
            _ => made,
        }
    }
}

impl From<BuildError> for Error {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Source(error) => error.into(),
            BuildError::TooLarge(error) => error.into(),
        }
    }
}

impl From<TooLarge> for Error {
    fn from(error: TooLarge) -> Self {
        Self::new(ErrorKind::Repository, error.to_string())
    }
}

impl From<CompilerError> for Error {
    fn from(error: CompilerError) -> Self {
        match error {
            CompilerError::Malformed(_) => Self::question(error.to_string())
                .with_hint("write `--ocaml 5.4.1`, or `--ocaml 5.4` for its newest release"),
            CompilerError::NoOcaml => Self::unknown_package("ocaml", &[]),
            CompilerError::Unknown { version, newest } => Self::unknown_version("ocaml", &version, &newest),
        }
    }
}

impl From<CacheError> for Error {
    fn from(error: CacheError) -> Self {
        Self::system(error).with_hint("`--cache-dir DIR` or CARAVAN_CACHE_DIR names another place")
    }
}
