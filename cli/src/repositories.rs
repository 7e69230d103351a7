//! Which repositories are meant, and getting those that are elsewhere.

mod fetch;
mod pin;

pub(crate) use pin::pinned_file;

use crate::arguments::Global;
use crate::failure::{Failure, Kind};
use crate::output::Output;
use opam_parser::repository::{Before, Cache, Location};
use opam_parser::source::{directory, opam_root};
use std::path::{Path, PathBuf};

/// What caravan clones when there is nothing else.
const OPAM_REPOSITORY: &str = "https://github.com/ocaml/opam-repository.git";

/// The repositories to use, in order.
pub(crate) fn locations(global: &Global, cache: &Cache, output: &mut Output) -> Result<Vec<Location>, Failure> {
    let named = named(global);
    let locations = if named.is_empty() {
        found(global, cache, output)?
    } else {
        named.iter().map(|text| location(text, global, cache, output)).collect::<Result<_, _>>()?
    };
    match &global.at {
        None => Ok(locations),
        Some(at) => locations.into_iter().map(|location| at_time(location, at)).collect(),
    }
}

fn named(global: &Global) -> Vec<String> {
    if !global.repo.is_empty() {
        return global.repo.clone();
    }
    let variable = std::env::var("CARAVAN_REPO").unwrap_or_default();
    variable.split(';').filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

/// Without `--repo`.
fn found(global: &Global, cache: &Cache, output: &mut Output) -> Result<Vec<Location>, Failure> {
    if let Some(path) = std::env::current_dir().ok().and_then(|here| directory::enclosing(&here)) {
        return Ok(vec![Location::Directory { path, marks: None }]);
    }
    if let Some(root) = opam_root::location() {
        let marks = opam_root::update_marks(&root);
        let locations: Vec<Location> = opam_root::repositories(&root)
            .into_iter()
            .map(|repository| match repository.path.is_dir() {
                true => Location::Directory { path: repository.path, marks: marks.clone() },
                false => Location::Archive { path: repository.path },
            })
            .collect();
        if !locations.is_empty() {
            return Ok(locations);
        }
    }
    let url = std::env::var("CARAVAN_DEFAULT_REPO").unwrap_or_else(|_| OPAM_REPOSITORY.to_owned());
    Ok(vec![location(&url, global, cache, output)?])
}

fn is_url(text: &str) -> bool {
    text.contains("://") || text.starts_with("git@")
}

fn is_archive(text: &str) -> bool {
    [".tar.gz", ".tgz", ".tar"].iter().any(|suffix| text.ends_with(suffix))
}

fn location(text: &str, global: &Global, cache: &Cache, output: &mut Output) -> Result<Location, Failure> {
    let (place, revision) = match text.rsplit_once('#') {
        Some((place, revision)) => (place, Some(revision)),
        None => (text, None),
    };
    if revision.is_some_and(str::is_empty) || place.is_empty() {
        return Err(Failure::usage(format!("`{text}` names no repository and revision")).hint("write `--repo GIT#REV`"));
    }
    if is_url(place) {
        let place = place.strip_prefix("git+").unwrap_or(place);
        if is_archive(place) && revision.is_none() {
            return Ok(Location::Archive { path: fetch::archive(place, global.refresh, cache, output)? });
        }
        let path = fetch::clone(place, global.refresh, cache, output)?;
        return Ok(git(path, revision));
    }
    let path = expand_home(place);
    match revision {
        Some(_) => Ok(git(path, revision)),
        None if path.is_file() => Ok(Location::Archive { path }),
        None if path.join("packages").is_dir() || !is_bare(&path) => Ok(Location::Directory { path, marks: None }),
        None => Ok(git(path, None)),
    }
}

fn expand_home(text: &str) -> PathBuf {
    match (text.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(text),
    }
}

fn is_bare(path: &Path) -> bool {
    path.join("HEAD").is_file() && path.join("objects").is_dir()
}

fn git(path: PathBuf, revision: Option<&str>) -> Location {
    Location::Git { path, revision: revision.unwrap_or("HEAD").to_owned(), before: None }
}

/// `--at`: a date if it reads as one, else a revision.
fn at_time(location: Location, at: &str) -> Result<Location, Failure> {
    let (path, revision) = match location {
        Location::Directory { path, .. } => (path, "HEAD".to_owned()),
        Location::Git { path, revision, .. } => (path, revision),
        Location::Archive { path } => {
            return Err(Failure::new(
                Kind::Repository,
                format!("`{}` is an archive, so it has no history", path.display()),
            )
            .hint("`--at` needs a git repository: `--repo GIT`"));
        }
    };
    Ok(match seconds(at) {
        Some(seconds) => Location::Git { path, revision, before: Some(Before { seconds, shown: at.to_owned() }) },
        None => Location::Git { path, revision: at.to_owned(), before: None },
    })
}

/// A date alone is the end of that day, in UTC; a time without a zone is in UTC too.
fn seconds(at: &str) -> Option<i64> {
    if let Ok(timestamp) = at.parse::<jiff::Timestamp>() {
        return Some(timestamp.as_second());
    }
    let date_alone = at.len() == 10;
    let civil = if date_alone {
        at.parse::<jiff::civil::Date>().ok()?.at(23, 59, 59, 0)
    } else {
        at.trim_end_matches('Z').parse::<jiff::civil::DateTime>().ok()?
    };
    Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
}
