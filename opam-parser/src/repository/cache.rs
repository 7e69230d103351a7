//! Indexes on disk, shared by all processes of a user.
//!
//! A file is written beside its final place and renamed into it, so whoever opens it sees all of it
//! or none; it is never written to again, so a mapping stays what it was. What is opened is checked
//! completely (checksum and structure, [`crate::index`]); a file that fails, that belongs to
//! somebody else or that others may write is not believed: the index is made again. Not being able
//! to write is a warning, never a reason not to answer.
//!
//! ```text
//! index/tree-ID.idx      a commit's packages/, by the id of its tree: the same for every clone
//! index/dir-HASH.idx     a directory, by its path; holds the states of its files
//! index/file-HASH.idx    an archive, by path, size, times and inode
//! index/marks-HASH.idx   a directory in opam's root, by the states of opam's own marks
//! index/over-HASH.idx    several of these over each other
//! latest/HASH            the name of the last index made of a repository: where to start from
//! ```

use super::location::Location;
use crate::index::{BuildError, Index, Precedence, Progress, TooLarge};
use crate::source::directory::DirectorySource;
use crate::source::{Source, SourceError};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How many indexes are kept; beyond that the least recently used go.
const KEEP: usize = 48;
/// What a process that was killed left unfinished is removed after this long.
const UNFINISHED: Duration = Duration::from_secs(3600);

/// A cache directory.
#[derive(Clone, Debug)]
pub struct Cache {
    directory: PathBuf,
}

/// Why something cannot be done with the cache itself.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} the cache directory `{}`: {error}", directory.display())]
pub struct CacheError {
    doing: &'static str,
    directory: PathBuf,
    error: io::Error,
}

/// A repository's index, and how it came about.
#[derive(Debug)]
pub struct Opened {
    /// The index.
    pub index: Index,
    /// What went wrong with the cache on the way; the index is right all the same.
    pub warnings: Vec<CacheError>,
}

/// What a cache holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct CacheInfo {
    /// How many indexes.
    pub indexes: usize,
    /// How many other files and clones.
    pub others: usize,
    /// Bytes in all.
    pub bytes: u64,
}

fn hash(parts: &[&[u8]]) -> String {
    let mut hash = xxhash_rust::xxh3::Xxh3::new();
    for part in parts {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    format!("{:032x}", hash.digest128())
}

/// What tells one state of a file from another without reading it.
fn state_of(path: &Path) -> Option<Vec<u8>> {
    let data = fs_err::metadata(path).ok()?;
    let facts = [
        data.mtime(),
        data.mtime_nsec(),
        data.ctime(),
        data.ctime_nsec(),
        data.size() as i64,
        data.ino() as i64,
        data.dev() as i64,
    ];
    Some(facts.iter().flat_map(|fact| fact.to_le_bytes()).collect())
}

fn path_bytes(path: &Path) -> Vec<u8> {
    let absolute = fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    absolute.as_os_str().as_encoded_bytes().to_vec()
}

impl Cache {
    /// A cache in the given directory, which is made when something is stored.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// The user's cache directory: `$XDG_CACHE_HOME/caravan`, else `~/.cache/caravan`. `None` for a user who has no home;
    /// a directory that anybody may make, such as one in `/tmp`, would not be safe.
    pub fn default_directory() -> Option<PathBuf> {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let base = variable("XDG_CACHE_HOME").filter(|path| path.is_absolute());
        // Without HOME the system's list of users says where the home is.
        let home = || Some(std::env::home_dir().filter(|home| home.is_absolute())?.join(".cache"));
        Some(base.or_else(home)?.join("caravan"))
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn error(&self, doing: &'static str) -> impl FnOnce(io::Error) -> CacheError + '_ {
        move |error| CacheError { doing, directory: self.directory.clone(), error }
    }

    fn index_path(&self, key: &str) -> PathBuf {
        self.directory.join("index").join(format!("{key}.idx"))
    }

    /// An index that is there and sound.
    fn load(&self, key: &str) -> Option<Index> {
        let file = fs_err::File::open(self.index_path(key)).ok()?;
        let data = file.metadata().ok()?;
        let own = data.uid() == rustix::process::geteuid().as_raw() && data.mode() & 0o022 == 0;
        if !own || !data.is_file() || data.len() == 0 {
            return None;
        }
        // SAFETY: files in the cache are only ever replaced by renaming, never written to in place,
        // and nobody but us may write to this one.
        #[expect(unsafe_code, reason = "a mapped file is shared by all processes, and opened in no time")]
        let map = unsafe { memmap2::Mmap::map(file.file()) }.ok()?;
        let index = Index::from_map(map).ok()?;
        // The time of last use, for pruning; a day's precision spares writing it each time.
        let old = data.modified().ok().and_then(|then| then.elapsed().ok());
        if old.is_some_and(|age| age > Duration::from_secs(24 * 3600)) {
            let _ = file.file().set_modified(SystemTime::now());
        }
        Some(index)
    }

    /// Makes a subdirectory that only its owner may read or write.
    fn make(&self, directory: &Path) -> Result<(), CacheError> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(directory).map_err(|error| self.error("make")(io::Error::new(error.kind(), reason(&error))))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), CacheError> {
        let directory = path.parent().unwrap_or(&self.directory);
        self.make(directory)?;
        let write = || {
            let mut file = tempfile::Builder::new().prefix(".unfinished-").tempfile_in(directory)?;
            file.as_file_mut().write_all(bytes)?;
            file.persist(path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|error: io::Error| self.error("write to")(io::Error::new(error.kind(), reason(&error))))
    }

    /// The directory for clones and downloads, made if it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn downloads(&self) -> Result<PathBuf, CacheError> {
        let directory = self.directory.join("repositories");
        self.make(&directory)?;
        Ok(directory)
    }

    /// Stores an index, and its name as the place to start from next time.
    fn store(&self, key: &str, latest: Option<&str>, index: &Index) -> Result<(), CacheError> {
        self.write(&self.index_path(key), index.as_bytes())?;
        if let Some(latest) = latest {
            self.write(&self.directory.join("latest").join(latest), key.as_bytes())?;
        }
        self.prune();
        Ok(())
    }

    /// The last index that was made of a repository.
    fn latest(&self, latest: &str) -> Option<Index> {
        let key = fs_err::read_to_string(self.directory.join("latest").join(latest)).ok()?;
        let plain = key.len() < 100 && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if plain { self.load(&key) } else { None }
    }

    /// Opens a repository: from the cache if its state is there, else by reading what changed since
    /// the last state that is.
    ///
    /// # Errors
    /// When the repository cannot be read; trouble with the cache is only a warning.
    pub fn open(&self, location: &Location, progress: &Progress<'_>) -> Result<Opened, BuildError> {
        match location {
            Location::Directory { path, marks: Some(marks) } => {
                let states: Vec<Vec<u8>> = marks.iter().filter_map(|mark| state_of(mark)).collect();
                let path_key = path_bytes(path);
                let mut parts: Vec<&[u8]> = vec![&path_key];
                parts.extend(states.iter().map(Vec::as_slice));
                let latest = hash(&[b"marks", &path_key]);
                self.keyed(&format!("marks-{}", hash(&parts)), Some(&latest), || location.source(), progress)
            }
            Location::Directory { path, marks: None } => self.directory_index(path, progress),
            #[cfg(feature = "git")]
            Location::Git { path, .. } => {
                let source = location.git()?;
                let latest = hash(&[b"git", &path_bytes(path)]);
                let key = format!("tree-{}", source.packages_id());
                self.keyed(&key, Some(&latest), || Ok(Box::new(source)), progress)
            }
            #[cfg(not(feature = "git"))]
            Location::Git { path, .. } => Err(SourceError::LeftOut { path: path.clone(), feature: "git" }.into()),
            Location::Archive { path } => {
                let state = state_of(path).unwrap_or_default();
                let latest = hash(&[b"file", &path_bytes(path)]);
                let key = format!("file-{}", hash(&[&path_bytes(path), &state]));
                self.keyed(&key, Some(&latest), || location.source(), progress)
            }
        }
    }

    /// What is known by a key that changes with the state.
    fn keyed(
        &self,
        key: &str,
        latest: Option<&str>,
        source: impl FnOnce() -> Result<Box<dyn Source>, SourceError>,
        progress: &Progress<'_>,
    ) -> Result<Opened, BuildError> {
        if let Some(index) = self.load(key) {
            return Ok(Opened { index, warnings: vec![] });
        }
        let source = source()?;
        let index = match latest.and_then(|latest| self.latest(latest)) {
            // Nothing changes if it is the same packages under another key, such as a commit that touched
            // other files.
            Some(earlier) => earlier.read_again_with_progress(&*source, progress)?.unwrap_or(earlier),
            None => Index::read_with_progress(&*source, progress)?,
        };
        let warnings = self.store_complete(key, latest, &index).err().into_iter().collect();
        Ok(Opened { index, warnings })
    }

    fn directory_index(&self, path: &Path, progress: &Progress<'_>) -> Result<Opened, BuildError> {
        let key = format!("dir-{}", hash(&[&path_bytes(path)]));
        let source = DirectorySource::open(path)?;
        let index = match self.load(&key) {
            None => Index::read_with_progress(&source, progress)?,
            Some(earlier) => match earlier.read_again_with_progress(&source, progress)? {
                None => return Ok(Opened { index: earlier, warnings: vec![] }),
                Some(index) => index,
            },
        };
        let warnings = self.store_complete(&key, None, &index).err().into_iter().collect();
        Ok(Opened { index, warnings })
    }

    /// Stores an index unless it lacks what could not be read: that may be there in another clone of the same
    /// commit, or the next time.
    fn store_complete(&self, key: &str, latest: Option<&str>, index: &Index) -> Result<(), CacheError> {
        if index.unread().next().is_some() {
            return Ok(());
        }
        self.store(key, latest, index)
    }

    /// Lays repositories over each other ([`Index::overlay`]), through the cache.
    ///
    /// # Errors
    /// When together they are too large.
    pub fn overlay(&self, indexes: &[&Index], precedence: Precedence) -> Result<Opened, TooLarge> {
        let mut key = String::new();
        for index in indexes {
            // The bytes begin with a checksum of the rest.
            let _ = write!(key, "{:016x}", index.checksum());
        }
        let order: &[u8] = if precedence == Precedence::FirstWins { b"first" } else { b"last" };
        let key = format!("over-{}", hash(&[key.as_bytes(), order]));
        if let Some(index) = self.load(&key) {
            return Ok(Opened { index, warnings: vec![] });
        }
        let index = Index::overlay(indexes, precedence)?;
        let warnings = self.store(&key, None, &index).err().into_iter().collect();
        Ok(Opened { index, warnings })
    }

    /// Removes what was not used for longest, and what killed processes left behind.
    fn prune(&self) {
        let Ok(entries) = fs_err::read_dir(self.directory.join("index")) else { return };
        let mut indexes = Vec::new();
        for entry in entries.flatten() {
            let Ok(modified) = entry.metadata().and_then(|data| data.modified()) else { continue };
            let unfinished = entry.file_name().as_encoded_bytes().starts_with(b".unfinished-");
            if !unfinished {
                indexes.push((modified, entry.path()));
            } else if modified.elapsed().is_ok_and(|age| age > UNFINISHED) {
                let _ = fs_err::remove_file(entry.path());
            }
        }
        indexes.sort();
        for (_, path) in indexes.iter().rev().skip(KEEP) {
            // Another process may have been first.
            let _ = fs_err::remove_file(path);
        }
    }

    /// What it holds.
    ///
    /// # Errors
    /// When it cannot be read; a directory that is not there holds nothing.
    pub fn info(&self) -> Result<CacheInfo, CacheError> {
        let mut info = CacheInfo::default();
        if !self.directory.exists() {
            return Ok(info);
        }
        for entry in walkdir::WalkDir::new(&self.directory) {
            let entry = entry.map_err(|error| self.error("read")(error.into()))?;
            let Ok(data) = entry.metadata() else { continue };
            if data.is_file() {
                info.bytes += data.len();
                let index = entry.path().extension().is_some_and(|extension| extension == "idx");
                *(if index { &mut info.indexes } else { &mut info.others }) += 1;
            }
        }
        Ok(info)
    }

    /// Removes everything in it that is ours; gives what was there.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn clean(&self) -> Result<CacheInfo, CacheError> {
        let info = self.info()?;
        for part in ["index", "latest", "repositories"] {
            let path = self.directory.join(part);
            if path.exists() {
                std::fs::remove_dir_all(&path).map_err(self.error("clean"))?;
            }
        }
        // Only if nothing of somebody else's is in it.
        let _ = fs_err::remove_dir(&self.directory);
        Ok(info)
    }
}

/// The operating system's words without the path, which the message names already.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" at path ").map_or(text.as_str(), |(words, _)| words).to_owned()
}
