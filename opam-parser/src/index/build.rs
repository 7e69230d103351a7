//! Reading a source into an index, in parallel, and again only where it changed.

use super::compile::{Content, FileInput, LayerInput, Pool, Precedence, Problems, TooLarge, TopInput, compile};
use super::layout::{FileRow, PackageRow, Section, Stamp, TopRow};
use super::record::{Batch, Body, Record, bits};
use super::{FileId, Index, NONE, NameId, VersionId};
use crate::diagnostic::{Diagnostic, Severity};
use crate::file::{Extent, OpamFile, Parsed};
use crate::name::{PackageName, split_package};
use crate::source::{Entry, KnownFile, MAX_FILE, Source, SourceError, Top, is_same};
use crate::version::Version;
use bstr::{BString, ByteSlice};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Why no index could be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The source cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The source is too large.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// What reading a source gave.
// It lives from one call to the match after it; a box would only cost an allocation.
#[allow(clippy::large_enum_variant)]
pub enum Built {
    /// The earlier index still tells the truth.
    Same,
    /// A new index.
    New(Index),
}

/// Reads a source. With an earlier index of it, only what changed since is read and parsed. After
/// each entry `progress` is told how many are done, of how many.
///
/// # Errors
/// When the source cannot be read. A broken opam file is no error: it is set aside
/// ([`Index::broken_files`]).
pub fn build(
    source: &dyn Source,
    previous: Option<&Index>,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Built, BuildError> {
    let mut tops = source.tops()?;
    let mut kept = match previous {
        Some(previous) => kept_tops(source, &tops, previous),
        None => vec![None; tops.len()],
    };
    if let Some(previous) = previous {
        let all_kept =
            kept.iter().all(Option::is_some) && previous.section::<TopRow>(Section::Tops).len() == tops.len();
        if all_kept {
            return Ok(Built::Same);
        }
        // A file that lost to another one has no record; should that one be gone now, it is needed.
        for range in &mut kept {
            range.take_if(|(_, range)| range.clone().any(|file| previous.is_shadowed(FileId(file))));
        }
    }

    let fresh: Vec<usize> = (0..tops.len()).filter(|place| kept[*place].is_none()).collect();
    // Enough pieces that the threads end together, few enough that their tables are shared well.
    let piece = fresh.len().div_ceil(rayon::current_num_threads() * 8).max(1);
    let done = AtomicUsize::new(tops.len() - fresh.len());
    let visited: Vec<Visited> = fresh
        .par_chunks(piece)
        .map(|places| {
            let mut visited = Visited::default();
            let mut reader = source.reader()?;
            for &place in places {
                let mut top = tops[place].clone();
                let earlier = previous.map(|previous| Earlier::new(previous, &top.name));
                let first = visited.files.len();
                reader.visit(&mut top, &mut |entry| visited.entry(&tops[place].name, entry, earlier.as_ref()))?;
                visited.tops.push((place, top.stamp, first..visited.files.len()));
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, tops.len());
            }
            Ok(visited)
        })
        .collect::<Result<_, SourceError>>()?;

    let mut pools: Vec<Pool<'_>> = previous.map(Pool::Index).into_iter().collect();
    let first_batch = pools.len();
    pools.extend(visited.iter().map(|visited| Pool::Batch(&visited.batch)));
    let mut files: Vec<Vec<FileInput<'_>>> = tops.iter().map(|_| vec![]).collect();
    for (batch, visited) in visited.iter().enumerate() {
        for (place, stamp, range) in &visited.tops {
            tops[*place].stamp = *stamp;
            let inputs = visited.files[range.clone()].iter();
            files[*place] = inputs.map(|file| file.input((first_batch + batch) as u32, previous)).collect();
        }
    }
    if let Some(previous) = previous {
        let kept = kept.into_iter().enumerate().filter_map(|(place, kept)| Some((place, kept?)));
        for (place, (stamp, range)) in kept {
            tops[place].stamp = stamp;
            files[place] = range.map(|file| kept_file(previous, FileId(file))).collect();
        }
    }
    let tops = tops.iter().zip(files);
    let tops = tops.map(|(top, files)| TopInput { name: top.name.as_bytes().as_bstr(), stamp: top.stamp, files });
    let layer = LayerInput { exclusive: false, tops: tops.collect() };
    Ok(Built::New(compile(&[layer], &pools, Precedence::LastWins)?))
}

/// For each entry that did not change, its files in the earlier index.
fn kept_tops(source: &dyn Source, tops: &[Top], previous: &Index) -> Vec<Option<(Stamp, Range<u32>)>> {
    let rows: &[TopRow] = previous.section(Section::Tops);
    let known: FxHashMap<&[u8], usize> = rows
        .iter()
        .enumerate()
        .map(|(place, row)| (previous.string(super::StringId(row.name)).as_bytes(), place))
        .collect();
    tops.par_iter()
        .with_min_len(64)
        .map(|top| {
            let place = *known.get(top.name.as_bytes())?;
            let files = previous.top_files(place);
            let mut remembered = files.clone().map(|file| previous.known_file(FileId(file)));
            let then = rows[place].stamp;
            source.unchanged(top, then, &mut remembered).then_some((then, files))
        })
        .collect()
}

impl Index {
    /// The files below a top-level entry.
    pub(super) fn top_files(&self, top: usize) -> Range<u32> {
        let rows: &[TopRow] = self.section(Section::Tops);
        let end = match rows.get(top + 1) {
            Some(next) => next.first_file,
            None => self.section::<FileRow>(Section::Files).len() as u32,
        };
        rows[top].first_file..end
    }

    /// Whether the file was read but another one of the same version counts.
    fn is_shadowed(&self, file: FileId) -> bool {
        self.file_row(file).package == NONE && self.problem_range(file).is_empty()
    }

    fn known_file(&self, file: FileId) -> KnownFile {
        let row = self.file_row(file);
        let companions = match self.section::<PackageRow>(Section::Packages).get(row.package as usize) {
            Some(package) => package.flags & (bits::NO_URL | bits::NO_DESCR) != 0,
            None => false,
        };
        KnownFile { directory: self.file_directory(row), stamp: row.stamp, companions }
    }
}

/// A file of an earlier index as input for the next one.
pub(super) fn kept_file(index: &Index, file: FileId) -> FileInput<'_> {
    let row = index.file_row(file);
    let package = index.section::<PackageRow>(Section::Packages).get(row.package as usize);
    let content = package.map(|row| Content {
        flags: row.flags,
        synopsis: row.synopsis,
        body: Body {
            available: row.available,
            depends: row.depends,
            depopts: row.depopts,
            conflicts: row.conflicts,
            classes: row.classes,
            end: row.end,
        },
    });
    FileInput {
        name: index.name(NameId(row.name)),
        version: index.version(VersionId(row.version)),
        path: (row.path != NONE).then(|| index.string(super::StringId(row.path))),
        stamp: row.stamp,
        pool: 0,
        content,
        problems: Problems::Kept(index, file),
    }
}

/// What an earlier index remembers of one entry that changed.
struct Earlier<'i> {
    index: &'i Index,
    files: Range<u32>,
}

impl<'i> Earlier<'i> {
    fn new(index: &'i Index, top: &str) -> Self {
        let rows: &[TopRow] = index.section(Section::Tops);
        let place = rows.iter().position(|row| index.string(super::StringId(row.name)) == top);
        Self { index, files: place.map_or(0..0, |place| index.top_files(place)) }
    }

    /// The file in that directory, if it has not changed.
    fn same(&self, directory: &str, stamp: Stamp) -> Option<FileId> {
        let mut files = self.files.clone().map(FileId);
        files.find(|file| {
            let row = self.index.file_row(*file);
            is_same(row.stamp, stamp) && !self.index.is_shadowed(*file) && self.index.file_directory(row) == directory
        })
    }
}

/// The files that one thread read.
#[derive(Default)]
struct Visited {
    batch: Batch,
    files: Vec<VisitedFile>,
    /// Place among the entries, stamp, and files.
    tops: Vec<(usize, Stamp, Range<usize>)>,
}

struct VisitedFile {
    name: PackageName,
    version: Version,
    path: Option<BString>,
    stamp: Stamp,
    record: Result<Record, FileId>,
}

impl Visited {
    fn entry(&mut self, top: &str, entry: &mut dyn Entry, earlier: Option<&Earlier<'_>>) -> Result<(), SourceError> {
        let directory = entry.directory();
        let base = if directory.is_empty() { top } else { directory.rsplit('/').next().unwrap_or_default() };
        // Rule R2: a directory of another name is no package.
        let Some((name, version)) = split_package(base) else { return Ok(()) };
        let path = (directory != base).then(|| directory.into());
        let stamp = entry.stamp();
        let record = match earlier.and_then(|earlier| earlier.same(directory, stamp)) {
            Some(file) => Err(file),
            None => Ok(read(&mut self.batch, entry)?),
        };
        self.files.push(VisitedFile { name, version, path, stamp, record });
        Ok(())
    }
}

impl VisitedFile {
    fn input<'a>(&'a self, pool: u32, previous: Option<&'a Index>) -> FileInput<'a> {
        let mut input = match (&self.record, previous) {
            (Err(file), Some(previous)) => kept_file(previous, *file),
            (record, _) => {
                let record = record.as_ref().ok();
                let package = record.and_then(|record| record.package.as_ref());
                FileInput {
                    name: self.name.as_str(),
                    version: self.version.as_str(),
                    path: None,
                    stamp: self.stamp,
                    pool,
                    content: package.map(|p| Content { flags: p.flags, synopsis: p.synopsis, body: p.body }),
                    problems: Problems::Fresh(record.map_or(&[], |record| &record.problems)),
                }
            }
        };
        input.path = self.path.as_ref().map(|path| path.as_bstr());
        input
    }
}

fn read(batch: &mut Batch, entry: &mut dyn Entry) -> Result<Record, SourceError> {
    let Some(text) = entry.opam()? else {
        let message = format!("this file is larger than {} MiB", MAX_FILE >> 20);
        let found = Diagnostic { severity: Severity::Error, message, span: None, hint: None };
        return Ok(batch.record(None, vec![found], b""));
    };
    let Parsed { mut file, diagnostics } = OpamFile::parse_extent(text, Extent::Solving);
    let mut record = batch.record(None, diagnostics, text);
    if let Some(file) = &mut file {
        companions(file, entry)?;
        record.package = batch.record(Some(file), vec![], b"").package;
    }
    Ok(record)
}

/// The legacy files beside an opam file count only where it is silent (rule R6).
fn companions(file: &mut OpamFile, entry: &mut dyn Entry) -> Result<(), SourceError> {
    if file.url.is_none()
        && let Some(text) = entry.companion("url")?
    {
        file.url = OpamFile::parse_url_file(&text);
    }
    if file.synopsis.is_none()
        && file.description.is_none()
        && let Some(text) = entry.companion("descr")?
    {
        let (synopsis, description) = text.split_once_str("\n").unwrap_or((&text, b""));
        file.synopsis = Some(synopsis.trim().into());
        file.description = Some(description.trim().into());
    }
    Ok(())
}
