//! A project's own opam files, as roots.

use crate::arguments::Global;
use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::repositories::pinned_file;
use caravan_solver::problem::Pin;
use opam_parser::diagnostic::Severity;
use opam_parser::file::{OpamFile, Parsed, PinDepend};
use opam_parser::name::PackageName;
use opam_parser::version::Version;
use std::path::{Path, PathBuf};

/// The version of what has none of its own, as opam's pins have it.
const DEV: &str = "dev";

/// A project's packages, and those that it pins.
pub(crate) struct Project {
    pub(crate) packages: Vec<Pin>,
    pub(crate) pinned: Vec<Pin>,
}

/// The packages that a project defines: `NAME.opam` in its directory or in `opam/`, else `opam`.
pub(crate) fn read(directory: &Path, global: &Global, output: &mut Output) -> Result<Project, Failure> {
    let files = files(directory);
    if files.is_empty() {
        let missing = if directory.is_dir() { "has no opam files" } else { "is not a directory" };
        return Err(Failure::usage(format!("`{}` {missing}", directory.display()))
            .hint("a project has its packages in `NAME.opam`; a package of a repository is named without a slash"));
    }
    let mut project = Project { packages: Vec::new(), pinned: Vec::new() };
    for path in &files {
        let (pin, pin_depends) = package(directory, path, output)?;
        project.packages.push(pin);
        for PinDepend { name, version, url } in pin_depends {
            let label = format!("the `pin-depends` of `{}`", path.display());
            let opam = pinned_file(directory, name.as_str(), &url, &label, global, output)?;
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

fn package(directory: &Path, path: &Path, output: &mut Output) -> Result<(Pin, Vec<PinDepend>), Failure> {
    let source = fs_err::read(path).map_err(|error| Failure::new(Kind::System, error.to_string()))?;
    let label = path.display().to_string();
    let Parsed { file, diagnostics } = OpamFile::parse(&source);
    let shown: Vec<String> =
        diagnostics.iter().map(|found| found.render(&label, &source, output.colors_errors())).collect();
    let Some(file) = file else {
        return Err(Failure::new(Kind::BrokenFile, format!("`{label}` is broken, so there is nothing to solve for"))
            .details(shown.join("\n\n"))
            .hint("mend the file; `caravan parse` checks it"));
    };
    if diagnostics.iter().any(|found| found.severity == Severity::Warning) {
        output.note(&shown.join("\n\n"));
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let named = if stem == "opam" { None } else { Some(stem) };
    let folder = || fs_err::canonicalize(directory).ok()?.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = match named {
        Some(stem) => PackageName::new(&stem),
        None => file.name.clone().or_else(|| PackageName::new(&folder()?)),
    };
    let name = name.ok_or_else(|| {
        Failure::new(Kind::BrokenFile, format!("`{label}` does not say which package it is"))
            .hint("name the file `NAME.opam`, or give it a field `name`")
    })?;
    let version = file.version.clone().or_else(|| Version::new(DEV));
    let version = version.ok_or_else(|| Failure::new(Kind::BrokenFile, format!("`{label}` has no version")))?;
    let opam = String::from_utf8_lossy(&source).into_owned();
    Ok((Pin { name, version, opam }, file.pin_depends))
}
