//! Opening repositories through a cache, and laying them over each other.

use super::opened::Repository;
use super::place::Place;
use crate::error::Error;
use crate::observer::{Observer, Warning};
use opam_parser::index::{Index, Precedence};
use opam_parser::repository::{Cache, Opened};
use opam_parser::source::SourceError;
use opam_parser::source::history::History;
use std::path::Path;
use std::sync::Arc;

/// Opens a location through the cache, with progress.
pub(crate) fn open_location(cache: &Cache, place: &Place, observer: &dyn Observer) -> Result<Opened, Error> {
    let stage = format!("reading {}", place.label);
    Ok(cache.open(&place.location, &|done, total| observer.progress(&stage, done, total))?)
}

/// Whether the git repository in a folder has a commit. Where there is no folder, it has none.
///
/// # Errors
/// When it cannot be read.
pub fn has_commit(folder: &Path, commit: &str) -> Result<bool, Error> {
    if !folder.is_dir() {
        return Ok(false);
    }
    match History::open(folder).and_then(|history| history.commit(commit)) {
        Ok(found) => Ok(found.id == commit),
        Err(SourceError::NoRevision { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Opens places through a cache and lays them over each other. What is wrong with the cache is a warning.
///
/// # Errors
/// When one of them cannot be read, or together they are too large.
pub fn open_places(
    cache: &Cache,
    places: &[Place],
    precedence: Precedence,
    observer: &dyn Observer,
) -> Result<Repository, Error> {
    let mut opened = places.iter().map(|place| open_location(cache, place, observer)).collect::<Result<Vec<_>, _>>()?;
    let mut warnings: Vec<_> = opened.iter_mut().flat_map(|opened| std::mem::take(&mut opened.warnings)).collect();
    let index = match opened.len() {
        1 => opened.remove(0).index,
        _ => {
            let layers: Vec<&Index> = opened.iter().map(|opened| &opened.index).collect();
            let together = cache.overlay(&layers, precedence)?;
            warnings.extend(together.warnings);
            together.index
        }
    };
    if let Some(warning) = warnings.first() {
        observer.warn(Warning {
            message: warning.to_string(),
            hint: Some(
                "the answer is right, but the next one will take as long; `--cache-dir DIR` names another place"
                    .to_owned(),
            ),
            is_diagnostic: false,
        });
    }
    Ok(Repository::new(places.to_vec(), index))
}

/// Repositories that are open already, laid over each other in memory.
///
/// # Errors
/// When together they are too large.
pub fn lay_over(repositories: &[Arc<Repository>], precedence: Precedence) -> Result<Arc<Repository>, Error> {
    if let [only] = repositories {
        return Ok(Arc::clone(only));
    }
    let layers: Vec<&Index> = repositories.iter().map(|repository| repository.index()).collect();
    let index = Index::overlay(&layers, precedence)?;
    let places = repositories.iter().flat_map(|repository| repository.places().iter().cloned()).collect();
    Ok(Arc::new(Repository::new(places, index)))
}
