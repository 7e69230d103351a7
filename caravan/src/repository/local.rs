//! The repositories of this machine, found as a person's command finds them.

use super::fetch::{clone_repository, download_archive};
use super::name::RepositoryName;
use super::open::open_places;
use super::opened::Repository;
use super::place::{Place, directory as directory_place};
use super::repositories::Repositories;
use crate::error::{Error, ErrorKind};
use crate::observer::Observer;
use opam_parser::index::Precedence;
use opam_parser::repository::{Before, Cache, Location};
use opam_parser::source::{directory, opam_root};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is cloned when there is nothing else.
const OPAM_REPOSITORY: &str = "https://github.com/ocaml/opam-repository.git";

/// Which repositories are meant, and where their indexes are kept.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Directories, `GIT[#REV]`, archives, or URLs of them. None: the checkout that the process stands in, else the
    /// repositories of opam's root, else a clone of opam-repository (or of `default`).
    pub repositories: Vec<String>,
    /// Of several repositories that have the same version of a package, which one counts.
    pub precedence: Precedence,
    /// As of a revision, or as of a date: `2026-08-01`, or with a time `2026-08-01T12:00Z`.
    pub at: Option<String>,
    /// Whether clones and downloads are brought up to date first.
    pub refresh: bool,
    /// Where indexes, clones and downloads are kept; `None`: in the user's cache directory.
    pub cache: Option<PathBuf>,
    /// What to clone where there is nothing else; `None`: opam-repository.
    pub default: Option<String>,
}

/// The repositories of this machine.
#[derive(Debug)]
pub struct Local {
    options: Options,
    cache: Cache,
}

impl Local {
    /// Nothing is opened yet.
    ///
    /// # Errors
    /// When there is no place for a cache.
    pub fn new(options: Options) -> Result<Self, Error> {
        let directory = options.cache.clone().or_else(Cache::default_directory);
        let cache = directory.map(Cache::new).ok_or_else(|| {
            Error::new(
                ErrorKind::System,
                "there is no place for a cache: this user has no home, and XDG_CACHE_HOME is not set",
            )
            .with_hint("`--cache-dir DIR` or CARAVAN_CACHE_DIR names one")
        })?;
        Ok(Self { options, cache })
    }

    /// The clone of a git repository, made the first time.
    pub(crate) fn clone_of(&self, url: &str, observer: &dyn Observer) -> Result<PathBuf, Error> {
        clone_repository(url, self.options.refresh, &self.cache, observer)
    }

    /// The cache.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Without a name.
    fn found(&self, observer: &dyn Observer) -> Result<Vec<Place>, Error> {
        if let Some(path) = std::env::current_dir().ok().and_then(|here| directory::enclosing(&here)) {
            return Ok(vec![directory_place(&path)]);
        }
        if let Some(root) = opam_root::location() {
            let marks = opam_root::update_marks(&root);
            let places: Vec<Place> = opam_root::repositories(&root)
                .into_iter()
                .map(|repository| match repository.path.is_dir() {
                    true => Location::Directory { path: repository.path, marks: marks.clone() },
                    false => Location::Archive { path: repository.path },
                })
                .map(Place::new)
                .collect();
            if !places.is_empty() {
                return Ok(places);
            }
        }
        let url = self.options.default.as_deref().unwrap_or(OPAM_REPOSITORY);
        Ok(vec![self.place(url, observer)?])
    }

    /// The place that a text names.
    fn place(&self, text: &str, observer: &dyn Observer) -> Result<Place, Error> {
        let (place, revision) = match text.rsplit_once('#') {
            Some((place, revision)) => (place, Some(revision)),
            None => (text, None),
        };
        if revision.is_some_and(str::is_empty) || place.is_empty() {
            return Err(Error::question(format!("`{text}` names no repository and revision"))
                .with_hint("write `--repo GIT#REV`"));
        }
        if is_url(place) {
            return self.url(text, place, revision, observer);
        }
        let path = expand_home(place);
        Ok(Place::new(match revision {
            Some(_) => git(path, revision),
            None if path.is_file() => Location::Archive { path },
            None if path.join("packages").is_dir() || !is_bare(&path) => Location::Directory { path, marks: None },
            None => git(path, None),
        }))
    }

    fn url(&self, text: &str, url: &str, revision: Option<&str>, observer: &dyn Observer) -> Result<Place, Error> {
        let url = url.strip_prefix("git+").unwrap_or(url);
        let location = if is_archive(url) && revision.is_none() {
            Location::Archive { path: download_archive(url, self.options.refresh, &self.cache, observer)? }
        } else {
            git(self.clone_of(url, observer)?, revision)
        };
        Ok(Place { location, label: text.to_owned() })
    }
}

impl Repositories for Local {
    fn usual(&mut self, observer: &dyn Observer) -> Result<Vec<Place>, Error> {
        let places = match self.options.repositories.as_slice() {
            [] => self.found(observer)?,
            names => names.iter().map(|name| self.place(name, observer)).collect::<Result<_, _>>()?,
        };
        match &self.options.at {
            None => Ok(places),
            Some(at) => places.into_iter().map(|place| at_time(place, at)).collect(),
        }
    }

    fn locate(
        &mut self,
        RepositoryName { url, commit }: &RepositoryName,
        observer: &dyn Observer,
    ) -> Result<Place, Error> {
        let mut place = self.place(&format!("{url}#{commit}"), observer)?;
        place.label = format!("{url}#{commit}");
        Ok(place)
    }

    fn open(
        &mut self,
        places: &[Place],
        precedence: Precedence,
        observer: &dyn Observer,
    ) -> Result<Arc<Repository>, Error> {
        open_places(&self.cache, places, precedence, observer).map(Arc::new)
    }

    fn precedence(&self) -> Precedence {
        self.options.precedence
    }

    fn allows_paths(&self) -> bool {
        true
    }
}

impl Repository {
    /// A repository of this machine: a directory, `GIT#REV`, an archive, or the URL of one of them, with the cache in
    /// its usual place.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(name: &str) -> Result<Arc<Self>, Error> {
        let mut local = Local::new(Options { repositories: vec![name.to_owned()], ..Options::default() })?;
        let places = local.usual(&crate::observer::Silent)?;
        local.open(&places, Precedence::FirstWins, &crate::observer::Silent)
    }
}

pub(crate) fn is_url(text: &str) -> bool {
    text.contains("://") || text.starts_with("git@")
}

pub(crate) fn is_archive(text: &str) -> bool {
    [".tar.gz", ".tgz", ".tar"].iter().any(|suffix| text.ends_with(suffix))
}

/// A path in which a leading `~/` is the user's home directory.
pub(crate) fn expand_home(text: &str) -> PathBuf {
    match (text.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(text),
    }
}

fn is_bare(path: &Path) -> bool {
    path.join("HEAD").is_file() && path.join("objects").is_dir()
}

fn git(path: PathBuf, revision: Option<&str>) -> Location {
    Location::Git { path, revision: revision.unwrap_or("HEAD").to_owned(), before: None }
}

/// A place as of a date if the text reads as one, else as of a revision.
fn at_time(place: Place, at: &str) -> Result<Place, Error> {
    let (path, revision) = match place.location {
        Location::Directory { path, .. } => (path, "HEAD".to_owned()),
        Location::Git { path, revision, .. } => (path, revision),
        Location::Archive { path } => {
            return Err(Error::new(
                ErrorKind::Repository,
                format!("`{}` is an archive, so it has no history", path.display()),
            )
            .with_hint("`--at` needs a git repository: `--repo GIT`"));
        }
    };
    Ok(Place::new(match seconds(at) {
        Some(seconds) => Location::Git { path, revision, before: Some(Before { seconds, shown: at.to_owned() }) },
        None => Location::Git { path, revision: at.to_owned(), before: None },
    }))
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
