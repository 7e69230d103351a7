//! A commit of a git repository, bare or not, read from its objects without a checkout.
//!
//! A file's stamp is the id of its blob, an entry's that of its tree: what did not change between
//! two commits is known without reading it.

use super::{Entry, MAX_FILE, Reader, Sink, Source, SourceError, Stamp, Top};
use git2::{ObjectType, Oid, Repository};
use std::path::{Path, PathBuf};

/// A commit's `packages/`.
pub struct GitSource {
    path: PathBuf,
    commit: Oid,
    root: Oid,
    packages: Oid,
    /// Opens the repository for one thread once, not for each reader.
    opened: std::sync::Mutex<Vec<Repository>>,
}

pub(super) fn git_error(path: &Path) -> impl Fn(git2::Error) -> SourceError + '_ {
    move |error| SourceError::Git { repository: path.into(), message: error.message().to_owned() }
}

pub(super) fn open(path: &Path) -> Result<Repository, SourceError> {
    // libgit2 would hash every object that it reads again, which takes longer than reading it. git does not
    // do so either: `git fsck` is for that.
    static TRUST: std::sync::Once = std::sync::Once::new();
    TRUST.call_once(|| git2::opts::strict_hash_verification(false));
    if !path.exists() {
        return Err(SourceError::Missing(path.into()));
    }
    Repository::open(path).or_else(|_| Repository::discover(path)).map_err(|error| match error.code() {
        git2::ErrorCode::NotFound => SourceError::NotGit(path.into()),
        _ => git_error(path)(error),
    })
}

impl GitSource {
    /// Opens a commit by any revision expression: a branch, a tag, `HEAD~3`, `main@{yesterday}`.
    ///
    /// # Errors
    /// When there is no git repository, no such revision, or no `packages/` in it.
    pub fn open(path: &Path, revision: &str) -> Result<Self, SourceError> {
        let repository = open(path)?;
        let no_revision = || SourceError::NoRevision { repository: path.into(), revision: revision.into() };
        let found = repository.revparse_single(revision).and_then(|object| object.peel_to_commit());
        let commit = found.map(|commit| commit.id()).map_err(|_| no_revision())?;
        Self::at(path, repository, commit)
    }

    /// Opens the last commit made at or before a time (seconds since 1970), going back from
    /// `revision` along first parents: what a checkout of that branch held then.
    ///
    /// # Errors
    /// As [`GitSource::open`], and when all commits are younger; `shown` is the time as it was given.
    pub fn open_at_time(path: &Path, revision: &str, seconds: i64, shown: &str) -> Result<Self, SourceError> {
        let repository = open(path)?;
        let no_revision = || SourceError::NoRevision { repository: path.into(), revision: revision.into() };
        let found = {
            let object = repository.revparse_single(revision).map_err(|_| no_revision())?;
            let mut commit = object.peel_to_commit().map_err(|_| no_revision())?;
            loop {
                if commit.time().seconds() <= seconds {
                    break commit.id();
                }
                commit = commit
                    .parent(0)
                    .map_err(|_| SourceError::NoCommitBefore { repository: path.into(), date: shown.into() })?;
            }
        };
        Self::at(path, repository, found)
    }

    fn at(path: &Path, repository: Repository, commit: Oid) -> Result<Self, SourceError> {
        let error = git_error(path);
        let (root, packages) = {
            let tree = repository.find_commit(commit).and_then(|commit| commit.tree()).map_err(&error)?;
            let entry = tree.get_name("packages").filter(|entry| entry.kind() == Some(ObjectType::Tree));
            let entry = entry.ok_or(SourceError::NotARepository {
                path: path.into(),
                reason: "that commit has no directory `packages`",
            })?;
            (tree.id(), entry.id())
        };
        Ok(Self { path: path.into(), commit, root, packages, opened: std::sync::Mutex::new(vec![repository]) })
    }

    /// The commit, in hexadecimal digits.
    pub fn commit(&self) -> String {
        self.commit.to_string()
    }

    /// The id of the tree of `packages/`: equal ids hold the same files, in any repository.
    pub fn packages_id(&self) -> String {
        self.packages.to_string()
    }

    fn take(&self) -> Result<Repository, SourceError> {
        let kept = self.opened.lock().ok().and_then(|mut opened| opened.pop());
        kept.map_or_else(|| open(&self.path), Ok)
    }

    fn give_back(&self, repository: Repository) {
        if let Ok(mut opened) = self.opened.lock() {
            opened.push(repository);
        }
    }
}

pub(super) fn stamp(id: Oid) -> Stamp {
    bytemuck::pod_read_unaligned(id.as_bytes())
}

impl Source for GitSource {
    fn label(&self) -> String {
        format!("{}#{:.10}", self.path.display(), self.commit)
    }

    fn tops(&self) -> Result<Vec<Top>, SourceError> {
        let repository = self.take()?;
        let tops = {
            let error = git_error(&self.path);
            let objects = repository.odb().map_err(&error)?;
            let tree = objects.read(self.packages).map_err(&error)?;
            let directories = entries(tree.data()).filter(|entry| entry.directory);
            let mut tops: Vec<Top> =
                directories.map(|entry| Top { name: entry.name.to_owned(), stamp: stamp(entry.id) }).collect();
            tops.sort_unstable_by(|a, b| a.name.cmp(&b.name));
            tops
        };
        self.give_back(repository);
        Ok(tops)
    }

    fn reader(&self) -> Result<Box<dyn Reader + '_>, SourceError> {
        Ok(Box::new(GitReader { source: self, repository: Some(self.take()?) }))
    }

    fn fetch(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        let repository = self.take()?;
        let read = || {
            let tree = repository.find_tree(self.root)?;
            let object = tree.get_path(Path::new(path))?.to_object(&repository)?;
            Ok(object.peel_to_blob()?.content().to_owned())
        };
        let text = read().map_err(git_error(&self.path));
        self.give_back(repository);
        text
    }
}

struct GitReader<'s> {
    source: &'s GitSource,
    /// There until the reader is dropped.
    repository: Option<Repository>,
}

impl Drop for GitReader<'_> {
    fn drop(&mut self) {
        if let Some(repository) = self.repository.take() {
            self.source.give_back(repository);
        }
    }
}

impl Reader for GitReader<'_> {
    fn visit(&mut self, top: &mut Top, sink: &mut Sink<'_>) -> Result<(), SourceError> {
        let Some(repository) = &self.repository else { return Ok(()) };
        let error = git_error(&self.source.path);
        let visit = Visit { objects: &repository.odb().map_err(&error)?, path: &self.source.path };
        let id = Oid::from_bytes(bytemuck::bytes_of(&top.stamp)).map_err(&error)?;
        visit.tree(id, "", sink)
    }
}

/// Trees are read raw: libgit2 would parse and keep all 23,000 of them.
struct Visit<'v> {
    objects: &'v git2::Odb<'v>,
    path: &'v Path,
}

/// An entry of a raw tree object: `MODE NAME NUL ID`.
pub(super) struct TreeEntry<'t> {
    pub(super) directory: bool,
    /// Not a link, a submodule or a directory.
    regular: bool,
    pub(super) name: &'t str,
    pub(super) id: Oid,
}

const ID: usize = 20;

/// The entries of a tree whose names are UTF-8: others cannot be packages.
pub(super) fn entries(mut tree: &[u8]) -> impl Iterator<Item = TreeEntry<'_>> {
    std::iter::from_fn(move || {
        loop {
            let blank = memchr::memchr(b' ', tree)?;
            let end = blank + memchr::memchr(0, &tree[blank..])?;
            let id = tree.get(end + 1..end + 1 + ID)?;
            let (mode, name) = (&tree[..blank], &tree[blank + 1..end]);
            tree = &tree[end + 1 + ID..];
            if let (Ok(name), Ok(id)) = (std::str::from_utf8(name), Oid::from_bytes(id)) {
                let directory = mode == b"40000" || mode == b"040000";
                return Some(TreeEntry { directory, regular: mode.starts_with(b"100"), name, id });
            }
        }
    })
}

impl Visit<'_> {
    fn read(&self, id: Oid) -> Result<git2::OdbObject<'_>, SourceError> {
        self.objects.read(id).map_err(git_error(self.path))
    }

    fn tree(&self, id: Oid, directory: &str, sink: &mut Sink<'_>) -> Result<(), SourceError> {
        let object = self.read(id)?;
        let regular =
            |name: &str| entries(object.data()).find(|entry| entry.regular && entry.name == name).map(|entry| entry.id);
        if let Some(opam) = regular("opam") {
            let companions = [regular("url"), regular("descr")];
            return sink(&mut GitEntry { visit: self, directory, opam, companions, blob: None });
        }
        let mut below: Vec<(&str, Oid)> =
            entries(object.data()).filter(|entry| entry.directory).map(|entry| (entry.name, entry.id)).collect();
        // git sorts directories as if their names ended in `/`; the walk goes by the names.
        below.sort_unstable();
        for (name, id) in below {
            let path = if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") };
            self.tree(id, &path, sink)?;
        }
        Ok(())
    }
}

struct GitEntry<'e> {
    visit: &'e Visit<'e>,
    directory: &'e str,
    opam: Oid,
    companions: [Option<Oid>; 2],
    blob: Option<git2::OdbObject<'e>>,
}

impl Entry for GitEntry<'_> {
    fn directory(&self) -> &str {
        self.directory
    }

    fn stamp(&self) -> Stamp {
        if self.companions == [None, None] {
            return stamp(self.opam);
        }
        let ids: Vec<u8> = [Some(self.opam), self.companions[0], self.companions[1]]
            .iter()
            .flat_map(|id| id.unwrap_or(Oid::ZERO_SHA1).as_bytes().to_vec())
            .collect();
        let [a, b, c, d]: [u32; 4] = bytemuck::cast(xxhash_rust::xxh3::xxh3_128(&ids));
        [a, b, c, d, 1]
    }

    fn opam(&mut self) -> Result<Option<&[u8]>, SourceError> {
        let blob = self.blob.insert(self.visit.read(self.opam)?);
        Ok(Some(blob.data()).filter(|text| text.len() as u64 <= MAX_FILE))
    }

    fn companion(&mut self, name: &str) -> Result<Option<Vec<u8>>, SourceError> {
        let id = self.companions[usize::from(name == "descr")];
        id.map(|id| Ok(self.visit.read(id)?.data().to_owned())).transpose()
    }
}
