//! The answer of `installable`.

use super::outcome::Outcome;
use super::package::{NotTold, Variables};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// `caravan.installable/1`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InstallableAnswer {
    /// `caravan.installable/1`
    #[cfg_attr(feature = "schema", schemars(extend("const" = "caravan.installable/1")))]
    pub schema: Cow<'static, str>,
    /// One for each platform, in the question's order.
    pub answers: Vec<PlatformInstallable>,
}

/// What can be installed on one platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlatformInstallable {
    /// The platform's variables.
    pub platform: Variables,
    /// `NAME.VERSION` of what can be installed, in opam's order.
    pub installable: Vec<String>,
    /// `NAME.VERSION` of what cannot, in opam's order.
    pub not_installable: Vec<String>,
    /// What it could not be told of, in opam's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_told: Vec<NotTold>,
}

impl InstallableAnswer {
    /// Unknown if something could not be told, else no if something cannot be installed.
    pub(crate) fn outcome(&self) -> Outcome {
        if self.answers.iter().any(|answer| !answer.not_told.is_empty()) {
            return Outcome::Unknown;
        }
        let all = self.answers.iter().all(|answer| answer.not_installable.is_empty());
        if all { Outcome::Yes } else { Outcome::No }
    }
}
