//! What differs between any two sources: all their opam files are read.

use super::{Source, SourceError};
use rayon::prelude::*;
use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_128;

/// A file that differs between two states.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Its path from the root: `packages/utop/utop.2.14.0/opam`.
    pub path: String,
    /// It was there before.
    pub before: bool,
    /// It is there after.
    pub after: bool,
}

/// The opam files of two sources that differ, sorted by path. Between two commits `History::differences`
/// (feature `git`) is faster, and sees all files.
///
/// # Errors
/// When one of them cannot be read.
pub fn differences(before: &dyn Source, after: &dyn Source) -> Result<Vec<Difference>, SourceError> {
    let (before, after) = rayon::join(|| opam_files(before), || opam_files(after));
    let (mut before, after) = (before?, after?);
    let mut differences = Vec::new();
    for (path, hash) in after {
        match before.remove(&path) {
            Some(old) if old == hash => {}
            old => differences.push(Difference { path, before: old.is_some(), after: true }),
        }
    }
    differences.extend(before.into_keys().map(|path| Difference { path, before: true, after: false }));
    differences.sort_unstable();
    Ok(differences)
}

/// The paths of all opam files, each with a hash of its text.
///
/// # Errors
/// When the source cannot be read.
pub fn opam_files(source: &dyn Source) -> Result<BTreeMap<String, u128>, SourceError> {
    let tops = source.tops()?;
    let piece = tops.len().div_ceil(rayon::current_num_threads() * 8).max(1);
    let pieces: Vec<Vec<(String, u128)>> = tops
        .par_chunks(piece)
        .map(|tops| {
            let mut files = Vec::new();
            let mut reader = source.reader()?;
            for top in tops {
                let mut top = top.clone();
                let name = top.name.clone();
                reader.visit(&mut top, &mut |entry| {
                    let slash = if entry.directory().is_empty() { "" } else { "/" };
                    let path = format!("packages/{name}{slash}{}/opam", entry.directory());
                    let hash = match entry.opam() {
                        Err(SourceError::File { .. }) => 0,
                        text => text?.map_or(0, xxh3_128),
                    };
                    files.push((path, hash));
                    Ok(())
                })?;
            }
            Ok(files)
        })
        .collect::<Result<_, SourceError>>()?;
    Ok(pieces.into_iter().flatten().collect())
}
