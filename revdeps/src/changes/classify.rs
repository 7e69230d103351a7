//! What became of each package that differs.

use super::edits::Edit;
use super::effective::effectively_equal;
use super::fields::{self, Effect, FieldChange};
use super::package_change::{ChangeKind, Changes, PackageChange, Problem};
use opam_parser::diagnostic::{Diagnostic, Severity};
use opam_parser::file::{OpamFile, Parsed};
use opam_parser::filter::Filter;
use opam_parser::index::Index;
use opam_parser::name::PackageName;
use rayon::prelude::*;

impl Changes {
    /// Classifies edits of a repository, of which `before` is the index without them.
    pub fn of(before: &Index, edits: &[Edit], unexpected: Vec<String>) -> Self {
        let existed = |name: &PackageName| {
            before.find_name(name.as_str()).is_some_and(|name| {
                !before.package_range(name).is_empty()
                    || before.broken_files().any(|file| before.file_name(file) == name)
            })
        };
        let packages = edits.par_iter().filter_map(|edit| classify(edit, existed(&edit.name))).collect();
        Self { packages, unexpected }
    }
}

/// What became of a package; `None` where nothing differs.
fn classify(edit: &Edit, name_existed: bool) -> Option<PackageChange> {
    let (name, version) = (edit.name.clone(), edit.version.clone());
    let change = |kind| {
        let (path, problems) = (edit.path.clone(), vec![]);
        PackageChange { name, version, kind, has_tests: false, fields: vec![], path, problems }
    };
    let after = match (&edit.before, &edit.after) {
        (None, None) => return None,
        (Some(before), Some(after)) if before == after && !edit.files => return None,
        (Some(_), None) => return Some(change(ChangeKind::Deleted)),
        (_, Some(after)) => after,
    };
    let Parsed { file, diagnostics } = OpamFile::parse(after);
    let Some(file) = file else {
        let errors = diagnostics.into_iter().filter(|found| found.severity == Severity::Error);
        let problem = |found: Diagnostic| {
            let line = found.position(after).map(|position| position.line);
            Problem { line, message: found.message }
        };
        return Some(PackageChange { problems: errors.map(problem).collect(), ..change(ChangeKind::Broken) });
    };
    let has_tests = file.has_tests;
    let Some(before) = &edit.before else {
        let kind = match () {
            () if file.available == Filter::Bool(false) => ChangeKind::Unavailable,
            () if name_existed => ChangeKind::NewRelease,
            () => ChangeKind::NewPackage,
        };
        return Some(PackageChange { has_tests, ..change(kind) });
    };
    // One that could not be read counts as empty.
    let old = OpamFile::parse(before).file.unwrap_or_default();
    let kind = match () {
        () if file.available == Filter::Bool(false) && old.available != Filter::Bool(false) => ChangeKind::Unavailable,
        () if edit.files || !effectively_equal(&old, &file) => ChangeKind::SignificantlyChanged,
        () => ChangeKind::InsignificantlyChanged,
    };
    let mut fields = fields::changed((before, &old), (after, &file));
    if edit.files {
        fields.push(FieldChange { field: "files/".to_owned(), affects: vec![Effect::Building], line: None });
    }
    Some(PackageChange { has_tests, fields, ..change(kind) })
}
