//! The answer of `builds`.

use super::outcome::Outcome;
use super::package::NotTold;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Which builds realise the solutions of many packages, and when to do them: `caravan.builds/1`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BuildsAnswer {
    /// `caravan.builds/1`
    #[cfg_attr(feature = "schema", schemars(extend("const" = "caravan.builds/1")))]
    pub schema: Cow<'static, str>,
    /// The platforms.
    pub platforms: Vec<BuildsPlatform>,
    /// The builds; what a build needs comes before it.
    pub builds: Vec<PlannedBuild>,
    /// The jobs.
    pub jobs: Vec<PlannedJob>,
    /// How many builds there would be if every job did its own.
    pub without_sharing: usize,
    /// How many workers the schedule is for.
    pub workers: usize,
    /// When the last build ends, in seconds.
    pub seconds: f64,
    /// How long it takes at best, with any number of workers.
    pub critical_seconds: f64,
    /// How long it takes on one worker.
    pub work_seconds: f64,
    /// The builds that decide how long it takes at best, by their places.
    pub critical_path: Vec<usize>,
    /// The recipes that were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipes: Vec<Recipe>,
    /// What it could not be told of, each with the platform: it is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_told: Vec<NotTold>,
}

/// A platform's part of a build plan.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BuildsPlatform {
    /// What it is called.
    pub id: String,
    /// The image in which builds start.
    pub image: String,
    /// How many solutions there are.
    pub jobs: usize,
    /// How many distinct builds.
    pub builds: usize,
    /// How many builds there would be if every job did its own.
    pub without_sharing: usize,
}

/// A build.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlannedBuild {
    /// A name that stays the same as long as nothing changes that concerns it: 32 hexadecimal digits; empty if the
    /// question does not want keys.
    pub key: String,
    /// `NAME.VERSION`
    pub package: String,
    /// The place of its platform.
    pub platform: usize,
    /// The places of the builds that it is built with directly.
    pub needs: Vec<u32>,
    /// How many jobs need it.
    pub jobs: u32,
    /// When it begins, in seconds.
    pub start: f64,
    /// How long it takes, in seconds.
    pub seconds: f64,
    /// On which worker, from 0.
    pub worker: usize,
}

/// A job: the solution of a package, to be realised.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlannedJob {
    /// The package that it is about, `NAME.VERSION`.
    pub package: String,
    /// The place of its platform.
    pub platform: usize,
    /// The place of that package's build; what that needs, and so on, is the whole of it.
    pub build: u32,
}

/// How jobs are built, as a file for a program that builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Recipe {
    /// Which program it is for.
    pub kind: RecipeKind,
    /// What the file is called: `debian-13-5.4.Dockerfile` for a platform, `debian-13-5.4/utop.2.14.0.spec` for a job.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// Which program a recipe is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RecipeKind {
    /// OBuilder: a spec.
    Obuilder,
    /// Docker: a Dockerfile.
    Dockerfile,
}

impl BuildsAnswer {
    /// Unknown if something could not be told.
    pub(crate) fn outcome(&self) -> Outcome {
        if self.not_told.is_empty() { Outcome::Yes } else { Outcome::Unknown }
    }
}
