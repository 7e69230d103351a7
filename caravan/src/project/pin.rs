//! The opam files of packages that a project pins (`pin-depends`; the opam manual, "pin-depends").

use crate::error::{Error, ErrorKind};
use crate::observer::Observer;
use crate::repository::{Local, expand_home, is_archive, is_url};
use bstr::ByteSlice;
use opam_parser::file::Url;
use std::path::Path;
use std::process::Command;

/// The text of the opam file of a package, from where it is pinned to: a git repository, a directory.
pub(super) fn pinned_file(
    project: &Path,
    name: &str,
    url: &Url,
    label: &str,
    (local, observer): (&Local, &dyn Observer),
) -> Result<String, Error> {
    let text = url.0.to_str_lossy().into_owned();
    let (place, revision) = match text.rsplit_once('#') {
        Some((place, revision)) => (place, revision),
        None => (text.as_str(), "HEAD"),
    };
    // git would take it for an option.
    if revision.starts_with('-') {
        return Err(missing(name, label, &text));
    }
    let candidates = [
        format!("{name}.opam"),
        format!("{name}.opam/opam"),
        format!("opam/{name}.opam"),
        "opam".to_owned(),
        "opam/opam".to_owned(),
    ];
    let bare = place.strip_prefix("git+").unwrap_or(place);
    let stripped = bare.strip_prefix("file://").unwrap_or(bare);
    let directory = project.join(expand_home(stripped));
    let is_git = place.starts_with("git+") || place.starts_with("git:") || bare.ends_with(".git");
    if !is_git && !is_url(stripped) && directory.is_dir() {
        let found = candidates.iter().map(|file| directory.join(file)).find(|path| path.is_file());
        let found = found.ok_or_else(|| missing(name, label, &text))?;
        let bytes = fs_err::read(found).map_err(|error| Error::new(ErrorKind::System, error.to_string()))?;
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    if !is_git && (is_archive(bare) || !is_url(bare)) {
        return Err(Error::new(ErrorKind::Repository, format!("{label} leads to `{text}`, which is not followed"))
            .with_hint("caravan follows pins to git repositories and directories; pin a checkout of it instead"));
    }
    let repository = match is_url(stripped) {
        true => local.clone_of(bare, observer)?,
        false => directory,
    };
    for file in &candidates {
        let mut git = Command::new("git");
        git.arg("-C").arg(&repository).args(["cat-file", "blob", &format!("{revision}:{file}")]);
        let found =
            git.output().map_err(|error| Error::new(ErrorKind::System, format!("cannot run `git`: {error}")))?;
        if found.status.success() {
            return Ok(String::from_utf8_lossy(&found.stdout).into_owned());
        }
    }
    Err(missing(name, label, &text))
}

fn missing(name: &str, label: &str, url: &str) -> Error {
    Error::new(ErrorKind::Repository, format!("{label} leads to `{url}`, which has no opam file for `{name}`"))
        .with_hint(format!("an opam file is looked for in `{name}.opam`, `opam/{name}.opam` and `opam`"))
}
