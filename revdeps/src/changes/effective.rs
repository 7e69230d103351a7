//! Whether two opam files make the same package: opam's `OpamFile.OPAM.effectively_equal`, and what
//! opam-repo-ci compares beside it, `depexts` and the extensions `x-ci-*`.

use opam_parser::file::{Extension, Flags, OpamFile, Source};
use opam_parser::syntax::parse_value;
use opam_parser::syntax::print::print;

/// Equal in everything but words about the package.
pub(super) fn effectively_equal(a: &OpamFile, b: &OpamFile) -> bool {
    effective(a) == effective(b)
}

/// The part of a file that has a part in solving, building, testing or installing.
fn effective(file: &OpamFile) -> OpamFile {
    let mut flags = Flags::default();
    if file.flags.contains(Flags::PLUGIN) {
        flags.insert(Flags::PLUGIN);
    }
    OpamFile {
        opam_version: file.opam_version.clone(),
        name: file.name.clone(),
        version: file.version.clone(),
        depends: file.depends.clone(),
        depopts: file.depopts.clone(),
        conflicts: file.conflicts.clone(),
        conflict_class: file.conflict_class.clone(),
        available: file.available.clone(),
        flags,
        setenv: file.setenv.clone(),
        build_env: file.build_env.clone(),
        build: file.build.clone(),
        run_test: file.run_test.clone(),
        install: file.install.clone(),
        remove: file.remove.clone(),
        build_test: file.build_test.clone(),
        build_doc: file.build_doc.clone(),
        substs: file.substs.clone(),
        patches: file.patches.clone(),
        features: file.features.clone(),
        depexts: file.depexts.clone(),
        extra_files: file.extra_files.clone(),
        url: file.url.as_ref().map(contents),
        extra_sources: file.extra_sources.iter().map(|(name, source)| (name.clone(), contents(source))).collect(),
        extensions: extensions(&file.extensions),
        ..OpamFile::default()
    }
}

/// What is fetched: the first checksum says it; where there is none, the place does.
fn contents(source: &Source) -> Source {
    let mut contents = Source { mirrors: vec![], ..source.clone() };
    contents.checksums.truncate(1);
    if !contents.checksums.is_empty() {
        contents.src.0.clear();
    }
    contents
}

/// Those that matter to opam and to CI, in one order, however they are written.
fn extensions(all: &[Extension]) -> Vec<Extension> {
    let matters = |found: &&Extension| found.name.starts_with("x-ci-") || found.name == "x-env-path-rewrite";
    let mut kept: Vec<Extension> = all.iter().filter(matters).cloned().collect();
    for extension in &mut kept {
        let (tree, _) = parse_value(&extension.text);
        extension.text = print(&tree).into();
    }
    kept.sort_by(|a, b| a.name.cmp(&b.name));
    kept
}
