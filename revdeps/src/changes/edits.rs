//! The texts of the packages that differ between two states.

use opam_parser::name::{PackageName, split_package};
use opam_parser::source::compare::Difference;
use opam_parser::source::{Source, SourceError};
use opam_parser::version::Version;
use std::collections::BTreeMap;

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

/// Which file of a package a path is.
enum PackageFile {
    /// Its opam file.
    Opam,
    /// One of its `files/`.
    Extra,
}

/// The package that a path below `packages/` belongs to.
fn package_of(path: &str) -> Option<(PackageName, Version, PackageFile)> {
    let mut parts = path.strip_prefix("packages/")?.split('/');
    let (name, version) = parts.by_ref().find_map(split_package)?;
    match (parts.next()?, parts.next()) {
        ("opam", None) => Some((name, version, PackageFile::Opam)),
        ("files", Some(_)) => Some((name, version, PackageFile::Extra)),
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
        let Some((name, version, file)) = package_of(&difference.path) else {
            unexpected.push(difference.path.clone());
            continue;
        };
        let empty = || {
            let (name, version) = (name.clone(), version.clone());
            Edit { name, version, path: None, before: None, after: None, files: false }
        };
        let key = (name.clone(), version.clone(), version.to_string());
        let edit = edits.entry(key).or_insert_with(empty);
        match file {
            PackageFile::Extra => edit.files = true,
            PackageFile::Opam => {
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
