//! Repositories, opened: their packages, their files on demand.

use super::lineage::Lineage;
use super::lookup::{name_in, newest_in};
use super::place::Place;
use crate::error::{Error, ErrorKind};
use crate::observer::{Observer, Warning};
use crate::reach::Reach;
use opam_parser::diagnostic::Severity;
use opam_parser::file::OpamFile;
use opam_parser::index::{FileId, FileLocation, Index, NameId, TooLarge};
use opam_parser::repository::Location;
use opam_parser::source::{SourceError, Unread};
use rustc_hash::FxHashSet;
use std::sync::{Arc, OnceLock};

/// One repository, or several laid over each other, at a state.
pub struct Repository {
    places: Vec<Place>,
    index: Index,
    reach: OnceLock<Reach>,
    /// The same where directories name packages; `None`: that makes no difference.
    by_directory: OnceLock<Option<Box<(Index, Reach)>>>,
    lineage: OnceLock<Arc<Lineage>>,
}

impl Repository {
    /// What was read already.
    pub fn new(places: Vec<Place>, index: Index) -> Self {
        Self { places, index, reach: OnceLock::new(), by_directory: OnceLock::new(), lineage: OnceLock::new() }
    }

    /// The same with a history that is shared with other states of the repository.
    #[must_use]
    pub fn with_lineage(self, lineage: Arc<Lineage>) -> Self {
        Self { lineage: OnceLock::from(lineage), ..self }
    }

    /// Its packages.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Where its layers are.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// What to call it.
    pub fn label(&self) -> String {
        self.places.iter().map(|place| place.label.as_str()).collect::<Vec<_>>().join(" and ")
    }

    /// About how many bytes it takes in memory.
    pub fn size(&self) -> usize {
        // What a name needs is worked out when somebody asks; by then it is some 64 bytes for each.
        self.index.as_bytes().len() + self.index.name_count() * 64
    }

    /// What its names need.
    pub(crate) fn reach(&self) -> &Reach {
        self.reach.get_or_init(|| Reach::new(&self.index))
    }

    /// Its packages, and what their names need, where directories name packages ([`Index::by_directory`]).
    pub(crate) fn by_directory(&self) -> Result<(&Index, &Reach), TooLarge> {
        let other = match self.by_directory.get() {
            Some(known) => known,
            None => {
                let made = self.index.by_directory()?.map(|index| {
                    let reach = Reach::new(&index);
                    Box::new((index, reach))
                });
                self.by_directory.get_or_init(|| made)
            }
        };
        Ok(other.as_ref().map_or_else(|| (&self.index, self.reach()), |other| (&other.0, &other.1)))
    }

    /// The commit and the history of its first layer.
    pub(crate) fn lineage(&self) -> Result<(&str, &Lineage), Error> {
        let Some(Place { location: Location::Git { path, revision, .. }, .. }) = self.places.first() else {
            return Err(Error::new(ErrorKind::Repository, format!("`{}` has no history", self.label())));
        };
        let lineage = match self.lineage.get() {
            Some(lineage) => lineage,
            None => {
                let made = Arc::new(Lineage::open(path)?);
                self.lineage.get_or_init(|| made)
            }
        };
        Ok((revision, lineage))
    }

    /// The text of an opam file, from where it lies.
    pub(crate) fn text(&self, file: FileId) -> Result<Vec<u8>, Error> {
        self.text_at(self.index.file(file))
    }

    /// The text of an opam file of this repository.
    pub(crate) fn text_at(&self, at: FileLocation) -> Result<Vec<u8>, Error> {
        let place = self.places.get(at.layer);
        let place = place.ok_or_else(|| Error::from(SourceError::Missing(at.path.clone().into())))?;
        Ok(place.location.source()?.fetch(&at.path)?)
    }

    /// What to call a file in messages.
    pub(crate) fn file_label(&self, file: FileId) -> String {
        let at = self.index.file(file);
        match self.places.get(at.layer) {
            Some(Place { location: Location::Directory { path, .. }, .. }) => path.join(&at.path).display().to_string(),
            Some(place) => format!("{}:{}", place.label, at.path),
            None => at.path,
        }
    }

    /// The error for a version whose file is broken: what is wrong in it.
    pub(crate) fn broken(&self, file: FileId, observer: &dyn Observer) -> Error {
        let details = self.shown_problems(file, observer).unwrap_or_else(|| {
            // The text is not what is wrong with it, or it cannot be read.
            let label = self.file_label(file);
            let shown = self.index.problems(file).map(|(found, _)| format!("{label}: {}", found.message));
            shown.collect::<Vec<_>>().join("\n\n")
        });
        Error::broken_file(&self.index.file_text(file), details)
    }

    /// What is wrong in a file's text, with excerpts; `None` if nothing in it is why it was set aside.
    fn shown_problems(&self, file: FileId, observer: &dyn Observer) -> Option<String> {
        let source = self.text(file).ok()?;
        let found = OpamFile::parse(&source).diagnostics;
        if !found.iter().any(|found| found.severity == Severity::Error) {
            return None;
        }
        let label = self.file_label(file);
        let shown = found.iter().map(|found| found.render(&label, &source, observer.wants_colors()));
        Some(shown.collect::<Vec<_>>().join("\n\n"))
    }

    /// A name that exists, in whatever case it was written if that is unambiguous (rule N6).
    pub(crate) fn name(&self, text: &str) -> Result<NameId, Error> {
        name_in(&self.index, text)
    }

    /// The newest versions of a name, for hints.
    pub(crate) fn newest(&self, name: NameId) -> Vec<String> {
        newest_in(&self.index, name)
    }

    /// Warns about files that were set aside or lost a field.
    pub(crate) fn warn_about_files(&self, observer: &dyn Observer) {
        let broken: Vec<FileId> = self.index.broken_files().collect();
        // A dropped field matters to those who can mend it: in the tree that they work on.
        let own = |file: &FileId| {
            let place = self.places.get(self.index.file(*file).layer);
            matches!(place, Some(Place { location: Location::Directory { marks: None, .. }, .. }))
        };
        let dropped: Vec<FileId> =
            self.index.files_with_problems().filter(|file| !broken.contains(file) && own(file)).collect();
        self.warn_about(&broken, ["is broken and set aside", "are broken and set aside"], observer);
        self.warn_about(&dropped, ["has a field that is ignored", "have fields that are ignored"], observer);
        self.warn_about_unread(&broken, observer);
    }

    /// Warns about what could not be read, broken files aside.
    fn warn_about_unread(&self, broken: &[FileId], observer: &dyn Observer) {
        let said: FxHashSet<String> = broken.iter().map(|file| self.index.file(*file).path).collect();
        let unread: Vec<Unread> = self.index.unread().map(|(_, unread)| unread).collect();
        let unread: Vec<&Unread> = unread.iter().filter(|unread| !said.contains(&unread.path)).collect();
        let Some(first) = unread.first() else { return };
        let more = match unread.len() - 1 {
            0 => String::new(),
            1 => "; nor is 1 other path".to_owned(),
            more => format!("; nor are {more} other paths"),
        };
        observer.warn(Warning {
            message: format!("`{}` is not read: it {}{more}", first.path, first.reason),
            hint: Some("the packages that are there are not known".to_owned()),
            is_diagnostic: false,
        });
    }

    fn warn_about(&self, files: &[FileId], [one, several]: [&str; 2], observer: &dyn Observer) {
        let Some(first) = files.first() else { return };
        let shown: Vec<String> = files.iter().take(3).map(|file| self.index.file_text(*file)).collect();
        let more = if files.len() > 3 { ", …" } else { "" };
        let (plural, verb) = if files.len() == 1 { ("", one) } else { ("s", several) };
        observer.warn(Warning {
            message: format!("{} opam file{plural} {verb}: {}{more}", files.len(), shown.join(", ")),
            hint: Some(format!("`caravan show {}` says what is wrong", self.index.file_text(*first))),
            is_diagnostic: false,
        });
    }
}
