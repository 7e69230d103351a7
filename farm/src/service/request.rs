//! A question as it came, read so far that its repositories can be prepared.

use super::error::RequestError;
use caravan::Question;
use caravan::key::{Digest, Key};
use caravan::protocols::solver_service::SolveRequest;
use caravan::repository::{CloneName, RepositoryName};

/// A question as it came. What workers get is the JSON that the client sent: it is not written anew.
#[derive(Clone, Debug)]
pub struct Request {
    /// The kind of question.
    pub(super) kind: &'static str,
    /// The question, in JSON.
    pub(super) json: Vec<u8>,
    /// What tells it apart from other requests.
    pub(super) key: Key,
    /// The repositories that it needs.
    pub(super) repositories: Vec<RepositoryName>,
    /// The clones on this machine that it needs.
    pub(super) clones: Vec<CloneName>,
    /// Whoever asks may name folders of this machine.
    pub(super) may_name_folders: bool,
}

fn malformed(error: impl std::fmt::Display) -> RequestError {
    RequestError::Malformed(error.to_string())
}

impl Request {
    /// Reads a question.
    ///
    /// # Errors
    /// When it is none, with the line and column.
    pub fn from_json(json: Vec<u8>) -> Result<Self, RequestError> {
        let question: Question = serde_json::from_slice(&json).map_err(malformed)?;
        Ok(Self::with_json(&question, json))
    }

    /// Reads the members of a question of one kind.
    ///
    /// # Errors
    /// When they are none, with the line and column; or when there is no such kind.
    pub fn from_members(kind: &str, members: &[u8]) -> Result<Self, RequestError> {
        let question = Question::from_members(kind, members);
        let question = question.ok_or_else(|| malformed(format_args!("there is no kind `{kind}` of questions")))?;
        let question = question.map_err(malformed)?;
        // The members are one JSON value, so this is one, too.
        let json = [b"{\"", question.kind().as_bytes(), b"\":", members, b"}"].concat();
        Ok(Self::with_json(&question, json))
    }

    /// Reads a request of solver-service as the OCaml service does.
    ///
    /// # Errors
    /// When it is none, with what the OCaml service says.
    pub fn from_ocaml(text: &[u8]) -> Result<Self, RequestError> {
        let (request, members) = SolveRequest::from_ocaml(text).map_err(RequestError::BadRequest)?;
        let question = Question::SolverService(Box::new(request));
        let json = [b"{\"", question.kind().as_bytes(), b"\":", &members, b"}"].concat();
        Ok(Self::with_json(&question, json))
    }

    /// A question that was made here.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn new(question: &Question) -> Result<Self, RequestError> {
        Ok(Self::with_json(question, serde_json::to_vec(question).map_err(malformed)?))
    }

    fn with_json(question: &Question, json: Vec<u8>) -> Self {
        let mut digest = Digest::default();
        digest.add(&json);
        Self {
            kind: question.kind(),
            key: digest.key(),
            repositories: question.repositories(),
            clones: question.clones(),
            json,
            may_name_folders: false,
        }
    }

    /// The same from somebody who may name folders of this machine, such as the program that started the service.
    #[must_use]
    pub fn naming_folders(self) -> Self {
        Self { may_name_folders: true, ..self }
    }
}
