//! A repository as a directory on disk, perhaps a working tree that somebody edits.
//!
//! A file's stamp is a hash of its metadata (times of change, size, inode), so seeing that nothing
//! changed costs one `stat` a file. A file whose times are too young to be trusted (something may
//! change it again within the clock's granularity, as git's "racy" entries) gets the zero stamp and
//! is read again next time.

use super::{Entry, KnownFile, MAX_FILE, Reader, Sink, Source, SourceError, Stamp, Top, is_same};
use rustix::fs::{AtFlags, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Two seconds: the coarsest timestamps among file systems in use.
const YOUNG: i64 = 2;

/// A directory with `packages/` in it.
pub struct DirectorySource {
    root: PathBuf,
    packages: OwnedFd,
    /// Seconds since 1970 when the source was opened.
    now: i64,
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
        Ok(Self { root: root.into(), packages, now })
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

    /// Entries of a directory below `packages/`, in byte order, and whether each could be a
    /// directory itself. Names that are not UTF-8 cannot be packages. Empty if there is no directory
    /// after all (a dangling link, a socket).
    fn list(&self, path: &str) -> Result<Vec<(String, bool)>, SourceError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open = rustix::fs::openat(&self.packages, path, flags, Mode::empty());
        let directory = match open {
            Ok(directory) => directory,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NXIO) => return Ok(vec![]),
            Err(error) => return Err(self.io(path, error)),
        };
        let mut entries = Vec::new();
        for entry in rustix::fs::Dir::new(directory).map_err(|error| self.io(path, error))? {
            let entry = entry.map_err(|error| self.io(path, error))?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if name != "." && name != ".." {
                let file = entry.file_type() == rustix::fs::FileType::RegularFile;
                entries.push((name.to_owned(), !file));
            }
        }
        entries.sort_unstable();
        Ok(entries)
    }
}

impl Source for DirectorySource {
    fn label(&self) -> String {
        self.root.display().to_string()
    }

    fn tops(&self) -> Result<Vec<Top>, SourceError> {
        let entries = self.list(".")?;
        let tops = entries.into_iter().filter(|(_, directory)| *directory);
        // Stamps cost a `stat` each and are made where they are compared, in parallel.
        Ok(tops.map(|(name, _)| Top { stamp: Stamp::default(), name }).collect())
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
        Ok(fs_err::read(self.root.join(path))?)
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
    fn visit(&mut self, top: &mut Top, sink: &mut Sink<'_>) -> Result<(), SourceError> {
        let stat = self.source.stat(&top.name);
        top.stamp = stat.map_or(Stamp::default(), |stat| self.source.stamp(&stat));
        if self.package(&top.name, "", sink)? {
            // Neither the entry's own stamp nor its files' tell of what could appear beside them.
            top.stamp = Stamp::default();
            return Ok(());
        }
        self.below(top, "", sink)
    }
}

impl DirectoryReader<'_> {
    fn below(&mut self, top: &mut Top, directory: &str, sink: &mut Sink<'_>) -> Result<(), SourceError> {
        let entries = self.source.list(&join(&top.name, directory))?;
        for (name, may_be_directory) in entries {
            let path = join(directory, &name);
            if may_be_directory && !self.package(&top.name, &path, sink)? {
                // A directory without an opam file: one may appear in it unseen.
                top.stamp = Stamp::default();
                self.below(top, &path, sink)?;
            }
        }
        Ok(())
    }

    /// Whether the directory is a package's.
    fn package(&mut self, top: &str, directory: &str, sink: &mut Sink<'_>) -> Result<bool, SourceError> {
        let path = join(&join(top, directory), "opam");
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = match rustix::fs::openat(&self.source.packages, &path, flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NXIO) => return Ok(false),
            Err(error) => return Err(self.source.io(&path, error)),
        };
        let stat = rustix::fs::fstat(&file).map_err(|error| self.source.io(&path, error))?;
        if !rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file() {
            return Ok(false);
        }
        let (source, buffer) = (self.source, &mut self.buffer);
        let mut entry = DirectoryEntry { source, top, directory, path: &path, file: File::from(file), stat, buffer };
        sink(&mut entry)?;
        Ok(true)
    }
}

struct DirectoryEntry<'e> {
    source: &'e DirectorySource,
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
        if size > MAX_FILE {
            return Ok(None);
        }
        self.buffer.reserve(size as usize + 1);
        let read = (&self.file).take(MAX_FILE + 1).read_to_end(self.buffer);
        read.map_err(|error| self.source.io(self.path, error))?;
        Ok((self.buffer.len() as u64 <= MAX_FILE).then_some(&*self.buffer))
    }

    fn companion(&mut self, name: &str) -> Result<Option<Vec<u8>>, SourceError> {
        let path = join(&join(self.top, self.directory), name);
        match rustix::fs::openat(&self.source.packages, &path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.source.io(&path, error)),
            Ok(file) => {
                let mut text = Vec::new();
                let read = File::from(file).take(MAX_FILE).read_to_end(&mut text);
                read.map_err(|error| self.source.io(&path, error))?;
                Ok(Some(text))
            }
        }
    }
}

/// The nearest directory at or above `start` that holds a repository: `packages/` and a file `repo`.
pub fn enclosing(start: &Path) -> Option<PathBuf> {
    let mut above = start.ancestors();
    above.find(|path| path.join("packages").is_dir() && path.join("repo").is_file()).map(Path::to_owned)
}
