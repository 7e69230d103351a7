//! A commit of a git repository, bare or not, read from its objects without a checkout.
//!
//! A file's stamp is the id of its blob, an entry's that of its tree: what did not change between
//! two commits is known without reading it.

use super::limits::Limit;
use super::walk::{Totals, Walk, count};
use super::{Entry, Reader, Sink, Source, SourceError, Stamp, Top, Unread};
use git2::{ObjectType, Oid, Repository};
use rustc_hash::FxHashSet;
use std::cell::Cell;
use std::path::{Path, PathBuf};

/// A commit's `packages/`.
pub struct GitSource {
    path: PathBuf,
    commit: Oid,
    root: Oid,
    packages: Oid,
    /// Opens the repository for one thread once, not for each reader.
    opened: std::sync::Mutex<Vec<Repository>>,
    /// Since [`Source::tops`].
    totals: Totals,
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
        let commit = find_commit(&repository, revision).map(|commit| commit.id()).map_err(|_| no_revision())?;
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
            let first = find_commit(&repository, revision).map_err(|_| no_revision())?;
            let mut commits = FirstParents::new(path, first);
            let none = || SourceError::NoCommitBefore { repository: path.into(), date: shown.into() };
            loop {
                let commit = commits.next().ok_or_else(none)??;
                if commit.time().seconds() <= seconds {
                    break commit.id();
                }
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
        let opened = std::sync::Mutex::new(vec![repository]);
        Ok(Self { path: path.into(), commit, root, packages, opened, totals: Totals::default() })
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

/// How many tags may point at each other before one of them has to point at a commit.
const MOST_TAGS: usize = 16;

/// The commit that a revision expression names.
pub(super) fn find_commit<'r>(repository: &'r Repository, revision: &str) -> Result<git2::Commit<'r>, git2::Error> {
    let mut object = repository.revparse_single(revision)?;
    // libgit2 would follow tags in a circle for ever.
    for _ in 0..MOST_TAGS {
        match object.as_tag() {
            Some(tag) => object = tag.target()?,
            None => return object.peel_to_commit(),
        }
    }
    Err(git2::Error::from_str("its tags are in a circle"))
}

/// A commit and those before it, each the first parent of the one before.
pub(super) struct FirstParents<'r> {
    path: PathBuf,
    next: Option<git2::Commit<'r>>,
    seen: FxHashSet<Oid>,
}

impl<'r> FirstParents<'r> {
    pub(super) fn new(path: &Path, first: git2::Commit<'r>) -> Self {
        Self { path: path.into(), next: Some(first), seen: FxHashSet::default() }
    }
}

impl<'r> Iterator for FirstParents<'r> {
    type Item = Result<git2::Commit<'r>, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        let commit = self.next.take()?;
        if !self.seen.insert(commit.id()) {
            let commit = commit.id().to_string();
            return Some(Err(SourceError::CommitCircle { repository: self.path.clone(), commit }));
        }
        // A clone that is not complete ends where its commits do.
        self.next = commit.parent(0).ok();
        Some(Ok(commit))
    }
}

/// Why an object of a tree is not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ObjectError {
    #[error("{0}")]
    Limit(#[from] Limit),
    #[error("is no {0} in git")]
    Kind(&'static str),
    #[error("is damaged")]
    Damaged,
    #[error("cannot be read: {}", .0.message())]
    Git(#[from] git2::Error),
}

/// A blob, if it is one and is not too large. Its header says so without unpacking it.
fn read_file<'o>(objects: &'o git2::Odb<'o>, id: Oid) -> Result<git2::OdbObject<'o>, ObjectError> {
    let (size, kind) = objects.read_header(id)?;
    if kind != ObjectType::Blob {
        return Err(ObjectError::Kind("blob"));
    }
    if size as u64 > Limit::File.most() {
        return Err(Limit::File.into());
    }
    Ok(objects.read(id)?)
}

/// The text of a file. `None` if it is too large.
fn read_blob<'o>(objects: &'o git2::Odb<'o>, id: Oid) -> Result<Option<git2::OdbObject<'o>>, SourceError> {
    match read_file(objects, id) {
        Ok(blob) => Ok(Some(blob)),
        Err(ObjectError::Limit(_)) => Ok(None),
        Err(error) => Err(SourceError::File { reason: error.to_string() }),
    }
}

/// A tree object.
pub(super) struct Tree<'o>(git2::OdbObject<'o>);

impl<'o> Tree<'o> {
    pub(super) fn read(objects: &'o git2::Odb<'o>, id: Oid) -> Result<Self, ObjectError> {
        // Asking for its header first, as with blobs, would make a cold start a third slower; so one that is too large
        // takes its memory once before it is refused. Workers of services have a limit of memory.
        let object = objects.read(id)?;
        if object.kind() != ObjectType::Tree {
            return Err(ObjectError::Kind("tree"));
        }
        if object.len() as u64 > Limit::DirectoryEntries.most() * 64 {
            return Err(Limit::DirectoryEntries.into());
        }
        Ok(Self(object))
    }

    pub(super) fn entries(&self) -> Result<Vec<TreeEntry<'_>>, ObjectError> {
        entries(self.0.data())
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
        self.totals.reset();
        let repository = self.take()?;
        let tops = {
            let objects = repository.odb().map_err(git_error(&self.path))?;
            let packages = |error: ObjectError| SourceError::Git {
                repository: self.path.clone(),
                message: format!("`packages` of {:.10} {error}", self.commit),
            };
            let tree = Tree::read(&objects, self.packages).map_err(packages)?;
            let entries = tree.entries().map_err(packages)?;
            let directories = entries.iter().filter(|entry| entry.directory);
            let mut tops: Vec<Top> =
                directories.map(|entry| Top { name: entry.name.to_owned(), stamp: stamp(entry.id) }).collect();
            if tops.is_empty() && entries.iter().any(|entry| !entry.name.starts_with('.')) {
                return Err(SourceError::NoPackages { label: self.label(), unread: Vec::new() });
            }
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
        let text = {
            let objects = repository.odb().map_err(git_error(&self.path))?;
            let find = || Ok(repository.find_tree(self.root)?.get_path(Path::new(path))?.id());
            let id = find().map_err(git_error(&self.path))?;
            let too_large = SourceError::Limit { path: path.to_owned(), limit: Limit::File };
            read_blob(&objects, id)?.map(|blob| blob.data().to_owned()).ok_or(too_large)
        };
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
    fn visit(&mut self, top: &mut Top, sink: &mut Sink<'_>) -> Result<Vec<Unread>, SourceError> {
        let Some(repository) = &self.repository else { return Ok(Vec::new()) };
        let error = git_error(&self.source.path);
        let objects = repository.odb().map_err(&error)?;
        let id = Oid::from_bytes(bytemuck::bytes_of(&top.stamp)).map_err(&error)?;
        let mut visit = Visit { objects: &objects, walk: Walk::new(&top.name) };
        visit.tree(id, "", 0, sink)?;
        visit.walk.finish(&self.source.totals, || self.source.label())
    }
}

/// Trees are read raw: libgit2 would parse and keep all 23,000 of them.
struct Visit<'v> {
    objects: &'v git2::Odb<'v>,
    walk: Walk<'v>,
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

/// The entries of a tree whose names are UTF-8 and those of files: others cannot be packages.
pub(super) fn entries(mut tree: &[u8]) -> Result<Vec<TreeEntry<'_>>, ObjectError> {
    let mut entries = Vec::new();
    while !tree.is_empty() {
        let (entry, rest) = first_entry(tree).ok_or(ObjectError::Damaged)?;
        tree = rest;
        entries.extend(entry);
    }
    Ok(entries)
}

/// The first entry of a tree, and what follows it.
fn first_entry(tree: &[u8]) -> Option<(Option<TreeEntry<'_>>, &[u8])> {
    let (mode, rest) = tree.split_at_checked(memchr::memchr(b' ', tree)?)?;
    let (name, rest) = rest.get(1..)?.split_at_checked(memchr::memchr(0, rest.get(1..)?)?)?;
    let (id, rest) = rest.get(1..)?.split_at_checked(ID)?;
    let id = Oid::from_bytes(id).ok()?;
    let is_name = |name: &&str| !matches!(*name, "" | "." | "..") && !name.contains('/');
    let entry = std::str::from_utf8(name).ok().filter(is_name).map(|name| {
        let directory = mode == b"40000" || mode == b"040000";
        TreeEntry { directory, regular: mode.starts_with(b"100"), name, id }
    });
    Some((entry, rest))
}

impl Visit<'_> {
    fn tree(&mut self, id: Oid, directory: &str, depth: u64, sink: &mut Sink<'_>) -> Result<(), SourceError> {
        if !self.walk.enter(directory, depth) {
            return Ok(());
        }
        let objects = self.objects;
        let tree = Tree::read(objects, id);
        count(self.walk.bytes(), tree.as_ref().map_or(0, |tree| tree.0.len()));
        let entries = match tree.as_ref().map(Tree::entries) {
            Ok(Ok(entries)) => entries,
            Err(error) => return self.walk.unreadable(directory, error.to_string(), sink),
            Ok(Err(error)) => return self.walk.unreadable(directory, error.to_string(), sink),
        };
        let regular =
            |name: &str| entries.iter().find(|entry| entry.regular && entry.name == name).map(|entry| entry.id);
        if let Some(opam) = regular("opam") {
            let companions = [regular("url"), regular("descr")];
            let bytes = self.walk.bytes();
            return sink(&mut GitEntry { objects, bytes, directory, opam, companions, blob: None });
        }
        let mut below: Vec<(&str, Oid)> =
            entries.iter().filter(|entry| entry.directory).map(|entry| (entry.name, entry.id)).collect();
        // git sorts directories as if their names ended in `/`; the walk goes by the names.
        below.sort_unstable();
        for (name, id) in below {
            let path = if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") };
            self.tree(id, &path, depth + 1, sink)?;
        }
        Ok(())
    }
}

struct GitEntry<'e> {
    objects: &'e git2::Odb<'e>,
    bytes: &'e Cell<u64>,
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
        self.blob = read_blob(self.objects, self.opam)?;
        count(self.bytes, self.blob.as_ref().map_or(0, |blob| blob.len()));
        Ok(self.blob.as_ref().map(git2::OdbObject::data))
    }

    fn companion(&mut self, name: &str) -> Result<Option<Vec<u8>>, SourceError> {
        let id = self.companions[usize::from(name == "descr")];
        let Some(id) = id else { return Ok(None) };
        let too_large = || SourceError::File { reason: format!("has a `{name}` beside it that {}", Limit::File) };
        let blob = read_blob(self.objects, id)?.ok_or_else(too_large)?;
        count(self.bytes, blob.len());
        Ok(Some(blob.data().to_owned()))
    }
}
