//! Names as people write them, and what to say where there is none.

use crate::error::{Error, ErrorKind};
use opam_parser::index::{Index, NameId, PackageId};

/// A name that exists in an index, in whatever case it was written if that is unambiguous (rule N6).
pub(crate) fn name_in(index: &Index, text: &str) -> Result<NameId, Error> {
    let exists = |name: &NameId| {
        index.versions_of(*name).len() > 0 || index.broken_files().any(|file| index.file_name(file) == *name)
    };
    if let Some(name) = index.find_name(text).filter(exists) {
        return Ok(name);
    }
    let mut folded = index.names().filter(|name| index.name(*name).eq_ignore_ascii_case(text) && exists(name));
    match (folded.next(), folded.next()) {
        (Some(only), None) => Ok(only),
        _ => {
            if let Some(error) = unread(index, text) {
                return Err(error);
            }
            let near: Vec<String> =
                index.near_names(text, 3).into_iter().map(|name| index.name(name).to_owned()).collect();
            Err(Error::unknown_package(text, &near))
        }
    }
}

/// The error for a name whose directory could not be read.
fn unread(index: &Index, name: &str) -> Option<Error> {
    let directory = format!("packages/{name}");
    let below = |path: &str| path.strip_prefix(&directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let (_, unread) = index.unread().find(|(_, unread)| below(&unread.path))?;
    let message = format!("`{name}` is set aside because `{}` {}", unread.path, unread.reason);
    Some(Error::new(ErrorKind::BrokenFile, message))
}

/// The newest versions of a name in an index, for hints.
pub(crate) fn newest_in(index: &Index, name: NameId) -> Vec<String> {
    let text = |package: PackageId| index.version(index.package_version(package)).to_owned();
    index.versions_of(name).rev().take(5).map(text).collect()
}
