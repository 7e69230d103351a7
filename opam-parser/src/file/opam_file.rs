//! The fields of a package's opam file.

use super::types::{
    Command, Depext, EnvUpdate, Extension, ExtraFile, Feature, Filtered, Flags, PinDepend, Source, Url,
};
use crate::filter::Filter;
use crate::formula::{Dependency, Formula};
use crate::name::PackageName;
use crate::version::{self, Version};
use bstr::BString;
use std::cmp::Ordering;

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

/// The newest `opam-version` whose fields have the meaning written down here (rule P6).
const SUPPORTED: &[u8] = b"2.0";

/// `2.0.1` is `2.0`: what follows the second dot does not change the format (opam,
/// `OpamVersion.nopatch`).
fn without_patch(version: &[u8]) -> &[u8] {
    let mut dots = memchr::memchr_iter(b'.', version);
    dots.next();
    let end = dots.next().or_else(|| memchr::memchr2(b'~', b'+', version)).unwrap_or(version.len());
    &version[..end]
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

impl OpamFile {
    /// Whether opam would call it a development package: its source moves, being a version control
    /// repository or a local directory without a checksum (rule F34; opam,
    /// `OpamPackageVar.is_dev_package`). Pins are not considered.
    pub fn is_dev(&self) -> bool {
        let moving = |source: &Source| source.checksums.is_empty() && !source.src.is_http();
        self.url.as_ref().is_some_and(moving)
    }

    /// Whether its `opam-version` is later than the newest one whose fields have the meaning written down here, so that
    /// nothing else in it was read (rules P6 and P7).
    pub fn is_of_later_format(&self) -> bool {
        version::compare(without_patch(&self.opam_version), SUPPORTED) == Ordering::Greater
    }
}
