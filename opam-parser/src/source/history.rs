//! The history of a git repository, and what differs between two states of it.

use super::SourceError;
use super::git::{entries, git_error, open};
use git2::{Delta, DiffOptions, ObjectType, Oid, Repository};
use rustc_hash::FxHashMap;
use std::path::{Path, PathBuf};

/// A repository's commits.
pub struct History {
    path: PathBuf,
    repository: Repository,
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id in hexadecimal digits.
    pub id: String,
    /// The first line of its message.
    pub summary: String,
    /// Who made it: `NAME <ADDRESS>`.
    pub author: String,
    /// When it was committed, in seconds since 1970.
    pub seconds: i64,
}

/// A file that differs between two states.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Its path from the root: `packages/utop/utop.2.14.0/opam`.
    pub path: String,
    /// It was there before.
    pub before: bool,
    /// It is there after.
    pub after: bool,
}

/// Branches that pull requests usually go to, the likeliest first.
const TARGETS: [&str; 6] = ["upstream/master", "upstream/main", "origin/HEAD", "origin/master", "master", "main"];

impl History {
    /// Opens a git repository, bare or not, or a directory in its checkout.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        Ok(Self { path: path.into(), repository: open(path)? })
    }

    fn no_revision(&self, revision: &str) -> SourceError {
        SourceError::NoRevision { repository: self.path.clone(), revision: revision.into() }
    }

    fn find(&self, revision: &str) -> Result<git2::Commit<'_>, SourceError> {
        let found = self.repository.revparse_single(revision).and_then(|object| object.peel_to_commit());
        found.map_err(|_| self.no_revision(revision))
    }

    /// The commit that a revision expression names.
    ///
    /// # Errors
    /// When there is no such commit.
    pub fn commit(&self, revision: &str) -> Result<Commit, SourceError> {
        Ok(described(&self.find(revision)?))
    }

    /// The branch that changes are most likely meant for, if there is one.
    pub fn target_branch(&self) -> Option<&'static str> {
        TARGETS.into_iter().find(|name| self.find(name).is_ok())
    }

    /// The commit at which two revisions parted; `None` if they have nothing in common.
    ///
    /// # Errors
    /// When there is no such revision, or the repository cannot be read.
    pub fn merge_base(&self, a: &str, b: &str) -> Result<Option<Commit>, SourceError> {
        let (a, b) = (self.find(a)?.id(), self.find(b)?.id());
        match self.repository.merge_base(a, b) {
            Ok(id) => Ok(Some(described(&self.repository.find_commit(id).map_err(git_error(&self.path))?))),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(git_error(&self.path)(error)),
        }
    }

    /// A commit and those before it, each the first parent of the one before.
    ///
    /// # Errors
    /// When there is no such revision.
    pub fn first_parents(&self, revision: &str) -> Result<impl Iterator<Item = Commit> + '_, SourceError> {
        let first = self.find(revision)?;
        Ok(std::iter::successors(Some(first), |commit| commit.parent(0).ok()).map(|commit| described(&commit)))
    }

    /// The entries of `packages/` with their trees.
    fn tops(&self, commit: &str) -> Result<FxHashMap<String, Oid>, SourceError> {
        let error = git_error(&self.path);
        let tree = self.find(commit)?.tree().map_err(&error)?;
        let Some(packages) = tree.get_name("packages").filter(|entry| entry.kind() == Some(ObjectType::Tree)) else {
            return Ok(FxHashMap::default());
        };
        let objects = self.repository.odb().map_err(&error)?;
        let tree = objects.read(packages.id()).map_err(&error)?;
        Ok(entries(tree.data()).map(|entry| (entry.name.to_owned(), entry.id)).collect())
    }

    /// The entries directly below `packages/` that differ between two commits, sorted.
    ///
    /// # Errors
    /// When there are no such commits.
    pub fn changed_tops(&self, before: &str, after: &str) -> Result<Vec<String>, SourceError> {
        let (mut before, after) = (self.tops(before)?, self.tops(after)?);
        let mut changed: Vec<String> =
            after.into_iter().filter(|(name, id)| before.remove(name) != Some(*id)).map(|(name, _)| name).collect();
        changed.extend(before.into_keys());
        changed.sort_unstable();
        changed.dedup();
        Ok(changed)
    }

    /// The files below `packages/` that differ between a commit and another one, or, with `None`, the
    /// working tree, whose new files count whether or not git knows them. Sorted by path.
    ///
    /// # Errors
    /// When there are no such commits, or the working tree cannot be read.
    pub fn differences(&self, before: &str, after: Option<&str>) -> Result<Vec<Difference>, SourceError> {
        let error = git_error(&self.path);
        let before = self.find(before)?.tree().map_err(&error)?;
        let mut options = DiffOptions::new();
        options.pathspec("packages/").disable_pathspec_match(true).context_lines(0);
        options.include_untracked(true).recurse_untracked_dirs(true).skip_binary_check(true);
        let diff = match after {
            Some(after) => {
                let after = self.find(after)?.tree().map_err(&error)?;
                self.repository.diff_tree_to_tree(Some(&before), Some(&after), Some(&mut options))
            }
            None => self.repository.diff_tree_to_workdir_with_index(Some(&before), Some(&mut options)),
        };
        let mut differences: Vec<Difference> = diff
            .map_err(&error)?
            .deltas()
            .filter_map(|delta| {
                let path = delta.new_file().path().or(delta.old_file().path())?;
                Some(Difference {
                    path: path.to_str()?.to_owned(),
                    before: !matches!(delta.status(), Delta::Added | Delta::Untracked),
                    after: delta.status() != Delta::Deleted,
                })
            })
            .collect();
        differences.sort_unstable();
        differences.dedup();
        Ok(differences)
    }
}

fn described(commit: &git2::Commit<'_>) -> Commit {
    let author = commit.author();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Commit {
        id: commit.id().to_string(),
        summary: commit.summary_bytes().map(text).unwrap_or_default(),
        author: format!("{} <{}>", text(author.name_bytes()), text(author.email_bytes())),
        seconds: commit.time().seconds(),
    }
}
