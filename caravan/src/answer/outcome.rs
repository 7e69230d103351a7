//! What answers come to.

use serde::{Deserialize, Serialize};

/// What an answer comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is answered, or the answer is yes.
    Yes,
    /// The answer is no: there is no solution, no name matches, something broke.
    No,
    /// It could not be told.
    Unknown,
}
