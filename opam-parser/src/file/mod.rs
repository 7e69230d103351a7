//! The typed opam file: every field of the format as a type (the opam manual, "opam").
//!
//! [`OpamFile::parse`] reads a package's file the way opam does: an error in syntax or in
//! `opam-version` sets the file aside (rules P1 to P8), an error in a field drops that field (P9).

mod fields;
mod place;
mod read;
mod signs;
mod types;

pub use fields::Extent;
pub use place::field_line;
pub use types::{
    Argument, Checksum, Command, Depext, EnvUpdate, Extension, ExtraFile, Feature, Filtered, Flags, HashKind,
    PinDepend, Source, Url,
};

use crate::diagnostic::{Diagnostic, Severity};
use crate::filter::Filter;
use crate::formula::{Dependency, Formula};
use crate::name::PackageName;
use crate::syntax;
use crate::version::Version;
use bstr::BString;

/// A package's opam file.
#[derive(Clone, Debug, PartialEq)]
pub struct OpamFile {
    /// `opam-version`
    pub opam_version: BString,
    /// `name`; in a repository the directory's name counts (rule R3).
    pub name: Option<PackageName>,
    /// `version`; in a repository the directory's name counts (rule R3).
    pub version: Option<Version>,
    /// `synopsis`
    pub synopsis: Option<BString>,
    /// `description`, or the legacy `descr`
    pub description: Option<BString>,
    /// `maintainer`
    pub maintainer: Vec<BString>,
    /// `authors` and `author`
    pub authors: Vec<BString>,
    /// `license`
    pub license: Vec<BString>,
    /// `tags`
    pub tags: Vec<BString>,
    /// `homepage`
    pub homepage: Vec<BString>,
    /// `doc`
    pub doc: Vec<BString>,
    /// `bug-reports`
    pub bug_reports: Vec<BString>,
    /// `depends`
    pub depends: Formula<Dependency>,
    /// `depopts`
    pub depopts: Formula<Dependency>,
    /// `conflicts`
    pub conflicts: Formula<Dependency>,
    /// `conflict-class`
    pub conflict_class: Vec<PackageName>,
    /// `available`, with the legacy `os` and `ocaml-version` folded in (rule P13)
    pub available: Filter,
    /// `flags`, with those that tags set (rule P16)
    pub flags: Flags,
    /// `setenv`
    pub setenv: Vec<EnvUpdate>,
    /// `build-env`
    pub build_env: Vec<EnvUpdate>,
    /// `build`
    pub build: Vec<Command>,
    /// `run-test`
    pub run_test: Vec<Command>,
    /// `install`
    pub install: Vec<Command>,
    /// `remove`
    pub remove: Vec<Command>,
    /// `build-test` (legacy)
    pub build_test: Vec<Command>,
    /// `build-doc` (legacy)
    pub build_doc: Vec<Command>,
    /// `substs`
    pub substs: Vec<BString>,
    /// `patches`
    pub patches: Vec<Filtered<BString>>,
    /// `features`
    pub features: Vec<Feature>,
    /// `messages`
    pub messages: Vec<Filtered<BString>>,
    /// `post-messages`
    pub post_messages: Vec<Filtered<BString>>,
    /// `depexts`
    pub depexts: Vec<Depext>,
    /// `libraries` (legacy)
    pub libraries: Vec<Filtered<BString>>,
    /// `syntax` (legacy)
    pub syntax: Vec<Filtered<BString>>,
    /// `configure-style` (legacy)
    pub configure_style: Option<BString>,
    /// `dev-repo`
    pub dev_repo: Option<Url>,
    /// `pin-depends`
    pub pin_depends: Vec<PinDepend>,
    /// `extra-files`
    pub extra_files: Vec<ExtraFile>,
    /// `url { … }`
    pub url: Option<Source>,
    /// `extra-source "file" { … }` and `extra-sources`: the file's name and where it comes from
    pub extra_sources: Vec<(BString, Source)>,
    /// `x-…` fields
    pub extensions: Vec<Extension>,
    /// There are commands for tests, or something depends on `with-test` (as opam-repo-ci decides it).
    pub has_tests: bool,
    /// `x-maintenance-intent` says that nobody maintains it, or it has `x-reason-for-archiving`.
    pub abandoned: bool,
}

impl Default for OpamFile {
    fn default() -> Self {
        Self {
            opam_version: "2.0".into(),
            name: None,
            version: None,
            synopsis: None,
            description: None,
            maintainer: vec![],
            authors: vec![],
            license: vec![],
            tags: vec![],
            homepage: vec![],
            doc: vec![],
            bug_reports: vec![],
            depends: Formula::Empty,
            depopts: Formula::Empty,
            conflicts: Formula::Empty,
            conflict_class: vec![],
            available: Filter::Bool(true),
            flags: Flags::default(),
            setenv: vec![],
            build_env: vec![],
            build: vec![],
            run_test: vec![],
            install: vec![],
            remove: vec![],
            build_test: vec![],
            build_doc: vec![],
            substs: vec![],
            patches: vec![],
            features: vec![],
            messages: vec![],
            post_messages: vec![],
            depexts: vec![],
            libraries: vec![],
            syntax: vec![],
            configure_style: None,
            dev_repo: None,
            pin_depends: vec![],
            extra_files: vec![],
            url: None,
            extra_sources: vec![],
            extensions: vec![],
            has_tests: false,
            abandoned: false,
        }
    }
}

/// A file as far as it could be read, and what was wrong with it.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The file; `None` if something in it sets the whole file aside.
    pub file: Option<OpamFile>,
    /// Everything that was wrong, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl OpamFile {
    /// Reads a package's opam file completely.
    pub fn parse(source: &[u8]) -> Parsed {
        Self::parse_extent(source, Extent::All)
    }

    /// Reads a package's opam file as far as `extent` says; the other fields stay empty and
    /// unchecked.
    pub fn parse_extent(source: &[u8], extent: Extent) -> Parsed {
        let (tree, mut diagnostics) = syntax::parse_file(source);
        syntax::check_version(&tree, &mut diagnostics);
        let is_error = |found: &Diagnostic| found.severity == Severity::Error;
        if diagnostics.iter().any(is_error) {
            return Parsed { file: None, diagnostics };
        }
        let file = fields::read(&tree, extent, &mut diagnostics);
        diagnostics.sort_by_key(|found| found.span.map(|span| span.start));
        let file = (!diagnostics.iter().any(is_error)).then_some(file);
        Parsed { file, diagnostics }
    }

    /// Reads a legacy `url` file: the fields of the section alone (rule R6). `None` if it names no
    /// source.
    pub fn parse_url_file(source: &[u8]) -> Option<Source> {
        let (tree, diagnostics) = syntax::parse_file(source);
        let broken = diagnostics.iter().any(|found| found.severity == Severity::Error);
        if broken { None } else { read::source(tree.items(), &mut vec![]).ok().flatten() }
    }

    /// Whether opam would call it a development package: its source moves, being a version control
    /// repository or a local directory without a checksum (rule F34; opam,
    /// `OpamPackageVar.is_dev_package`). Pins are not considered.
    pub fn is_dev(&self) -> bool {
        let moving = |source: &Source| source.checksums.is_empty() && !source.src.is_http();
        self.url.as_ref().is_some_and(moving)
    }
}
