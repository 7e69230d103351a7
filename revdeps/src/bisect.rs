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

use crate::impact::{SelectionDifference, selection_differences};
use caravan_solver::explain::Fact;
use caravan_solver::target::is_unknown;
use caravan_solver::{Platform, Request, SolveError, Solver, Stop, View};
use opam_parser::index::{BuildError, Index, NameId};
use opam_parser::name::PackageName;
use opam_parser::source::SourceError;
use opam_parser::source::git::GitSource;
use opam_parser::source::history::{Commit, History};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::Path;

/// What is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Sought {
    /// Whether there is a solution.
    #[default]
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
    /// How many changes of the answer are wanted, newest first.
    pub limit: usize,
}

/// A commit that changed the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerChange {
    /// The commit.
    pub commit: Commit,
    /// There was a solution before it.
    pub before: bool,
    /// There is one with it.
    pub after: bool,
    /// What differs between the two solutions, in opam's order; of a solution and none, all of it.
    pub differences: Vec<SelectionDifference>,
    /// Why there is none on the side without; nothing where something that was asked for does not exist.
    pub facts: Vec<Fact>,
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bisection {
    /// The commits that changed the answer, newest first.
    pub changes: Vec<AnswerChange>,
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

/// An index: the newest one, which is the caller's, or one that was made on the way.
enum StateIndex<'n> {
    Newest(&'n Index),
    Earlier(Box<Index>),
}

impl Deref for StateIndex<'_> {
    type Target = Index;

    fn deref(&self) -> &Index {
        match self {
            Self::Newest(index) => index,
            Self::Earlier(index) => index,
        }
    }
}

/// Whether a commit is another one, or among its first parents.
fn is_ancestor(history: &History, id: &str, of: &str) -> Result<bool, SourceError> {
    for commit in history.first_parents(of)? {
        if commit?.id == id {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A state that was solved.
struct SolvedState<'n> {
    index: StateIndex<'n>,
    /// The versions of the best selection, by name; `None` where there is none.
    selected: Option<BTreeMap<PackageName, String>>,
    /// The names that the answer can depend on.
    names: FxHashSet<String>,
}

impl Bisect<'_> {
    /// Searches from the newest commit, of which the index is given, to the oldest. `progress` is told how many
    /// commits are done.
    ///
    /// # Errors
    /// When a commit cannot be read, or the search was stopped.
    pub fn run(&self, newest: &Index, stop: &Stop, progress: &dyn Fn(usize)) -> Result<Bisection, BisectError> {
        let history = History::open(self.path)?;
        let base = self.base.map(|base| history.commit(base)).transpose()?;
        if let Some(base) = &base
            && !is_ancestor(&history, &base.id, self.head)?
        {
            let base = self.base.unwrap_or_default().to_owned();
            return Err(BisectError::NotBefore { base, head: self.head.to_owned() });
        }
        let mut later = self.solve(StateIndex::Newest(newest), stop)?;
        let mut found =
            Bisection { installable: later.selected.is_some(), commits: 1, solved: 1, ..Bisection::default() };
        let mut commits = history.first_parents(self.head)?;
        let mut next = commits.next().transpose()?;
        while let Some(commit) = next.take() {
            let done = base.as_ref().is_some_and(|base| base.id == commit.id);
            if done || found.changes.len() >= self.limit {
                break;
            }
            let Some(parent) = commits.next().transpose()? else { break };
            next = Some(parent.clone());
            found.commits += 1;
            progress(found.commits);
            let changed = history.changed_tops(&parent.id, &commit.id)?;
            if !changed.iter().any(|top| later.names.contains(top.split('.').next().unwrap_or(top))) {
                continue;
            }
            let source = GitSource::open(self.path, &parent.id)?;
            let Some(index) = later.index.read_again(&source)? else { continue };
            let earlier = self.solve(StateIndex::Earlier(Box::new(index)), stop)?;
            found.solved += 1;
            if self.differs(&earlier, &later) {
                found.changes.push(self.change(commit, &earlier, &later, stop)?);
            }
            later = earlier;
        }
        Ok(found)
    }

    /// Whether the answer of two states differs in what is looked for.
    fn differs(&self, earlier: &SolvedState<'_>, later: &SolvedState<'_>) -> bool {
        match self.sought {
            Sought::Installable => earlier.selected.is_some() != later.selected.is_some(),
            Sought::Solution => earlier.selected != later.selected,
        }
    }

    /// What a commit changed, given the states before and after it.
    fn change(
        &self,
        commit: Commit,
        earlier: &SolvedState<'_>,
        later: &SolvedState<'_>,
        stop: &Stop,
    ) -> Result<AnswerChange, SolveError> {
        let empty = BTreeMap::new();
        let (old, new) = (earlier.selected.as_ref(), later.selected.as_ref());
        Ok(AnswerChange {
            commit,
            before: old.is_some(),
            after: new.is_some(),
            differences: selection_differences(old.unwrap_or(&empty), new.unwrap_or(&empty)),
            facts: match (old, new) {
                (Some(_), None) => self.why(&later.index, stop)?,
                (None, Some(_)) => self.why(&earlier.index, stop)?,
                _ => vec![],
            },
        })
    }

    fn solve<'n>(&self, index: StateIndex<'n>, stop: &Stop) -> Result<SolvedState<'n>, SolveError> {
        let view = View::new(&index, self.platform);
        let selected = match Solver::new(&view).stop(stop).solve(self.request) {
            Ok(selection) => {
                let version = |package| index.version(index.package_version(package)).to_owned();
                let name = |package| PackageName::new(index.name(index.package_name(package)));
                let packages = selection.packages().iter();
                Some(packages.filter_map(|package| Some((name(*package)?, version(*package)))).collect())
            }
            Err(SolveError::NoSolution) => None,
            Err(error) if is_unknown(&error) => None,
            Err(error) => return Err(error),
        };
        let names = self.names(&index);
        Ok(SolvedState { selected, names, index })
    }

    /// Why there is no solution.
    fn why(&self, index: &Index, stop: &Stop) -> Result<Vec<Fact>, SolveError> {
        match Solver::new(&View::new(index, self.platform)).stop(stop).explain_facts(self.request) {
            Err(error) if is_unknown(&error) => Ok(vec![]),
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
