//! What is said where there is no answer.

use crate::clones::CloneError;
use crate::pool::PoolError;
use crate::service::RequestError;
use caravan::protocols::solver_service::SolveResponse;
use caravan::protocols::{Refusal, Response};

/// The form of errors.
const SCHEMA: &str = "caravan.error/1";

/// Why there is no answer, where the protocol has no form of its own for that: `caravan.error/1`.
#[derive(Clone, Debug, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Error"))]
pub struct ErrorReport<'e> {
    /// `caravan.error/1`
    #[cfg_attr(feature = "schema", schemars(extend("const" = "caravan.error/1")))]
    pub schema: &'static str,
    /// What went wrong, in a word: `question`, `unknown-package`, `repository`, `broken-file`, `system`, `deadline`,
    /// `cancelled` or `no`, as the library has it; `malformed` for what is no question; `busy` and `shutting-down`, where
    /// it may be tried again later; `died` with a worker; `lost` on the way to one; `unanswered` in a batch, which says
    /// no more; `unauthorised`; `forbidden` for
    /// what a browser sends for another one's page; `unknown` for what there is no route for.
    pub kind: &'e str,
    /// What went wrong.
    pub error: &'e str,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<&'e str>,
    /// What belongs to it, such as the excerpt of a broken file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<&'e str>,
}

impl<'e> ErrorReport<'e> {
    /// What went wrong, in a word and in words.
    pub fn new(kind: &'e str, error: &'e str) -> Self {
        Self { schema: SCHEMA, kind, error, hint: None, details: None }
    }

    /// As it is sent.
    pub fn to_json(&self) -> Vec<u8> {
        // Strings only: nothing in it can fail to be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Whether JSON is such a report.
    pub fn is_one(json: &[u8]) -> bool {
        #[derive(serde::Deserialize)]
        struct Schema {
            schema: String,
        }
        serde_json::from_slice::<Schema>(json).is_ok_and(|report| report.schema == SCHEMA)
    }
}

/// A request's error as it is sent.
pub(super) fn report(error: &RequestError) -> Vec<u8> {
    let text = error.to_string();
    let of_question = error.question_error();
    let report = ErrorReport {
        hint: of_question.and_then(|error| error.hint.as_deref()),
        details: of_question.and_then(|error| error.details.as_deref()),
        ..ErrorReport::new(error.kind(), &text)
    };
    report.to_json()
}

/// A request's error in solver-service's form.
pub(super) fn refusal(error: &RequestError) -> Vec<u8> {
    let response: SolveResponse = match error {
        RequestError::Pool(PoolError::Cancelled) => Response::Error(Refusal::Cancelled),
        // In the words of the OCaml service, which some clients look for.
        RequestError::Clone(CloneError::NoCommit { .. }) => Response::message("Still missing commit after update!"),
        error => Response::message(error),
    };
    response.to_json()
}

/// A request's error in the form of solvers that know errors with words only.
pub(super) fn message(error: &RequestError) -> Vec<u8> {
    let response: SolveResponse = Response::message(error);
    response.to_json()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_have_what_the_question_s_error_has() {
        let unknown = caravan::Error::unknown_package("lub", &["lib".to_owned()]);
        let error = RequestError::Pool(PoolError::Question(unknown));
        let text = String::from_utf8(report(&error)).unwrap();
        assert_eq!(
            text,
            "{\"schema\":\"caravan.error/1\",\"kind\":\"unknown-package\",\"error\":\"there is no package `lub`\",\
             \"hint\":\"did you mean `lib`?\"}"
        );
        assert!(ErrorReport::is_one(text.as_bytes()));
        assert!(!ErrorReport::is_one(b"[\"Ok\",[]]") && !ErrorReport::is_one(b"{\"schema\":\"caravan.solve/2\"}"));
    }
}
