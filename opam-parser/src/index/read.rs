//! Reading a source into an index, in parallel, and again only where it changed.

use super::compile::{LayerInput, Pool, Precedence, TooLarge, TopInput, UnreadInput, compile};
use super::earlier::{Earlier, kept_file, kept_tops};
use super::ids::FileId;
use super::layout::{Section, TopRow};
use super::storage::Index;
use super::visit::{Visited, VisitedTop};
use crate::source::{Source, SourceError, Stamp, Top, Unread};
use bstr::ByteSlice;
use rayon::prelude::*;
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

/// Is told after each entry below `packages/` how many are done, of how many. Called by several threads.
pub type Progress<'p> = dyn Fn(usize, usize) + Sync + 'p;

impl Index {
    /// Reads a source. The threads are those of the current rayon pool.
    ///
    /// # Errors
    /// When the source cannot be read. A broken opam file is no error: it is set aside
    /// ([`Index::broken_files`]); nor is a path that cannot be read ([`Index::unread`]).
    pub fn read(source: &dyn Source) -> Result<Self, BuildError> {
        Self::read_with_progress(source, &|_, _| {})
    }

    /// [`Index::read`] for who wants to know how far it is.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub fn read_with_progress(source: &dyn Source, progress: &Progress<'_>) -> Result<Self, BuildError> {
        let tops = source.tops()?;
        let kept = vec![None; tops.len()];
        Reading { source, earlier: None, progress }.read(tops, kept)
    }

    /// The index of a later state of the source that this one was read from, or of any source with much the
    /// same files: only what is not the same is read and parsed. `None` if nothing changed, so that this
    /// index still tells the truth. What comes out is what [`Index::read`] would give, byte for byte.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub fn read_again(&self, source: &dyn Source) -> Result<Option<Self>, BuildError> {
        self.read_again_with_progress(source, &|_, _| {})
    }

    /// [`Index::read_again`] for who wants to know how far it is.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub fn read_again_with_progress(
        &self,
        source: &dyn Source,
        progress: &Progress<'_>,
    ) -> Result<Option<Self>, BuildError> {
        let tops = source.tops()?;
        let mut kept = kept_tops(source, &tops, self);
        if kept.iter().all(Option::is_some) && self.section::<TopRow>(Section::Tops).len() == tops.len() {
            return Ok(None);
        }
        // A file that lost to another one has no record; should that one be gone now, it is needed.
        for range in &mut kept {
            range.take_if(|(_, range)| range.clone().any(|file| self.is_shadowed(FileId(file))));
        }
        Reading { source, earlier: Some(self), progress }.read(tops, kept).map(Some)
    }
}

/// An entry that did not change: its stamp, and its files in the earlier index.
type Kept = Option<(Stamp, Range<u32>)>;

/// A source that is being read.
struct Reading<'r> {
    source: &'r dyn Source,
    earlier: Option<&'r Index>,
    progress: &'r Progress<'r>,
}

impl Reading<'_> {
    /// Reads the entries of which nothing is kept, and makes the index.
    fn read(&self, mut tops: Vec<Top>, kept: Vec<Kept>) -> Result<Index, BuildError> {
        let visited = self.visit(&tops, &kept)?;
        let mut pools: Vec<Pool<'_>> = self.earlier.map(Pool::Index).into_iter().collect();
        let first_batch = pools.len();
        pools.extend(visited.iter().map(|visited| Pool::Batch(&visited.batch)));
        let mut files: Vec<Vec<_>> = tops.iter().map(|_| vec![]).collect();
        let mut unread: Vec<&[Unread]> = vec![&[]; tops.len()];
        for (batch, visited) in visited.iter().enumerate() {
            for VisitedTop { place, stamp, files: range, unread: not_read } in &visited.tops {
                unread[*place] = not_read;
                tops[*place].stamp = *stamp;
                let inputs = visited.files[range.clone()].iter();
                files[*place] = inputs.map(|file| file.input((first_batch + batch) as u32, self.earlier)).collect();
            }
        }
        for (place, kept) in kept.into_iter().enumerate() {
            if let (Some((stamp, range)), Some(earlier)) = (kept, self.earlier) {
                tops[place].stamp = stamp;
                files[place] = range.map(|file| kept_file(earlier, FileId(file))).collect();
            }
        }
        if !files.is_empty() && files.iter().all(Vec::is_empty) {
            let unread = unread.concat();
            return Err(SourceError::NoPackages { label: self.source.label(), unread }.into());
        }
        let tops = tops.iter().zip(files).zip(&unread).map(|((top, files), unread)| TopInput {
            name: top.name.as_bytes().as_bstr(),
            stamp: top.stamp,
            files,
            unread: unread.iter().map(unread_input).collect(),
        });
        let layer = LayerInput { exclusive: false, tops: tops.collect() };
        Ok(compile(&[layer], &pools, Precedence::LastWins)?)
    }

    /// Reads and parses the entries of which nothing is kept, on all threads.
    fn visit(&self, tops: &[Top], kept: &[Kept]) -> Result<Vec<Visited>, SourceError> {
        let fresh: Vec<usize> = (0..tops.len()).filter(|place| kept[*place].is_none()).collect();
        // Enough pieces that the threads end together, few enough that their tables are shared well.
        let piece = fresh.len().div_ceil(rayon::current_num_threads() * 8).max(1);
        let done = AtomicUsize::new(tops.len() - fresh.len());
        let visit = |places: &[usize]| {
            let mut visited = Visited::default();
            let mut reader = self.source.reader()?;
            for &place in places {
                let mut top = tops[place].clone();
                let earlier = self.earlier.map(|earlier| Earlier::new(earlier, &top.name));
                let first = visited.files.len();
                let mut unread = Vec::new();
                let below = reader.visit(&mut top, &mut |entry| {
                    unread.extend(visited.entry(&tops[place].name, entry, earlier.as_ref())?);
                    Ok(())
                })?;
                unread.extend(below);
                let files = first..visited.files.len();
                // Who reads again has to look again.
                let stamp = if unread.is_empty() { top.stamp } else { Stamp::default() };
                visited.tops.push(VisitedTop { place, stamp, files, unread });
                (self.progress)(done.fetch_add(1, Ordering::Relaxed) + 1, tops.len());
            }
            Ok(visited)
        };
        fresh.par_chunks(piece).map(visit).collect()
    }
}

fn unread_input(unread: &Unread) -> UnreadInput<'_> {
    UnreadInput { path: unread.path.as_bytes().as_bstr(), reason: unread.reason.as_bytes().as_bstr() }
}
