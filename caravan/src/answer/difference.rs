//! What differs between two selections: shared by several kinds of answers.

use caravan_revdeps::impact;
use serde::{Deserialize, Serialize};

/// One package of two selections.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Difference {
    /// Its name.
    pub name: String,
    /// Its version before; `null` if it was not selected.
    pub before: Option<String>,
    /// Its version after; `null` if it is not selected.
    pub after: Option<String>,
}

impl From<&impact::SelectionDifference> for Difference {
    fn from(difference: &impact::SelectionDifference) -> Self {
        Self { name: difference.name.clone(), before: difference.before.clone(), after: difference.after.clone() }
    }
}
