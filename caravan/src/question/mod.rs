//! Questions, as data: one type for the library, the command line, HTTP, Cap'n Proto and clusters.
//!
//! In JSON a question is an object with one member that says which kind it is, and with the version of this form:
//!
//! ```json
//! { "schema": "caravan.question/1", "solve": { "problem": { "request": { "roots": [{ "name": "utop" }] } } } }
//! ```
//!
//! `schema` may be left out; then the newest version is meant. Members that are not known are errors. The answers are
//! those of [`crate::answer`]. `docs/json.md` describes both; their JSON Schemas are in `caravan/schemas`.

mod change;
mod listing;
mod object;
mod packages;
mod plan;
mod protocol;
mod text;

pub use change::{Bisect, Bounds, Impact};
pub use listing::Listing;
pub use packages::{Installable, List, Show, Solve};
pub use plan::{Builds, ComparedSide, Docs, Health, Lock, LockFor, Platforms, Recipes};
pub use protocol::DocsCi;
pub use text::Text;

use crate::protocols::{mirage_ci, solver_service};
use crate::repository::{CloneName, RepositoryName, StateName};
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The name and version of the form that questions have.
pub const SCHEMA: &str = "caravan.question/1";

macro_rules! kinds {
    ($(#[doc = $doc:literal] $variant:ident($type:ty) = $name:literal,)*) => {
        /// A question. `docs/json.md` has the members of each kind.
        #[derive(Clone, Debug)]
        pub enum Question {
            $(#[doc = $doc] $variant(Box<$type>),)*
        }

        impl Question {
            /// The names of all kinds.
            pub const KINDS: &[&str] = &[$($name,)*];

            /// What kind it is, as JSON has it.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }

            /// Reads the members of a question of one kind. `None`: there is no such kind.
            ///
            /// # Errors
            /// When it is not a question of that kind, with the line and column.
            pub fn from_members(kind: &str, json: &[u8]) -> Option<serde_json::Result<Self>> {
                match kind {
                    $($name => Some(serde_json::from_slice(json).map(|members| Self::$variant(Box::new(members)))),)*
                    _ => None,
                }
            }

            fn from_map<'de, A: MapAccess<'de>>(kind: &str, map: &mut A) -> Result<Self, A::Error> {
                match kind {
                    $($name => Ok(Self::$variant(map.next_value()?)),)*
                    other => Err(A::Error::unknown_variant(other, Self::KINDS)),
                }
            }
        }

        impl Serialize for Question {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("schema", SCHEMA)?;
                match self {
                    $(Self::$variant(members) => map.serialize_entry($name, members)?,)*
                }
                map.end()
            }
        }

        #[cfg(feature = "schema")]
        impl Question {
            /// What a question of one kind is, in a sentence, and the schema of its members. `None`: there is no such
            /// kind.
            pub(crate) fn members_schema(
                kind: &str,
                generator: &mut schemars::SchemaGenerator,
            ) -> Option<(&'static str, schemars::Schema)> {
                match kind {
                    $($name => Some(($doc, generator.subschema_for::<$type>())),)*
                    _ => None,
                }
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for Question {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                "Question".into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut kinds: Vec<schemars::Schema> = Vec::new();
                $(
                    kinds.push(schemars::json_schema!({
                        "description": $doc.trim(),
                        "type": "object",
                        "properties": {
                            "schema": { "const": SCHEMA },
                            $name: generator.subschema_for::<$type>(),
                        },
                        "required": [$name],
                        "additionalProperties": false,
                    }));
                )*
                schemars::json_schema!({ "oneOf": kinds })
            }
        }
    };
}

kinds! {
    /// Which versions to install.
    Solve(Solve) = "solve",
    /// Which packages can be installed.
    Installable(Installable) = "installable",
    /// Packages by name.
    List(List) = "list",
    /// What is known about packages.
    Show(Show) = "show",
    /// Which packages depend on packages.
    Revdeps(Listing) = "revdeps",
    /// Which packages packages depend on.
    Deps(Listing) = "deps",
    /// What a change of a repository does.
    Impact(Impact) = "impact",
    /// Upper bounds for what a change broke, as a patch.
    Bounds(Bounds) = "bounds",
    /// Which commits changed an answer.
    Bisect(Bisect) = "bisect",
    /// What can be installed on which platforms, and why the rest cannot.
    Health(Health) = "health",
    /// The distinct builds that realise the solutions of many packages, and when to do them.
    Builds(Builds) = "builds",
    /// What to build for the documentation of packages.
    Docs(Docs) = "docs",
    /// A project's solution as lock files.
    Lock(Lock) = "lock",
    /// The platforms that plans are made for.
    Platforms(Platforms) = "platforms",
    /// A request of solver-service.
    SolverService(solver_service::SolveRequest) = "solver-service",
    /// A request of ocaml-docs-ci.
    DocsCi(DocsCi) = "docs-ci",
    /// A request of mirage-ci.
    MirageCi(mirage_ci::SolveRequest) = "mirage-ci",
    /// Several, each answered by itself.
    Batch(Vec<Question>) = "batch",
}

impl<'de> Deserialize<'de> for Question {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Question;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a question: an object with one member, the kind of question")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Question, A::Error> {
                let mut question = None;
                while let Some(member) = map.next_key::<String>()? {
                    if member == "schema" {
                        let schema: String = map.next_value()?;
                        if schema != SCHEMA {
                            return Err(A::Error::custom(format_args!("`{schema}` is not `{SCHEMA}`")));
                        }
                    } else if question.is_some() {
                        return Err(A::Error::custom(format_args!("`{member}`: a question is of one kind only")));
                    } else {
                        question = Some(Question::from_map(&member, &mut map)?);
                    }
                }
                question.ok_or_else(|| A::Error::custom("the object has no kind of question in it"))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl Question {
    /// The repositories at commits that it names, each once: what a service has to fetch.
    pub fn repositories(&self) -> Vec<RepositoryName> {
        let mut found = Vec::new();
        self.add_repositories(&mut found);
        found
    }

    /// The commits in clones of this machine that it names, each once.
    pub fn clones(&self) -> Vec<CloneName> {
        let mut found = Vec::new();
        self.add_clones(&mut found);
        found
    }

    fn add_clones(&self, found: &mut Vec<CloneName>) {
        match self {
            Self::MirageCi(request) => request.clones().for_each(|name| {
                if !found.contains(&name) {
                    found.push(name);
                }
            }),
            Self::DocsCi(question) => {
                if let Some(name) = question.clone_name().filter(|name| !found.contains(name)) {
                    found.push(name);
                }
            }
            Self::Batch(questions) => questions.iter().for_each(|question| question.add_clones(found)),
            _ => {}
        }
    }

    fn add_repositories(&self, found: &mut Vec<RepositoryName>) {
        let mut add = |name: &RepositoryName| {
            if !found.contains(name) {
                found.push(name.clone());
            }
        };
        let states: Vec<&Option<StateName>> = match self {
            Self::Impact(impact) => vec![&impact.base, &impact.head],
            Self::Bounds(bounds) => vec![&bounds.base, &bounds.head],
            Self::Bisect(bisect) => vec![&bisect.head],
            Self::Docs(docs) => vec![&docs.base],
            Self::Health(health) => health.compare.iter().flatten().map(|side| &side.state).collect(),
            _ => vec![],
        };
        let repositories = match self {
            Self::Solve(members) => &members.repositories,
            Self::Installable(members) => &members.repositories,
            Self::List(members) => &members.repositories,
            Self::Show(members) => &members.repositories,
            Self::Revdeps(members) => &members.repositories,
            Self::Deps(members) => &members.repositories,
            Self::Impact(members) => &members.repositories,
            Self::Bounds(members) => &members.repositories,
            Self::Bisect(_) => &vec![],
            Self::Health(members) => &members.repositories,
            Self::Builds(members) => &members.repositories,
            Self::Docs(members) => &members.repositories,
            Self::Lock(members) => &members.repositories,
            Self::Platforms(members) => &members.repositories,
            Self::SolverService(request) => &request.repositories(),
            // It is a clone, or a repository.
            Self::DocsCi(question) if question.clone_name().is_some() => &vec![],
            Self::DocsCi(question) => &vec![question.name()],
            // Its repositories are clones.
            Self::MirageCi(_) => &vec![],
            Self::Batch(questions) => {
                questions.iter().for_each(|question| question.add_repositories(found));
                return;
            }
        };
        repositories.iter().for_each(&mut add);
        for state in states {
            if let Some(StateName::Commit(name)) = state {
                add(name);
            }
        }
    }
}
