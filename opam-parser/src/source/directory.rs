//! A repository as a directory on disk, perhaps a working tree that somebody edits.
//!
//! A file's stamp is a hash of its metadata (times of change, size, inode), so seeing that nothing
//! changed costs one `stat` a file. A file whose times are too young to be trusted (something may
//! change it again within the clock's granularity, as git's "racy" entries) gets the zero stamp and
//! is read again next time.

use super::limits::Limit;
use super::walk::{Totals, Walk, count};
use super::{Entry, KnownFile, Reader, Sink, Source, SourceError, Stamp, Top, Unread, is_same};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::cell::Cell;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// Two seconds: the coarsest timestamps among file systems in use.
const YOUNG: i64 = 2;

/// A directory with `packages/` in it.
pub struct DirectorySource {
    root: PathBuf,
    packages: OwnedFd,
    /// Seconds since 1970 when the source was opened.
    now: i64,
    /// Where it really is, and where its `packages/` is. Worked out when there is a link.
    real: OnceLock<[PathBuf; 2]>,
    /// Since [`Source::tops`].
    totals: Totals,
}

/// What an entry of a directory is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    File,
    Link,
    /// A directory, perhaps: not every file system says so.
    Other,
}

/// Whether an error concerns a path, and nothing else.
fn is_of_the_path(error: Errno) -> bool {
    matches!(
        error,
        Errno::ACCESS | Errno::PERM | Errno::NAMETOOLONG | Errno::IO | Errno::OVERFLOW | Errno::STALE | Errno::INVAL
    )
}

/// There is nothing at a path, or something that cannot be what was looked for.
fn is_absent(error: Errno) -> bool {
    matches!(error, Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NXIO)
}

impl DirectorySource {
    /// Opens a repository.
    ///
    /// # Errors
    /// When there is no such directory or it holds no `packages/`.
    pub fn open(root: &Path) -> Result<Self, SourceError> {
        if !root.exists() {
            return Err(SourceError::Missing(root.into()));
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let packages = rustix::fs::open(root.join("packages"), flags, Mode::empty());
        let packages = packages.map_err(|error| match error {
            Errno::NOENT | Errno::NOTDIR => SourceError::NotARepository {
                path: root.into(),
                reason: if root.is_dir() { "it has no directory `packages`" } else { "it is not a directory" },
            },
            error => SourceError::Io(std::io::Error::new(
                error.kind(),
                format!("cannot open `{}`: {error}", root.join("packages").display()),
            )),
        })?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs() as i64);
        Ok(Self { root: root.into(), packages, now, real: OnceLock::new(), totals: Totals::default() })
    }

    fn stamp(&self, stat: &Stat) -> Stamp {
        let newest = stat.st_mtime.max(stat.st_ctime);
        if newest + YOUNG >= self.now {
            return Stamp::default();
        }
        #[expect(clippy::unnecessary_cast, reason = "the fields have other types on other systems")]
        let facts: [u64; 8] = [
            stat.st_mtime as u64,
            stat.st_mtime_nsec as u64,
            stat.st_ctime as u64,
            stat.st_ctime_nsec as u64,
            stat.st_size as u64,
            stat.st_ino as u64,
            stat.st_dev as u64,
            u64::from(stat.st_mode),
        ];
        let hash = xxhash_rust::xxh3::xxh3_128(bytemuck::bytes_of(&facts));
        let [a, b, c, d]: [u32; 4] = bytemuck::cast(hash);
        // The last part keeps it from ever being the zero stamp.
        [a, b, c, d, 1]
    }

    fn stat(&self, path: &str) -> Option<Stat> {
        rustix::fs::statat(&self.packages, path, AtFlags::empty()).ok()
    }

    fn io(&self, path: &str, error: impl Into<std::io::Error>) -> SourceError {
        let error = error.into();
        let path = self.root.join("packages").join(path);
        SourceError::Io(std::io::Error::new(error.kind(), format!("cannot read `{}`: {error}", path.display())))
    }

    /// Entries of a directory below `packages/`, in byte order. Names that are not UTF-8 cannot be packages.
    /// Empty if there is no directory after all (a dangling link, a socket). `None` if there are too many.
    fn list(&self, path: &str) -> Result<Option<Vec<(String, Kind)>>, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = match rustix::fs::openat(&self.packages, path, flags, Mode::empty()) {
            Ok(directory) => directory,
            Err(error) if is_absent(error) => return Ok(Some(vec![])),
            Err(error) => return Err(error),
        };
        let mut entries = Vec::new();
        for entry in rustix::fs::Dir::new(directory)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if name != "." && name != ".." {
                let kind = match entry.file_type() {
                    FileType::RegularFile => Kind::File,
                    FileType::Symlink => Kind::Link,
                    FileType::Unknown => self.kind(&join(path, name)),
                    _ => Kind::Other,
                };
                entries.push((name.to_owned(), kind));
            }
            if entries.len() as u64 > Limit::DirectoryEntries.most() {
                return Ok(None);
            }
        }
        entries.sort_unstable();
        Ok(Some(entries))
    }

    /// What a path is, where the directory does not say so.
    fn kind(&self, path: &str) -> Kind {
        match rustix::fs::statat(&self.packages, path, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if is_link(&stat) => Kind::Link,
            _ => Kind::Other,
        }
    }

    /// Where a symbolic link below `packages/` leads; `None` if to nothing.
    ///
    /// # Errors
    /// Out of the repository, which is not followed.
    fn target(&self, path: &str) -> Result<Option<PathBuf>, &'static str> {
        let Ok(target) = fs_err::canonicalize(self.root.join("packages").join(path)) else { return Ok(None) };
        let real = self.real.get_or_init(|| {
            [&self.root, &self.root.join("packages")].map(|path| fs_err::canonicalize(path).unwrap_or_default())
        });
        match real.iter().any(|real| !real.as_os_str().is_empty() && target.starts_with(real)) {
            true => Ok(Some(target)),
            false => Err("is a symbolic link that leads out of the repository"),
        }
    }

    /// Opens a regular file below `packages/`; `None` if there is none.
    ///
    /// # Errors
    /// The reason, if there is one that cannot be read, and where the system as a whole is at fault, its error.
    fn open_file(&self, path: &str) -> Result<Option<(File, Stat)>, OpenError> {
        // Without waiting for anybody to write into a pipe.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let open = |flags| rustix::fs::openat(&self.packages, path, flags, Mode::empty());
        let opened = match open(flags | OFlags::NOFOLLOW) {
            Err(Errno::LOOP | Errno::MLINK) => match self.target(path).map_err(OpenError::reason)? {
                Some(_) => open(flags),
                None => return Ok(None),
            },
            other => other,
        };
        let file = match opened {
            Ok(file) => file,
            Err(error) if is_absent(error) => return Ok(None),
            Err(error) if is_of_the_path(error) => return Err(OpenError::reason(cannot_be_read(error))),
            Err(error) => return Err(OpenError::System(self.io(path, error))),
        };
        let stat = rustix::fs::fstat(&file).map_err(|error| OpenError::System(self.io(path, error)))?;
        Ok(FileType::from_raw_mode(stat.st_mode).is_file().then(|| (File::from(file), stat)))
    }

    /// Reads a file to its end, as far as the limit goes; whether it is within it.
    fn read(&self, path: &str, file: &File, text: &mut Vec<u8>) -> Result<bool, SourceError> {
        let most = Limit::File.most();
        let read = file.take(most + 1).read_to_end(text).map_err(|error| match error.raw_os_error() {
            Some(code) if is_of_the_path(Errno::from_raw_os_error(code)) => {
                SourceError::File { reason: cannot_be_read(error) }
            }
            _ => self.io(path, error),
        })?;
        Ok(read as u64 <= most)
    }
}

/// Why a file cannot be opened.
enum OpenError {
    /// What is wrong with it, as the end of a sentence.
    Reason(String),
    /// The system does not let us read anything.
    System(SourceError),
}

impl OpenError {
    fn reason(reason: impl Into<String>) -> Self {
        Self::Reason(reason.into())
    }
}

fn cannot_be_read(error: impl Into<std::io::Error>) -> String {
    format!("cannot be read: {}", error.into())
}

fn is_link(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode).is_symlink()
}

impl Source for DirectorySource {
    fn label(&self) -> String {
        self.root.display().to_string()
    }

    fn tops(&self) -> Result<Vec<Top>, SourceError> {
        self.totals.reset();
        let path = || self.root.join("packages").display().to_string();
        let entries = self.list(".").map_err(|error| self.io("", error))?;
        let entries = entries.ok_or_else(|| SourceError::Limit { path: path(), limit: Limit::DirectoryEntries })?;
        let something = entries.iter().any(|(name, _)| !name.starts_with('.'));
        let tops = entries.into_iter().filter(|(_, kind)| *kind != Kind::File);
        // Stamps cost a `stat` each and are made where they are compared, in parallel.
        let tops: Vec<Top> = tops.map(|(name, _)| Top { stamp: Stamp::default(), name }).collect();
        if tops.is_empty() && something {
            return Err(SourceError::NoPackages { label: self.label(), unread: Vec::new() });
        }
        Ok(tops)
    }

    fn unchanged(&self, top: &Top, then: Stamp, mut known: &mut dyn Iterator<Item = KnownFile>) -> bool {
        let same = |path: &str, then: Stamp| self.stat(path).is_some_and(|now| is_same(self.stamp(&now), then));
        same(&top.name, then)
            && Iterator::all(&mut known, |file| {
                let directory = join(&top.name, &file.directory);
                let absent = |name: &str| self.stat(&join(&directory, name)).is_none();
                // Deeper layouts have directories that nothing watches: those are read again.
                !file.directory.contains('/')
                    && same(&join(&directory, "opam"), file.stamp)
                    && (!file.companions || (absent("url") && absent("descr")))
            })
    }

    fn reader(&self) -> Result<Box<dyn Reader + '_>, SourceError> {
        Ok(Box::new(DirectoryReader { source: self, buffer: Vec::new() }))
    }

    fn fetch(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        let missing = || SourceError::Missing(self.root.join(path));
        let below = path.strip_prefix("packages/").ok_or_else(missing)?;
        let (file, _) = match self.open_file(below) {
            Ok(opened) => opened.ok_or_else(missing)?,
            Err(OpenError::System(error)) => return Err(error),
            Err(OpenError::Reason(reason)) => return Err(SourceError::File { reason }),
        };
        let mut text = Vec::new();
        match self.read(below, &file, &mut text)? {
            true => Ok(text),
            false => Err(SourceError::Limit { path: path.to_owned(), limit: Limit::File }),
        }
    }
}

fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        return name.into();
    }
    let mut path = String::with_capacity(directory.len() + name.len() + 1);
    path.push_str(directory);
    path.push('/');
    path.push_str(name);
    path
}

struct DirectoryReader<'s> {
    source: &'s DirectorySource,
    buffer: Vec<u8>,
}

impl Reader for DirectoryReader<'_> {
    fn visit(&mut self, top: &mut Top, sink: &mut Sink<'_>) -> Result<Vec<Unread>, SourceError> {
        let Top { name, stamp } = top;
        let mut below = Below { source: self.source, walk: Walk::new(name), top: name, stamp, links: Vec::new() };
        let stat = rustix::fs::statat(&self.source.packages, name.as_str(), AtFlags::SYMLINK_NOFOLLOW).ok();
        let is_link = stat.as_ref().is_some_and(is_link);
        *below.stamp = match is_link {
            false => stat.map_or(Stamp::default(), |stat| self.source.stamp(&stat)),
            true => self.source.stat(name).map_or(Stamp::default(), |stat| self.source.stamp(&stat)),
        };
        below.entry("", is_link, 0, &mut self.buffer, sink)?;
        let Below { walk, stamp, .. } = below;
        let unread = walk.finish(&self.source.totals, || self.source.label())?;
        if !unread.is_empty() {
            // That it cannot be read any more, or can, changes nothing that is watched.
            *stamp = Stamp::default();
        }
        Ok(unread)
    }
}

/// A walk below an entry of `packages/`.
struct Below<'b> {
    source: &'b DirectorySource,
    walk: Walk<'b>,
    top: &'b str,
    stamp: &'b mut Stamp,
    /// Where the links lead that are on the way from the entry to here.
    links: Vec<PathBuf>,
}

impl Below<'_> {
    /// Visits what may be a directory: a package's, or one with others in it.
    fn entry(
        &mut self,
        directory: &str,
        is_link: bool,
        depth: u64,
        buffer: &mut Vec<u8>,
        sink: &mut Sink<'_>,
    ) -> Result<(), SourceError> {
        if is_link {
            match self.follow(directory) {
                Ok(Some(target)) => self.links.push(target),
                Ok(None) => {
                    // Something may appear there unseen.
                    *self.stamp = Stamp::default();
                    return Ok(());
                }
                Err(reason) => {
                    self.walk.skip(directory, reason);
                    return Ok(());
                }
            }
        }
        if !self.package(directory, buffer, sink)? {
            self.directory(directory, depth, buffer, sink)?;
        }
        if is_link {
            self.links.pop();
        }
        Ok(())
    }

    /// Where a link leads; `None` if to nothing.
    fn follow(&self, directory: &str) -> Result<Option<PathBuf>, &'static str> {
        let path = join(self.top, directory);
        let Some(target) = self.source.target(&path)? else { return Ok(None) };
        let above = self.source.root.join("packages").join(path);
        let above = above.parent().and_then(|above| fs_err::canonicalize(above).ok());
        match above.is_some_and(|above| above.starts_with(&target)) || self.links.contains(&target) {
            true => Err("is a symbolic link to a directory that it lies in"),
            false => Ok(Some(target)),
        }
    }

    /// Visits the entries of a directory that is no package's.
    fn directory(
        &mut self,
        directory: &str,
        depth: u64,
        buffer: &mut Vec<u8>,
        sink: &mut Sink<'_>,
    ) -> Result<(), SourceError> {
        // A directory without an opam file: one may appear in it unseen.
        if depth > 0 {
            *self.stamp = Stamp::default();
        }
        if !self.walk.enter(directory, depth) {
            return Ok(());
        }
        let path = join(self.top, directory);
        let entries = match self.source.list(&path) {
            Ok(Some(entries)) => entries,
            Ok(None) => {
                self.walk.skip(directory, Limit::DirectoryEntries);
                return Ok(());
            }
            Err(error) if is_of_the_path(error) => {
                self.walk.skip(directory, cannot_be_read(error));
                return Ok(());
            }
            Err(error) => return Err(self.source.io(&path, error)),
        };
        for (name, kind) in entries {
            if kind != Kind::File {
                self.entry(&join(directory, &name), kind == Kind::Link, depth + 1, buffer, sink)?;
            }
        }
        Ok(())
    }

    /// Whether the directory is a package's.
    fn package(&mut self, directory: &str, buffer: &mut Vec<u8>, sink: &mut Sink<'_>) -> Result<bool, SourceError> {
        let path = join(&join(self.top, directory), "opam");
        let found = match self.source.open_file(&path) {
            Ok(None) => return Ok(false),
            Ok(Some((file, stat))) => {
                let (source, top, bytes) = (self.source, self.top, self.walk.bytes());
                sink(&mut DirectoryEntry { source, bytes, top, directory, path: &path, file, stat, buffer })
            }
            Err(OpenError::System(error)) => return Err(error),
            Err(OpenError::Reason(reason)) => self.walk.unreadable(directory, reason, sink),
        };
        if directory.is_empty() {
            // Neither the entry's own stamp nor its files' tell of what could appear beside them.
            *self.stamp = Stamp::default();
        }
        found.map(|()| true)
    }
}

struct DirectoryEntry<'e> {
    source: &'e DirectorySource,
    bytes: &'e Cell<u64>,
    top: &'e str,
    directory: &'e str,
    path: &'e str,
    file: File,
    stat: Stat,
    buffer: &'e mut Vec<u8>,
}

impl Entry for DirectoryEntry<'_> {
    fn directory(&self) -> &str {
        self.directory
    }

    fn stamp(&self) -> Stamp {
        self.source.stamp(&self.stat)
    }

    fn opam(&mut self) -> Result<Option<&[u8]>, SourceError> {
        self.buffer.clear();
        let size = self.stat.st_size as u64;
        if size > Limit::File.most() {
            return Ok(None);
        }
        self.buffer.reserve(size as usize + 1);
        let within = self.source.read(self.path, &self.file, self.buffer)?;
        count(self.bytes, self.buffer.len());
        Ok(within.then_some(&*self.buffer))
    }

    fn companion(&mut self, name: &str) -> Result<Option<Vec<u8>>, SourceError> {
        let path = join(&join(self.top, self.directory), name);
        let beside = |reason: String| SourceError::File { reason: format!("has a `{name}` beside it that {reason}") };
        let file = match self.source.open_file(&path) {
            Ok(Some((file, _))) => file,
            Ok(None) => return Ok(None),
            Err(OpenError::System(error)) => return Err(error),
            Err(OpenError::Reason(reason)) => return Err(beside(reason)),
        };
        let mut text = Vec::new();
        let within = self.source.read(&path, &file, &mut text)?;
        count(self.bytes, text.len());
        match within {
            true => Ok(Some(text)),
            false => Err(beside(Limit::File.to_string())),
        }
    }
}

/// The nearest directory at or above `start` that holds a repository: `packages/` and a file `repo`.
pub fn enclosing(start: &Path) -> Option<PathBuf> {
    let mut above = start.ancestors();
    above.find(|path| path.join("packages").is_dir() && path.join("repo").is_file()).map(Path::to_owned)
}
