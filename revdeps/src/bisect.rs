//! Which commits of a history made a package installable or uninstallable, or changed its best solution.
//!
//! ```text
//! newest commit ── index, answer, the names that the answer can depend on
//!    │ each earlier commit: do the entries of `packages/` that differ have such a name?
//!    │   no:  the same answer, without a look at it
//!    └   yes: the index of that commit (a step from the last), and the answer there
//! ```
//!
//! Every commit is accounted for, so unlike a binary search it also finds what was broken and mended in
//! between.

use crate::impact::{Difference, between};
use caravan_solver::explain::Fact;
use caravan_solver::{Platform, Request, SolveError, Stop, View, explain_facts, solve_until};
use opam_parser::index::{BuildError, Index, NameId};
use opam_parser::name::PackageName;
use opam_parser::source::SourceError;
use opam_parser::source::git::GitSource;
use opam_parser::source::history::{Commit, History};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use std::path::Path;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sought {
    /// Whether there is a solution.
    Installable,
    /// Which one.
    Solution,
}

/// A search through a history.
pub struct Bisect<'b> {
    /// The git repository.
    pub path: &'b Path,
    /// The newest commit to look at.
    pub head: &'b str,
    /// The commit to stop at; `None`: the first.
    pub base: Option<&'b str>,
    /// The platform.
    pub platform: &'b Platform,
    /// What is to be installed. Something that does not exist in a state cannot be installed there.
    pub request: &'b Request,
    /// What is looked for.
    pub sought: Sought,
    /// How many turns are wanted, newest first.
    pub turns: usize,
}

/// A commit that changed the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The commit.
    pub commit: Commit,
    /// There was a solution before it.
    pub before: bool,
    /// There is one with it.
    pub after: bool,
    /// What differs between the two solutions, in opam's order; of a solution and none, all of it.
    pub differences: Vec<Difference>,
    /// Why there is none on the side without; nothing where something that was asked for does not exist.
    pub facts: Vec<Fact>,
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    /// The commits that changed the answer, newest first.
    pub turns: Vec<Turn>,
    /// Whether there is a solution at the newest commit.
    pub installable: bool,
    /// How many commits were accounted for.
    pub commits: usize,
    /// In how many of them the question was put again.
    pub solved: usize,
}

/// Why a history cannot be searched.
#[derive(Debug, thiserror::Error)]
pub enum BisectError {
    /// A state cannot be read.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A state cannot be solved.
    #[error(transparent)]
    Solve(#[from] SolveError),
    /// The older end is no ancestor of the newer one along first parents.
    #[error("`{base}` is not among the first parents of `{head}`")]
    NotBefore {
        /// The older end.
        base: String,
        /// The newer end.
        head: String,
    },
}

impl From<SourceError> for BisectError {
    fn from(error: SourceError) -> Self {
        Self::Build(error.into())
    }
}

/// The versions of a selection, by name; `None` where there is none.
type Answer = Option<BTreeMap<PackageName, String>>;

/// A state that was solved.
struct State {
    index: Index,
    answer: Answer,
    /// The names that the answer can depend on.
    names: FxHashSet<String>,
}

impl Bisect<'_> {
    /// Searches from the newest commit, of which the index is given, to the oldest. `progress` is told how many
    /// commits are done.
    ///
    /// # Errors
    /// When a commit cannot be read, or the search was stopped.
    pub fn run(&self, newest: Index, stop: &Stop, progress: &dyn Fn(usize)) -> Result<Turns, BisectError> {
        let history = History::open(self.path)?;
        let base = self.base.map(|base| history.commit(base)).transpose()?;
        if let Some(base) = &base
            && !history.first_parents(self.head)?.any(|commit| commit.id == base.id)
        {
            let base = self.base.unwrap_or_default().to_owned();
            return Err(BisectError::NotBefore { base, head: self.head.to_owned() });
        }
        let mut state = self.state(newest, stop)?;
        let mut found = Turns { installable: state.answer.is_some(), commits: 1, solved: 1, ..Turns::default() };
        let mut commits = history.first_parents(self.head)?.peekable();
        while let Some(commit) = commits.next() {
            let done = base.as_ref().is_some_and(|base| base.id == commit.id);
            let Some(parent) = commits.peek().filter(|_| !done && found.turns.len() < self.turns) else { break };
            found.commits += 1;
            progress(found.commits);
            let changed = history.changed_tops(&parent.id, &commit.id)?;
            if !changed.iter().any(|top| state.names.contains(top.split('.').next().unwrap_or(top))) {
                continue;
            }
            let source = GitSource::open(self.path, &parent.id)?;
            let Some(earlier) = state.index.read_again(&source)? else { continue };
            let earlier = self.state(earlier, stop)?;
            found.solved += 1;
            let turned = match self.sought {
                Sought::Installable => earlier.answer.is_some() != state.answer.is_some(),
                Sought::Solution => earlier.answer != state.answer,
            };
            if turned {
                let empty = BTreeMap::new();
                let (old, new) = (earlier.answer.as_ref().unwrap_or(&empty), state.answer.as_ref().unwrap_or(&empty));
                found.turns.push(Turn {
                    commit,
                    before: earlier.answer.is_some(),
                    after: state.answer.is_some(),
                    differences: between(old, new),
                    facts: match (&earlier.answer, &state.answer) {
                        (Some(_), None) => self.why(&state.index, stop)?,
                        (None, Some(_)) => self.why(&earlier.index, stop)?,
                        _ => vec![],
                    },
                });
            }
            state = earlier;
        }
        Ok(found)
    }

    fn state(&self, index: Index, stop: &Stop) -> Result<State, SolveError> {
        let view = View::new(&index, self.platform);
        let answer = match solve_until(&view, self.request, stop) {
            Ok(selection) => {
                let version = |package| index.version(index.package_version(package)).to_owned();
                let name = |package| PackageName::new(index.name(index.package_name(package)));
                let packages = selection.packages().iter();
                Some(packages.filter_map(|package| Some((name(*package)?, version(*package)))).collect())
            }
            Err(
                SolveError::NoSolution
                | SolveError::UnknownName { .. }
                | SolveError::UnknownVersion { .. }
                | SolveError::Broken { .. },
            ) => None,
            Err(error) => return Err(error),
        };
        let names = self.names(&index);
        Ok(State { answer, names, index })
    }

    /// Why there is no solution.
    fn why(&self, index: &Index, stop: &Stop) -> Result<Vec<Fact>, SolveError> {
        match explain_facts(&View::new(index, self.platform), self.request, stop) {
            Err(SolveError::UnknownName { .. } | SolveError::UnknownVersion { .. } | SolveError::Broken { .. }) => {
                Ok(vec![])
            }
            facts => facts,
        }
    }

    /// The names that can be reached from what is asked for, whatever the platform and the versions. A name
    /// that is not there yet belongs to them: it may come.
    fn names(&self, index: &Index) -> FxHashSet<String> {
        let roots = self.request.roots.iter().map(|root| root.name.as_str());
        let mut names: FxHashSet<String> = roots.clone().map(str::to_owned).collect();
        let mut waiting: Vec<NameId> = roots.filter_map(|root| index.find_name(root)).collect();
        let mut reached = vec![false; index.name_count()];
        while let Some(name) = waiting.pop() {
            if std::mem::replace(&mut reached[name.place()], true) {
                continue;
            }
            names.insert(index.name(name).to_owned());
            for package in index.versions_of(name) {
                waiting.extend(index.depends(package).names().filter(|other| !reached[other.place()]));
            }
        }
        names
    }
}
