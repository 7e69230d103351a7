//! The repositories of one command, opened: the index, and the files on demand.

use crate::arguments::{Global, RepoPrecedence};
use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::repositories::locations;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use opam_parser::atom::Atom;
use opam_parser::file::OpamFile;
use opam_parser::index::{FileId, Index, NameId, PackageId, Precedence};
use opam_parser::repository::{Cache, Location, Opened};
use opam_parser::source::SourceError;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

pub(crate) struct Session {
    pub(crate) index: Index,
    pub(crate) locations: Vec<Location>,
}

/// The cache that the arguments name.
pub(crate) fn cache(global: &Global) -> Result<Cache, Failure> {
    let directory = global.cache_dir.clone().or_else(Cache::default_directory);
    directory.map(Cache::new).ok_or_else(|| {
        Failure::new(Kind::System, "there is no place for a cache: neither HOME nor XDG_CACHE_HOME is set")
            .hint("`--cache-dir DIR` or CARAVAN_CACHE_DIR names one")
    })
}

/// A bar that appears when reading takes over a second.
fn read(cache: &Cache, location: &Location, output: &mut Output) -> Result<Opened, Failure> {
    let started = Instant::now();
    let shown: OnceLock<ProgressBar> = OnceLock::new();
    let wanted = output.shows_progress();
    let progress = |done: usize, total: usize| {
        if !wanted || started.elapsed() < Duration::from_secs(1) {
            return;
        }
        let bar = shown.get_or_init(|| {
            let style = ProgressStyle::with_template("reading {msg} {bar:30} {pos}/{len}");
            let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_message(location.label())
        });
        bar.set_position(done as u64);
    };
    let opened = cache.open(location, &progress);
    if let Some(bar) = shown.get() {
        bar.finish_and_clear();
    }
    Ok(opened?)
}

/// A warning about some files, if there are any.
fn complain(index: &Index, files: &[FileId], [one, several]: [&str; 2], output: &mut Output) {
    let Some(first) = files.first() else { return };
    let shown: Vec<String> = files.iter().take(3).map(|file| index.file_text(*file)).collect();
    let more = if files.len() > 3 { ", …" } else { "" };
    let (plural, verb) = if files.len() == 1 { ("", one) } else { ("s", several) };
    let message = format!("{} opam file{plural} {verb}: {}{more}", files.len(), shown.join(", "));
    let hint = format!("`caravan show {}` says what is wrong", index.file_text(*first));
    output.warning(&message, Some(&hint));
}

/// Which of several repositories counts.
pub(crate) fn precedence(global: &Global) -> Precedence {
    match global.repo_precedence {
        RepoPrecedence::First => Precedence::FirstWins,
        RepoPrecedence::Last => Precedence::LastWins,
    }
}

impl Session {
    pub(crate) fn open(global: &Global, output: &mut Output) -> Result<Self, Failure> {
        Self::open_with(global, precedence(global), output)
    }

    pub(crate) fn open_with(global: &Global, precedence: Precedence, output: &mut Output) -> Result<Self, Failure> {
        let cache = cache(global)?;
        let locations = locations(global, &cache, output)?;
        let session = Self::read(&cache, locations, precedence, output)?;
        session.complain(output);
        Ok(session)
    }

    /// Opens repositories that are known already, without a word about broken files.
    pub(crate) fn read(
        cache: &Cache,
        locations: Vec<Location>,
        precedence: Precedence,
        output: &mut Output,
    ) -> Result<Self, Failure> {
        let mut indexes = Vec::new();
        let mut warnings = Vec::new();
        for location in &locations {
            let opened = read(cache, location, output)?;
            warnings.extend(opened.warnings);
            indexes.push(opened.index);
        }
        let index = if indexes.len() == 1 {
            indexes.remove(0)
        } else {
            let opened = cache.overlay(&indexes.iter().collect::<Vec<_>>(), precedence)?;
            warnings.extend(opened.warnings);
            opened.index
        };
        if let Some(warning) = warnings.first() {
            let hint = "the answer is right, but the next one will take as long; `--cache-dir DIR` names another place";
            output.warning(&warning.to_string(), Some(hint));
        }
        Ok(Self { index, locations })
    }

    /// What to call the repositories.
    pub(crate) fn label(&self) -> String {
        self.locations.iter().map(Location::label).collect::<Vec<_>>().join(" and ")
    }

    /// Warns about files that were set aside or lost a field.
    pub(crate) fn complain(&self, output: &mut Output) {
        let Self { index, locations } = self;
        let broken: Vec<FileId> = index.broken_files().collect();
        // A dropped field matters to those who can mend it: in the tree that they work on.
        let own = |file: &FileId| {
            matches!(locations.get(index.file(*file).layer), Some(Location::Directory { marks: None, .. }))
        };
        let dropped =
            index.files_with_problems().filter(|file| !broken.contains(file) && own(file)).collect::<Vec<_>>();
        complain(index, &broken, ["is broken and set aside", "are broken and set aside"], output);
        complain(index, &dropped, ["has a field that is ignored", "have fields that are ignored"], output);
    }

    /// The text of an opam file, from where it lies.
    pub(crate) fn text(&self, file: FileId) -> Result<Vec<u8>, Failure> {
        let place = self.index.file(file);
        let location = self.locations.get(place.layer);
        let location = location.ok_or_else(|| Failure::from(SourceError::Missing(place.path.clone().into())))?;
        Ok(location.source()?.fetch(&place.path)?)
    }

    /// What to call a file in messages.
    pub(crate) fn file_label(&self, file: FileId) -> String {
        let place = self.index.file(file);
        match self.locations.get(place.layer) {
            Some(Location::Directory { path, .. }) => path.join(&place.path).display().to_string(),
            Some(location) => format!("{}:{}", location.label(), place.path),
            None => place.path,
        }
    }

    /// The failure for a version whose file is broken: what is wrong in it.
    pub(crate) fn broken(&self, file: FileId, output: &Output) -> Failure {
        let package = self.index.file_text(file);
        let details = match self.text(file) {
            Ok(source) => {
                let parsed = OpamFile::parse(&source);
                let label = self.file_label(file);
                let shown =
                    parsed.diagnostics.iter().map(|found| found.render(&label, &source, output.colors_errors()));
                shown.collect::<Vec<_>>().join("\n\n")
            }
            Err(failure) => failure.message,
        };
        Failure::new(Kind::BrokenFile, format!("`{package}` is set aside because its opam file is broken"))
            .details(details)
            .hint("mend the file, or ask for another version")
    }

    pub(crate) fn parse_atom(text: &str) -> Result<Atom, Failure> {
        text.parse().map_err(|error: opam_parser::atom::AtomError| {
            Failure::usage(format!("`{text}` names no package: {error}"))
                .hint("write a name, NAME.VERSION, or a constraint between quotes: 'cohttp>=6'")
        })
    }

    /// A name that exists, in whatever case it was written if that is unambiguous (rule N6).
    pub(crate) fn name(&self, text: &str) -> Result<NameId, Failure> {
        let index = &self.index;
        let exists = |name: &NameId| {
            !index.package_range(*name).is_empty() || index.broken_files().any(|file| index.file_name(file) == *name)
        };
        if let Some(name) = index.find_name(text).filter(exists) {
            return Ok(name);
        }
        let mut folded = index.names().filter(|name| index.name(*name).eq_ignore_ascii_case(text) && exists(name));
        match (folded.next(), folded.next()) {
            (Some(only), None) => Ok(only),
            _ => {
                let near: Vec<String> =
                    index.near_names(text, 3).into_iter().map(|name| index.name(name).to_owned()).collect();
                Err(Failure::unknown_package(text, &near))
            }
        }
    }

    /// The newest versions of a name, for hints.
    pub(crate) fn newest(&self, name: NameId) -> Vec<String> {
        let text = |package: PackageId| self.index.version(self.index.package_version(package)).to_owned();
        self.index.versions_of(name).rev().take(5).map(text).collect()
    }
}
