//! A project's own opam files, as roots.

mod pin;

use crate::error::{Error, ErrorKind};
use crate::observer::{Observer, Warning};
use crate::repository::Local;
use caravan_solver::problem::Pin;
use opam_parser::diagnostic::Severity;
use opam_parser::file::{OpamFile, Parsed, PinDepend};
use opam_parser::name::PackageName;
use opam_parser::version::Version;
use pin::pinned_file;
use std::path::{Path, PathBuf};

/// The version of what has none of its own, as opam's pins have it.
const DEV: &str = "dev";

/// A project's packages, and those that it pins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Project {
    /// The packages that it defines.
    pub packages: Vec<Pin>,
    /// The packages that these pin (`pin-depends`).
    pub pinned: Vec<Pin>,
}

impl Project {
    /// Reads the opam files of a project's directory: `NAME.opam` in it or in `opam/`, else `opam`; and those of the
    /// packages that they pin, from git repositories and directories.
    ///
    /// # Errors
    /// When there is no opam file, or one of them cannot be read.
    pub fn read(directory: &Path, local: &Local, observer: &dyn Observer) -> Result<Self, Error> {
        read(directory, local, observer)
    }
}

fn read(directory: &Path, local: &Local, observer: &dyn Observer) -> Result<Project, Error> {
    let files = files(directory);
    if files.is_empty() {
        let missing = if directory.is_dir() { "has no opam files" } else { "is not a directory" };
        return Err(Error::question(format!("`{}` {missing}", directory.display())).with_hint(
            "a project has its packages in `NAME.opam`; a package of a repository is named without a slash",
        ));
    }
    let mut project = Project { packages: Vec::new(), pinned: Vec::new() };
    for path in &files {
        let (pin, pin_depends) = package(directory, path, observer)?;
        project.packages.push(pin);
        for PinDepend { name, version, url } in pin_depends {
            let label = format!("the `pin-depends` of `{}`", path.display());
            let opam = pinned_file(directory, name.as_str(), &url, &label, (local, observer))?;
            project.pinned.push(Pin { name, version, opam });
        }
    }
    Ok(project)
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let named = |directory: &Path| -> Vec<PathBuf> {
        let entries = walkdir::WalkDir::new(directory).min_depth(1).max_depth(1).sort_by_file_name();
        let paths =
            entries.into_iter().flatten().filter(|entry| entry.path().is_file()).map(walkdir::DirEntry::into_path);
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "opam")).collect()
    };
    let mut files = named(directory);
    files.extend(named(&directory.join("opam")));
    if files.is_empty() {
        files.extend([directory.join("opam"), directory.join("opam/opam")].into_iter().filter(|path| path.is_file()));
    }
    files
}

fn package(directory: &Path, path: &Path, observer: &dyn Observer) -> Result<(Pin, Vec<PinDepend>), Error> {
    let source = fs_err::read(path).map_err(|error| Error::new(ErrorKind::System, error.to_string()))?;
    let label = path.display().to_string();
    let Parsed { file, diagnostics } = OpamFile::parse(&source);
    let shown: Vec<String> =
        diagnostics.iter().map(|found| found.render(&label, &source, observer.wants_colors())).collect();
    let Some(file) = file else {
        return Err(Error::new(
            ErrorKind::BrokenFile,
            format!("`{label}` is broken, so there is nothing to solve for"),
        )
        .with_details(shown.join("\n\n"))
        .with_hint("mend the file; `caravan parse` checks it"));
    };
    if diagnostics.iter().any(|found| found.severity == Severity::Warning) {
        observer.warn(Warning { message: shown.join("\n\n"), hint: None, is_diagnostic: true });
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let named = if stem == "opam" { None } else { Some(stem) };
    let folder = || fs_err::canonicalize(directory).ok()?.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = match named {
        Some(stem) => PackageName::new(&stem),
        None => file.name.clone().or_else(|| PackageName::new(&folder()?)),
    };
    let name = name.ok_or_else(|| {
        Error::new(ErrorKind::BrokenFile, format!("`{label}` does not say which package it is"))
            .with_hint("name the file `NAME.opam`, or give it a field `name`")
    })?;
    let version = file.version.clone().or_else(|| Version::new(DEV));
    let version = version.ok_or_else(|| Error::new(ErrorKind::BrokenFile, format!("`{label}` has no version")))?;
    let opam = String::from_utf8_lossy(&source).into_owned();
    Ok((Pin { name, version, opam }, file.pin_depends))
}
