//! An archive of a repository: `opam.ocaml.org/index.tar.gz`, or what opam keeps in its root.
//!
//! It is read once from front to back; what lies below `packages/` stays in memory until the index
//! is built. The first directory may be the repository itself or one above it.

use super::{Entry, MAX_FILE, Reader, Sink, Source, SourceError, Stamp, Top};
use std::collections::BTreeMap;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// A `.tar.gz` or `.tar` file.
pub struct ArchiveSource {
    path: PathBuf,
    /// By top-level entry, by directory below it.
    files: BTreeMap<String, BTreeMap<String, Companions>>,
}

/// What a package's directory may hold.
#[derive(Default)]
struct Companions {
    opam: Option<Vec<u8>>,
    url: Option<Vec<u8>>,
    descr: Option<Vec<u8>>,
}

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
        stamp_of([&self.opam, &self.url, &self.descr].map(|file| file.as_deref().unwrap_or_default()).into_iter())
    }
}

impl ArchiveSource {
    /// Reads an archive.
    ///
    /// # Errors
    /// When there is no such file, it is no archive, or holds no `packages/`.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        if !path.exists() {
            return Err(SourceError::Missing(path.into()));
        }
        let file = fs_err::File::open(path)?;
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let start = std::io::BufRead::fill_buf(&mut reader)?;
        let gzip = start.starts_with(&[0x1f, 0x8b]);
        // POSIX and GNU archives alike say so at this place of the first header.
        let tar = start.get(257..262) == Some(b"ustar");
        let mut source = Self { path: path.into(), files: BTreeMap::new() };
        if gzip {
            source.unpack(flate2::bufread::MultiGzDecoder::new(reader))?;
        } else if tar {
            source.unpack(reader)?;
        } else {
            let reason = "it is a file, but neither a `.tar.gz` nor a `.tar` archive";
            return Err(SourceError::NotARepository { path: path.into(), reason });
        }
        if source.files.is_empty() {
            return Err(SourceError::NotARepository {
                path: path.into(),
                reason: "nothing in it lies below `packages/`",
            });
        }
        Ok(source)
    }

    fn error(&self, error: &std::io::Error) -> SourceError {
        SourceError::Archive { path: self.path.clone(), message: error.to_string() }
    }

    fn unpack(&mut self, reader: impl Read) -> Result<(), SourceError> {
        let mut archive = tar::Archive::new(reader);
        let entries = archive.entries().map_err(|error| self.error(&error))?;
        for entry in entries {
            let mut entry = entry.map_err(|error| self.error(&error))?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let path = entry.path_bytes();
            let Some((top, directory, name)) = std::str::from_utf8(&path).ok().and_then(place) else { continue };
            let wanted = self.files.entry(top).or_default().entry(directory).or_default();
            let slot = match name {
                Name::Opam => &mut wanted.opam,
                Name::Url => &mut wanted.url,
                Name::Descr => &mut wanted.descr,
            };
            // One byte over the limit is kept, so that the file is known to be too large.
            let mut text = Vec::with_capacity(entry.size().min(MAX_FILE) as usize);
            let read = (&mut entry).take(MAX_FILE + 1).read_to_end(&mut text);
            if let Err(error) = read {
                return Err(self.error(&error));
            }
            *slot = Some(text);
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

/// The top-level entry, the directory below it, and the file of a path in the archive.
fn place(path: &str) -> Option<(String, String, Name)> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let packages = parts.iter().take(2).position(|part| *part == "packages")?;
    let [top, directory @ .., file] = &parts[packages + 1..] else { return None };
    let name = match *file {
        "opam" => Name::Opam,
        "url" => Name::Url,
        "descr" => Name::Descr,
        _ => return None,
    };
    Some(((*top).to_owned(), directory.join("/"), name))
}

impl Source for ArchiveSource {
    fn label(&self) -> String {
        self.path.display().to_string()
    }

    fn tops(&self) -> Result<Vec<Top>, SourceError> {
        let top = |(name, files): (&String, &BTreeMap<String, Companions>)| {
            let stamps: Vec<Stamp> = files.values().map(Companions::stamp).collect();
            let parts = files.keys().map(String::as_bytes).chain(stamps.iter().map(bytemuck::bytes_of));
            Top { name: name.clone(), stamp: stamp_of(parts) }
        };
        Ok(self.files.iter().map(top).collect())
    }

    fn reader(&self) -> Result<Box<dyn Reader + '_>, SourceError> {
        Ok(Box::new(ArchiveReader { source: self }))
    }

    fn fetch(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        let missing = || SourceError::Missing(self.path.join(path));
        let (top, directory, _) = place(path).ok_or_else(missing)?;
        let found = self.files.get(&top).and_then(|files| files.get(&directory));
        found.and_then(|files| files.opam.clone()).ok_or_else(missing)
    }
}

struct ArchiveReader<'s> {
    source: &'s ArchiveSource,
}

impl Reader for ArchiveReader<'_> {
    fn visit(&mut self, top: &mut Top, sink: &mut Sink<'_>) -> Result<(), SourceError> {
        let mut package: Option<&str> = None;
        for (directory, files) in self.source.files.get(&top.name).into_iter().flatten() {
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
        Ok(())
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
        Ok(self.files.opam.as_deref().filter(|text| text.len() as u64 <= MAX_FILE))
    }

    fn companion(&mut self, name: &str) -> Result<Option<Vec<u8>>, SourceError> {
        let file = if name == "url" { &self.files.url } else { &self.files.descr };
        Ok(file.clone())
    }
}
