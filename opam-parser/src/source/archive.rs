//! An archive of a repository: `opam.ocaml.org/index.tar.gz`, or what opam keeps in its root.
//!
//! It is read once from front to back, to the very end, so that its checksum is known to be right; what lies
//! below `packages/` stays in memory until the index is built. The first directory may be the repository itself
//! or one above it.

use super::limits::Limit;
use super::unpack::{Members, Unpacked};
use super::{Entry, Reader, Sink, Source, SourceError, Stamp, Top, Unread};
use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use tar::EntryType;

/// A `.tar.gz` or `.tar` file.
pub struct ArchiveSource {
    path: PathBuf,
    /// By name.
    tops: BTreeMap<String, TopFiles>,
    /// Bytes that all of it takes.
    kept: u64,
}

/// What is below an entry of `packages/`.
#[derive(Default)]
struct TopFiles {
    /// By directory below it.
    files: BTreeMap<String, Companions>,
    unread: Vec<Unread>,
}

/// What a package's directory may hold.
#[derive(Default)]
struct Companions {
    opam: Option<File>,
    url: Option<File>,
    descr: Option<File>,
}

enum File {
    Text(Vec<u8>),
    /// Larger than [`Limit::File`].
    TooLarge,
}

impl File {
    fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text),
            Self::TooLarge => None,
        }
    }
}

fn text_of(file: &Option<File>) -> &[u8] {
    file.as_ref().and_then(File::text).unwrap_or_default()
}

/// About how much memory a file takes beside its text.
const OVERHEAD: u64 = 256;

fn stamp_of<'b>(parts: impl Iterator<Item = &'b [u8]>) -> Stamp {
    let mut hash = xxhash_rust::xxh3::Xxh3::new();
    for part in parts {
        hash.update(&(part.len() as u64).to_ne_bytes());
        hash.update(part);
    }
    let [a, b, c, d]: [u32; 4] = bytemuck::cast(hash.digest128());
    [a, b, c, d, 1]
}

impl Companions {
    fn stamp(&self) -> Stamp {
        stamp_of([&self.opam, &self.url, &self.descr].into_iter().map(text_of))
    }
}

impl ArchiveSource {
    /// Reads an archive.
    ///
    /// # Errors
    /// When there is no such file, it is no archive or not a whole one, its checksum is wrong, it is too large, or
    /// it holds no `packages/`.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        if !path.exists() {
            return Err(SourceError::Missing(path.into()));
        }
        let not_an_archive = |reason| Err(SourceError::NotARepository { path: path.into(), reason });
        if !path.is_file() {
            return not_an_archive("it is neither a directory nor a file");
        }
        Self::read(path, fs_err::File::open(path)?)
    }

    /// Reads an archive from wherever its bytes are; `path` is what to call it.
    ///
    /// # Errors
    /// As [`ArchiveSource::open`].
    pub fn read(path: &Path, bytes: impl Read) -> Result<Self, SourceError> {
        let mut reader = BufReader::with_capacity(1 << 16, bytes);
        let start = io::BufRead::fill_buf(&mut reader)?;
        let gzip = start.starts_with(&[0x1f, 0x8b]);
        // POSIX and GNU archives alike say so at this place of the first header.
        let tar = start.get(257..262) == Some(b"ustar");
        let mut source = Self { path: path.into(), tops: BTreeMap::new(), kept: 0 };
        if gzip {
            source.unpack(Unpacked::new(Members::new(reader)))?;
        } else if tar {
            source.unpack(Unpacked::new(reader))?;
        } else {
            let reason = "it is a file, but neither a `.tar.gz` nor a `.tar` archive";
            return Err(SourceError::NotARepository { path: path.into(), reason });
        }
        if source.tops.is_empty() {
            return Err(SourceError::NotARepository {
                path: path.into(),
                reason: "nothing in it lies below `packages/`",
            });
        }
        Ok(source)
    }

    fn error(&self, error: &io::Error) -> SourceError {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Limit>()) {
            Some(limit) => self.limit(*limit),
            None => self.damaged(error.to_string()),
        }
    }

    fn damaged(&self, message: impl Into<String>) -> SourceError {
        SourceError::Archive { path: self.path.clone(), message: message.into() }
    }

    fn limit(&self, limit: Limit) -> SourceError {
        SourceError::Limit { path: self.path.display().to_string(), limit }
    }

    fn unpack(&mut self, mut reader: Unpacked<impl Read>) -> Result<(), SourceError> {
        let mut archive = tar::Archive::new(&mut reader);
        // The crate would read names and headers of any length, so those are read here.
        let entries = archive.entries().map_err(|error| self.error(&error))?.raw(true);
        let mut extension = Extension::default();
        for entry in entries {
            let mut entry = entry.map_err(|error| self.error(&error))?;
            let read = match entry.header().entry_type() {
                EntryType::GNULongName => extension.read_name(&mut entry),
                EntryType::XHeader => extension.read_pax(&mut entry),
                EntryType::GNULongLink | EntryType::XGlobalHeader => Ok(()),
                EntryType::GNUSparse if entry.header().as_gnu().is_some_and(tar::GnuHeader::is_extended) => {
                    Err(io::Error::other("it has sparse files with many holes"))
                }
                kind if kind.is_file() => {
                    self.file(&mut entry, &std::mem::take(&mut extension))?;
                    Ok(())
                }
                _ => {
                    extension = Extension::default();
                    Ok(())
                }
            };
            read.map_err(|error| self.error(&error))?;
        }
        if reader.has_ended() {
            return Err(self.damaged("it ends between two files, without the mark that is at the end of an archive"));
        }
        io::copy(&mut reader, &mut io::sink()).map_err(|error| self.error(&error))?;
        Ok(())
    }

    fn file(&mut self, entry: &mut tar::Entry<'_, impl Read>, extension: &Extension) -> Result<(), SourceError> {
        let own = entry.path_bytes().into_owned();
        if let Some(reason) = &extension.problem {
            if let Some(place) = std::str::from_utf8(&own).ok().and_then(Place::of) {
                self.skip(&place, &String::from_utf8_lossy(&own), reason);
            }
            return Ok(());
        }
        if extension.size.is_some_and(|size| size != entry.size()) {
            return Err(self.damaged("a file in it has two sizes"));
        }
        let path = extension.name.as_ref().unwrap_or(&own);
        let Some(path) = std::str::from_utf8(path).ok() else { return Ok(()) };
        let Some((place, name)) = Place::of(path).and_then(|place| Some((place.clone(), place.name?))) else {
            return Ok(());
        };
        if place.directories as u64 > Limit::Depth.most() {
            self.skip(&place, path, Limit::Depth);
            return Ok(());
        }
        let too_large = entry.size() > Limit::File.most();
        self.kept += path.len() as u64 + OVERHEAD + if too_large { 0 } else { entry.size() };
        if self.kept > Limit::Kept.most() {
            return Err(self.limit(Limit::Kept));
        }
        let file = match too_large {
            true => File::TooLarge,
            false => {
                let mut text = Vec::new();
                entry.read_to_end(&mut text).map_err(|error| self.error(&error))?;
                File::Text(text)
            }
        };
        let companions = self.tops.entry(place.top).or_default().files.entry(place.directory).or_default();
        let slot = match name {
            Name::Opam => &mut companions.opam,
            Name::Url => &mut companions.url,
            Name::Descr => &mut companions.descr,
        };
        *slot = Some(file);
        Ok(())
    }

    /// Reports that something in the archive is not read.
    fn skip(&mut self, place: &Place, path: &str, reason: impl ToString) {
        self.kept += path.len() as u64 + OVERHEAD;
        let unread = Unread { path: path.to_owned(), reason: reason.to_string() };
        self.tops.entry(place.top.clone()).or_default().unread.push(unread);
    }
}

/// What stands before a file's own header: its name, if that is long.
#[derive(Default)]
struct Extension {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    /// The file cannot be read, and why.
    problem: Option<String>,
}

impl Extension {
    fn read_name(&mut self, entry: &mut tar::Entry<'_, impl Read>) -> io::Result<()> {
        if entry.size() > Limit::Path.most() {
            self.problem = Some(Limit::Path.to_string());
            return Ok(());
        }
        let mut name = Vec::new();
        entry.read_to_end(&mut name)?;
        if name.last() == Some(&0) {
            name.pop();
        }
        self.name = Some(name);
        Ok(())
    }

    fn read_pax(&mut self, entry: &mut tar::Entry<'_, impl Read>) -> io::Result<()> {
        if entry.size() > Limit::Extension.most() {
            self.problem = Some(Limit::Extension.to_string());
            return Ok(());
        }
        let mut records = Vec::new();
        entry.read_to_end(&mut records)?;
        for record in tar::PaxExtensions::new(&records) {
            let Ok(record) = record else {
                self.problem = Some("has a PAX header that is damaged".to_owned());
                return Ok(());
            };
            match record.key_bytes() {
                b"path" if record.value_bytes().len() as u64 > Limit::Path.most() => {
                    self.problem = Some(Limit::Path.to_string());
                }
                b"path" => self.name = Some(record.value_bytes().to_owned()),
                b"size" => {
                    let size = record.value().ok().and_then(|size| size.parse().ok());
                    self.size = Some(size.ok_or_else(|| io::Error::other("a PAX header has a size that is none"))?);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Name {
    Opam,
    Url,
    Descr,
}

/// Where a path of the archive is below `packages/`.
#[derive(Clone)]
struct Place {
    top: String,
    /// Below the entry.
    directory: String,
    /// How many directories that are.
    directories: usize,
    name: Option<Name>,
}

impl Place {
    fn of(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        let packages = parts.iter().take(2).position(|part| *part == "packages")?;
        let [top, directories @ .., file] = &parts[packages + 1..] else { return None };
        if parts.contains(&"..") {
            return None;
        }
        let name = match *file {
            "opam" => Some(Name::Opam),
            "url" => Some(Name::Url),
            "descr" => Some(Name::Descr),
            _ => None,
        };
        let directory = directories.join("/");
        Some(Self { top: (*top).to_owned(), directory, directories: directories.len(), name })
    }
}

impl Source for ArchiveSource {
    fn label(&self) -> String {
        self.path.display().to_string()
    }

    fn tops(&self) -> Result<Vec<Top>, SourceError> {
        let top = |(name, top): (&String, &TopFiles)| {
            let stamps: Vec<Stamp> = top.files.values().map(Companions::stamp).collect();
            let parts = top.files.keys().map(String::as_bytes).chain(stamps.iter().map(bytemuck::bytes_of));
            let stamp = if top.unread.is_empty() { stamp_of(parts) } else { Stamp::default() };
            Top { name: name.clone(), stamp }
        };
        Ok(self.tops.iter().map(top).collect())
    }

    fn reader(&self) -> Result<Box<dyn Reader + '_>, SourceError> {
        Ok(Box::new(ArchiveReader { source: self }))
    }

    fn fetch(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        let missing = || SourceError::Missing(self.path.join(path));
        let place = Place::of(path).ok_or_else(missing)?;
        let found = self.tops.get(&place.top).and_then(|top| top.files.get(&place.directory));
        match found.and_then(|files| files.opam.as_ref()).ok_or_else(missing)? {
            File::Text(text) => Ok(text.clone()),
            File::TooLarge => Err(SourceError::Limit { path: path.to_owned(), limit: Limit::File }),
        }
    }
}

struct ArchiveReader<'s> {
    source: &'s ArchiveSource,
}

impl Reader for ArchiveReader<'_> {
    fn visit(&mut self, top: &mut Top, sink: &mut Sink<'_>) -> Result<Vec<Unread>, SourceError> {
        let Some(below) = self.source.tops.get(&top.name) else { return Ok(Vec::new()) };
        let mut package: Option<&str> = None;
        for (directory, files) in &below.files {
            // Nothing below a package's directory is a package (rule R1).
            let inside = |outer: &str| {
                outer.is_empty() || directory.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
            };
            if files.opam.is_none() || package.is_some_and(inside) {
                continue;
            }
            package = Some(directory);
            sink(&mut ArchiveEntry { directory, files })?;
        }
        Ok(below.unread.clone())
    }
}

struct ArchiveEntry<'e> {
    directory: &'e str,
    files: &'e Companions,
}

impl Entry for ArchiveEntry<'_> {
    fn directory(&self) -> &str {
        self.directory
    }

    fn stamp(&self) -> Stamp {
        self.files.stamp()
    }

    fn opam(&mut self) -> Result<Option<&[u8]>, SourceError> {
        Ok(self.files.opam.as_ref().and_then(File::text))
    }

    fn companion(&mut self, name: &str) -> Result<Option<Vec<u8>>, SourceError> {
        let file = if name == "url" { &self.files.url } else { &self.files.descr };
        match file {
            Some(File::TooLarge) => {
                Err(SourceError::File { reason: format!("has a `{name}` beside it that {}", Limit::File) })
            }
            file => Ok(file.as_ref().and_then(File::text).map(<[u8]>::to_owned)),
        }
    }
}
