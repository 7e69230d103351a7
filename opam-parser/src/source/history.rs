//! The history of a git repository, and what differs between two states of it.

use super::compare::Difference;
use super::git::{FirstParents, ObjectError, Tree, TreeEntry, find_commit, git_error, open, stamp};
use super::limits::Limit;
use super::{SourceError, Stamp};
use git2::{Delta, DiffOptions, ObjectType, Oid, Repository};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
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

    /// The error for a commit that comes before itself.
    pub fn circle(&self, commit: &str) -> SourceError {
        SourceError::CommitCircle { repository: self.path.clone(), commit: commit.to_owned() }
    }

    fn no_revision(&self, revision: &str) -> SourceError {
        SourceError::NoRevision { repository: self.path.clone(), revision: revision.into() }
    }

    fn find(&self, revision: &str) -> Result<git2::Commit<'_>, SourceError> {
        find_commit(&self.repository, revision).map_err(|_| self.no_revision(revision))
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

    /// A commit and those before it, each the first parent of the one before. The last is an error if the
    /// commits are in a circle.
    ///
    /// # Errors
    /// When there is no such revision.
    pub fn first_parents(
        &self,
        revision: &str,
    ) -> Result<impl Iterator<Item = Result<Commit, SourceError>> + '_, SourceError> {
        let commits = FirstParents::new(&self.path, self.find(revision)?);
        Ok(commits.map(|commit| commit.map(|commit| described(&commit))))
    }

    /// The tree of `packages/`.
    fn packages(&self, commit: &str) -> Result<Option<Oid>, SourceError> {
        let tree = self.find(commit)?.tree().map_err(git_error(&self.path))?;
        let entry = tree.get_name("packages").filter(|entry| entry.kind() == Some(ObjectType::Tree));
        Ok(entry.map(|entry| entry.id()))
    }

    /// The ids of a commit's parents.
    ///
    /// # Errors
    /// When there is no such revision.
    pub fn parents(&self, revision: &str) -> Result<Vec<String>, SourceError> {
        Ok(self.find(revision)?.parent_ids().map(|id| id.to_string()).collect())
    }

    /// For each directory directly below `packages/` at a commit its state, which for git is the id of its tree.
    ///
    /// # Errors
    /// When there is no such revision, or the repository cannot be read.
    pub fn names(&self, revision: &str) -> Result<FxHashMap<String, Stamp>, SourceError> {
        let Some(packages) = self.packages(revision)? else { return Ok(FxHashMap::default()) };
        self.directories_of(packages)
    }

    /// The directories directly in one that is in this state.
    ///
    /// # Errors
    /// When the repository has no such tree.
    pub fn directories(&self, state: Stamp) -> Result<Vec<String>, SourceError> {
        let id = Oid::from_bytes(bytemuck::bytes_of(&state)).map_err(git_error(&self.path))?;
        let mut names: Vec<String> = self.directories_of(id)?.into_keys().collect();
        names.sort_unstable();
        Ok(names)
    }

    fn directories_of(&self, tree: Oid) -> Result<FxHashMap<String, Stamp>, SourceError> {
        let objects = self.repository.odb().map_err(git_error(&self.path))?;
        let tree = Tree::read(&objects, tree).map_err(|error| self.damaged(&error))?;
        let entries = self.listed(Some(&tree))?;
        let directories = entries.iter().filter(|entry| entry.directory);
        Ok(directories.map(|entry| (entry.name.to_owned(), stamp(entry.id))).collect())
    }

    /// The entries directly below `packages/` that differ between two commits, sorted.
    ///
    /// # Errors
    /// When there are no such commits.
    pub fn changed_tops(&self, before: &str, after: &str) -> Result<Vec<String>, SourceError> {
        let differing = self.differing_tops(before, after)?;
        Ok(differing.into_iter().map(|top| top.name).collect())
    }

    /// The entries of a tree; none if there is no tree.
    fn listed<'t>(&self, tree: Option<&'t Tree<'_>>) -> Result<Vec<TreeEntry<'t>>, SourceError> {
        tree.map_or(Ok(Vec::new()), |tree| tree.entries().map_err(|error| self.damaged(&error)))
    }

    fn damaged(&self, error: &ObjectError) -> SourceError {
        SourceError::Git { repository: self.path.clone(), message: format!("`packages` {error}") }
    }

    fn differing_tops(&self, before: &str, after: &str) -> Result<Vec<DifferingTop>, SourceError> {
        let (old, new) = (self.packages(before)?, self.packages(after)?);
        if old == new {
            return Ok(vec![]);
        }
        let objects = self.repository.odb().map_err(git_error(&self.path))?;
        let read = |id: Option<Oid>| id.map(|id| Tree::read(&objects, id)).transpose().map_err(|e| self.damaged(&e));
        let (old, new) = (read(old)?, read(new)?);
        let old = self.listed(old.as_ref())?;
        let mut before: FxHashMap<&str, Oid> = old.iter().map(|entry| (entry.name, entry.id)).collect();
        let mut differing = Vec::new();
        for entry in self.listed(new.as_ref())? {
            let old = before.remove(entry.name);
            if old != Some(entry.id) {
                differing.push(DifferingTop { name: entry.name.to_owned(), before: old, after: Some(entry.id) });
            }
        }
        let gone = before.into_iter();
        differing.extend(gone.map(|(name, id)| DifferingTop { name: name.to_owned(), before: Some(id), after: None }));
        differing.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(differing)
    }

    /// The files below `packages/` that differ between a commit and another one, or, with `None`, the
    /// working tree, whose new files count whether or not git knows them. Sorted by path.
    ///
    /// # Errors
    /// When there are no such commits, or the working tree cannot be read.
    pub fn differences(&self, before: &str, after: Option<&str>) -> Result<Vec<Difference>, SourceError> {
        let Some(after) = after else { return self.working_tree_differences(before) };
        let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
        let objects = self.repository.odb().map_err(git_error(&self.path))?;
        // libgit2 would walk over all 4,700 entries of both.
        for top in self.differing_tops(before, after)? {
            for (id, files) in [(top.before, &mut old), (top.after, &mut new)] {
                if let Some(id) = id {
                    let path = format!("packages/{}", top.name);
                    Files { objects: &objects, directories: 0, files }.add(id, path, 0);
                }
            }
        }
        let mut paths: Vec<&String> = old.keys().chain(new.keys()).collect();
        paths.sort_unstable();
        paths.dedup();
        let differing = paths.into_iter().filter(|path| old.get(*path) != new.get(*path));
        let difference = |path: &String| Difference {
            path: path.clone(),
            before: old.contains_key(path),
            after: new.contains_key(path),
        };
        Ok(differing.map(difference).collect())
    }

    fn working_tree_differences(&self, before: &str) -> Result<Vec<Difference>, SourceError> {
        let error = git_error(&self.path);
        let before = self.find(before)?.tree().map_err(&error)?;
        let mut options = DiffOptions::new();
        options.pathspec("packages/").disable_pathspec_match(true).context_lines(0);
        options.include_untracked(true).recurse_untracked_dirs(true).skip_binary_check(true);
        let diff = self.repository.diff_tree_to_workdir_with_index(Some(&before), Some(&mut options));
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

/// An entry of `packages/` that differs, with what it is in each state.
struct DifferingTop {
    name: String,
    before: Option<Oid>,
    after: Option<Oid>,
}

/// The files below an entry of `packages/`, by path.
struct Files<'f> {
    objects: &'f git2::Odb<'f>,
    directories: u64,
    files: &'f mut BTreeMap<String, Oid>,
}

impl Files<'_> {
    /// Adds the files of a tree, or the file that it is. A directory that cannot be read, or is beyond the limits,
    /// counts as one file: whether it differs can be told, what in it does not.
    fn add(&mut self, id: Oid, path: String, depth: u64) {
        let within = depth <= Limit::Depth.most() && self.directories < Limit::EntryDirectories.most();
        let tree = within.then(|| Tree::read(self.objects, id).ok()).flatten();
        let Some(entries) = tree.as_ref().and_then(|tree| tree.entries().ok()) else {
            self.files.insert(path, id);
            return;
        };
        self.directories += 1;
        for entry in entries {
            let path = format!("{path}/{}", entry.name);
            match entry.directory {
                true => self.add(entry.id, path, depth + 1),
                false => drop(self.files.insert(path, entry.id)),
            }
        }
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
