//! What differs between two states of a repository, package by package.
//!
//! ```text
//! two states ── differences ──> paths ── edits() ──> the texts of each package, before and after
//!     ── Changes::of() ──> each package's kind, as opam-repo-ci has it, and its fields with their effects
//! ```

mod effective;
mod fields;

pub use fields::{Effect, FieldChange};

use effective::effectively_equal;
use opam_parser::diagnostic::{Diagnostic, Severity};
use opam_parser::file::{OpamFile, Parsed};
use opam_parser::filter::Filter;
use opam_parser::index::Index;
use opam_parser::name::{PackageName, split_package};
use opam_parser::source::compare::Difference;
use opam_parser::source::{Source, SourceError};
use opam_parser::version::Version;
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// The packages that differ, in opam's order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// Each with what became of it.
    pub packages: Vec<Change>,
    /// Paths below `packages/` that differ and belong to no package; opam-repo-ci refuses them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unexpected: Vec<String>,
}

/// What became of one package version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its name.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// What became of it, as opam-repo-ci has it.
    pub kind: Kind,
    /// There is something to test (opam-repo-ci, `has_tests`).
    pub has_tests: bool,
    /// Of one that was there before and is there after, the fields that differ, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
    /// The path of its opam file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What is wrong with its file, if it is broken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

/// Something that is wrong in an opam file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The line, from 1, if it has one.
    pub line: Option<u32>,
    /// What is wrong.
    pub message: String,
}

/// What became of a package version (`peers.md`, 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The first version of a new name.
    NewPackage,
    /// A new version of a known name.
    NewRelease,
    /// It is not there any more.
    Deleted,
    /// It was made unavailable: `available: false`.
    Unavailable,
    /// Something changed that has a part in solving, building or testing.
    SignificantlyChanged,
    /// Nothing changed but words about it.
    InsignificantlyChanged,
    /// Its opam file cannot be read. opam-repo-ci stops here; the package is as good as deleted.
    Broken,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NewPackage => "new package",
            Self::NewRelease => "new release",
            Self::Deleted => "deleted",
            Self::Unavailable => "made unavailable",
            Self::SignificantlyChanged => "changed",
            Self::InsignificantlyChanged => "changed in words only",
            Self::Broken => "broken",
        })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.name, self.version)
    }
}

impl Change {
    /// Whether it can matter to those that depend on it: there is something new to build them with.
    pub fn concerns_dependents(&self) -> bool {
        match self.kind {
            Kind::NewPackage | Kind::NewRelease => true,
            Kind::SignificantlyChanged => {
                let matters = |effect: &Effect| matches!(effect, Effect::Solving | Effect::Building);
                self.fields.iter().any(|field| field.affects.iter().any(matters))
            }
            Kind::Deleted | Kind::Unavailable | Kind::InsignificantlyChanged | Kind::Broken => false,
        }
    }
}

/// The texts of one package before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Its name.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// The path of its opam file.
    pub path: Option<String>,
    /// Its opam file before, if it was there; of what is deleted, that it was there is all that matters.
    pub before: Option<Vec<u8>>,
    /// Its opam file after, if it is there.
    pub after: Option<Vec<u8>>,
    /// Something in its `files/` differs.
    pub files: bool,
}

/// What a path below `packages/` is.
enum Place {
    Opam,
    Files,
}

/// The package that a path belongs to.
fn place(path: &str) -> Option<(PackageName, Version, Place)> {
    let mut parts = path.strip_prefix("packages/")?.split('/');
    let (name, version) = parts.by_ref().find_map(split_package)?;
    match (parts.next()?, parts.next()) {
        ("opam", None) => Some((name, version, Place::Opam)),
        ("files", Some(_)) => Some((name, version, Place::Files)),
        _ => None,
    }
}

/// Puts differing files together by package, with their texts.
///
/// # Errors
/// When a file cannot be read.
pub fn edits(
    differences: &[Difference],
    before: &dyn Source,
    after: &dyn Source,
) -> Result<(Vec<Edit>, Vec<String>), SourceError> {
    // By the version's text, too: `1` and `1.` are one version to opam, but two directories.
    let mut edits: BTreeMap<(PackageName, Version, String), Edit> = BTreeMap::new();
    let mut unexpected = Vec::new();
    for difference in differences {
        let Some((name, version, place)) = place(&difference.path) else {
            unexpected.push(difference.path.clone());
            continue;
        };
        let empty = || {
            let (name, version) = (name.clone(), version.clone());
            Edit { name, version, path: None, before: None, after: None, files: false }
        };
        let key = (name.clone(), version.clone(), version.to_string());
        let edit = edits.entry(key).or_insert_with(empty);
        match place {
            Place::Files => edit.files = true,
            Place::Opam => {
                edit.path = Some(difference.path.clone());
                if difference.before {
                    // Archiving deletes thousands at once, and nobody looks at what they were.
                    edit.before = Some(if difference.after { before.fetch(&difference.path)? } else { vec![] });
                }
                if difference.after {
                    edit.after = Some(after.fetch(&difference.path)?);
                }
            }
        }
    }
    // Of a package whose opam file is the same, nothing is known but that its other files are not.
    for edit in edits.values_mut().filter(|edit| edit.path.is_none()) {
        let path = format!("packages/{0}/{0}.{1}/opam", edit.name, edit.version);
        if let (Ok(old), Ok(new)) = (before.fetch(&path), after.fetch(&path)) {
            (edit.path, edit.before, edit.after) = (Some(path), Some(old), Some(new));
        }
    }
    Ok((edits.into_values().filter(|edit| edit.before.is_some() || edit.after.is_some()).collect(), unexpected))
}

impl Changes {
    /// Classifies edits of a repository, of which `before` is the index without them.
    pub fn of(before: &Index, edits: &[Edit], unexpected: Vec<String>) -> Self {
        let existed = |name: &PackageName| {
            before.find_name(name.as_str()).is_some_and(|name| {
                !before.package_range(name).is_empty()
                    || before.broken_files().any(|file| before.file_name(file) == name)
            })
        };
        let packages = edits.par_iter().filter_map(|edit| change(edit, existed(&edit.name))).collect();
        Self { packages, unexpected }
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty() && self.unexpected.is_empty()
    }
}

/// `None` where nothing differs.
fn change(edit: &Edit, name_existed: bool) -> Option<Change> {
    let (name, version) = (edit.name.clone(), edit.version.clone());
    let change = |kind| {
        let (path, problems) = (edit.path.clone(), vec![]);
        Change { name, version, kind, has_tests: false, fields: vec![], path, problems }
    };
    let after = match (&edit.before, &edit.after) {
        (None, None) => return None,
        (Some(before), Some(after)) if before == after && !edit.files => return None,
        (Some(_), None) => return Some(change(Kind::Deleted)),
        (_, Some(after)) => after,
    };
    let Parsed { file, diagnostics } = OpamFile::parse(after);
    let Some(file) = file else {
        let errors = diagnostics.into_iter().filter(|found| found.severity == Severity::Error);
        let problem = |found: Diagnostic| {
            let line = found.position(after).map(|position| position.line);
            Problem { line, message: found.message }
        };
        return Some(Change { problems: errors.map(problem).collect(), ..change(Kind::Broken) });
    };
    let has_tests = file.has_tests;
    let Some(before) = &edit.before else {
        let kind = match () {
            () if file.available == Filter::Bool(false) => Kind::Unavailable,
            () if name_existed => Kind::NewRelease,
            () => Kind::NewPackage,
        };
        return Some(Change { has_tests, ..change(kind) });
    };
    // One that could not be read counts as empty.
    let old = OpamFile::parse(before).file.unwrap_or_default();
    let kind = match () {
        () if file.available == Filter::Bool(false) && old.available != Filter::Bool(false) => Kind::Unavailable,
        () if edit.files || !effectively_equal(&old, &file) => Kind::SignificantlyChanged,
        () => Kind::InsignificantlyChanged,
    };
    let mut fields = fields::changed((before, &old), (after, &file));
    if edit.files {
        fields.push(FieldChange { field: "files/".to_owned(), affects: vec![Effect::Building], line: None });
    }
    Some(Change { has_tests, fields, ..change(kind) })
}
