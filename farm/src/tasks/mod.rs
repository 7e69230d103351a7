//! caravan's own questions, as services send them: what the commands `solve`, `installable`, `revdeps` and
//! `impact` answer, of repositories by URL and commit. The answers are the JSON of the commands.

mod answer;

pub use answer::answer;

use crate::solver_service::SolveRequest;
use caravan_revdeps::rebuild::Policy;
use caravan_solver::{Flags, Platform, Problem, Setting};
use opam_parser::atom::Atom;
use serde::{Deserialize, Serialize};

/// A repository at a commit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepositoryAt {
    /// Its URL.
    pub url: String,
    /// The commit's id.
    pub commit: String,
}

/// A question.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Which versions to install.
    Solve(Box<Solve>),
    /// Which packages can be installed.
    Installable(Box<Installable>),
    /// Which packages depend on packages.
    Revdeps(Box<Revdeps>),
    /// What a change does.
    Impact(Box<Impact>),
    /// A request of solver-service.
    SolverService(Box<SolveRequest>),
    /// Several, each answered by itself.
    Batch(Vec<Task>),
}

/// Which versions to install.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Solve {
    /// The repositories; the problem's setting says which of them counts.
    pub repositories: Vec<RepositoryAt>,
    /// The question.
    pub problem: Problem,
    /// On which platforms; none: on that of the problem.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<Platform>,
    /// A compiler, `5.4.1` or `5.4`, as the first root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ocaml: Option<String>,
    /// Also say why packages are not at their newest versions.
    #[serde(default)]
    pub explain_versions: bool,
    /// Check each selection independently.
    #[serde(default)]
    pub check: bool,
}

/// Which packages can be installed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Installable {
    /// The repositories; the setting says which of them counts.
    pub repositories: Vec<RepositoryAt>,
    /// What the packages look like.
    #[serde(default)]
    pub setting: Setting,
    /// On which platforms; none: on that of the setting.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<Platform>,
    /// The compiler that is installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ocaml: Option<String>,
    /// Which packages, as `NAME` or `NAME>=VERSION`; none: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<Text<Atom>>,
    /// Every version, not only the newest.
    #[serde(default)]
    pub all_versions: bool,
    /// With their tests, documentation and so on.
    #[serde(default)]
    pub flags: Flags,
}

/// Which packages depend on packages.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revdeps {
    /// The repositories; the setting says which of them counts.
    pub repositories: Vec<RepositoryAt>,
    /// What the packages look like.
    #[serde(default)]
    pub setting: Setting,
    /// On which packages, as `NAME` or `NAME>=VERSION`.
    pub packages: Vec<Text<Atom>>,
    /// Also through other packages.
    #[serde(default)]
    pub recursive: bool,
    /// Optional dependencies, too.
    #[serde(default)]
    pub depopts: bool,
    /// Dependencies of tests, too.
    #[serde(default)]
    pub with_test: bool,
    /// Dependencies of documentation, too.
    #[serde(default)]
    pub with_doc: bool,
    /// Every version, not only the newest.
    #[serde(default)]
    pub all_versions: bool,
    /// Only what can be installed, with this compiler if one is named.
    #[serde(default)]
    pub installable: bool,
    /// The compiler that is installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ocaml: Option<String>,
    /// The lists that opam-repo-ci makes; the other options do not count then.
    #[serde(default)]
    pub like_opam_repo_ci: bool,
}

/// What a change does.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Impact {
    /// The earlier state.
    pub base: RepositoryAt,
    /// The later state; a fork's, for instance.
    pub head: RepositoryAt,
    /// On which platforms; none: Linux on x86_64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<Platform>,
    /// With which compilers; none: the newest release and that of OCaml 4.14.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ocaml: Vec<String>,
    /// What to build and test again.
    #[serde(default)]
    pub policy: Policy,
    /// How many of these at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<usize>,
}

/// Something that is written as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<T>(pub T);

impl<T: std::fmt::Display> Serialize for Text<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de, T: std::str::FromStr> Deserialize<'de> for Text<T>
where
    T::Err: std::fmt::Display,
{
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

impl Task {
    /// The repository states that it needs, each once.
    pub fn states(&self) -> Vec<RepositoryAt> {
        let mut found = Vec::new();
        self.add_states(&mut found);
        found
    }

    fn add_states(&self, found: &mut Vec<RepositoryAt>) {
        let mut add = |state: &RepositoryAt| {
            if !found.contains(state) {
                found.push(state.clone());
            }
        };
        match self {
            Task::Solve(solve) => solve.repositories.iter().for_each(add),
            Task::Installable(installable) => installable.repositories.iter().for_each(add),
            Task::Revdeps(revdeps) => revdeps.repositories.iter().for_each(add),
            Task::Impact(impact) => [&impact.base, &impact.head].into_iter().for_each(add),
            Task::SolverService(request) => {
                let commits = request.opam_repository_commits.iter();
                commits.for_each(|(url, commit)| add(&RepositoryAt { url: url.clone(), commit: commit.clone() }));
            }
            Task::Batch(tasks) => tasks.iter().for_each(|task| task.add_states(found)),
        }
    }

    /// What it is, in a word.
    pub fn kind(&self) -> &'static str {
        match self {
            Task::Solve(_) => "solve",
            Task::Installable(_) => "installable",
            Task::Revdeps(_) => "revdeps",
            Task::Impact(_) => "impact",
            Task::SolverService(_) => "solver-service",
            Task::Batch(_) => "batch",
        }
    }
}
