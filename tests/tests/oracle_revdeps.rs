//! Every row of `oracle/revdeps.tsv.gz` but opam-repo-ci's three solver-backed lists: who depends on
//! a package, as `opam list --depends-on` says, for 11 targets and 9 variants.

use caravan_revdeps::{Options, Targets, direct, recursive};
use caravan_solver::{Platform, View};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn the_sets_are_those_of_opam() {
    let Some(text) = caravan_tests::shared_gz("oracle/revdeps.tsv.gz") else { return };
    let Some(index) = caravan_tests::shared_index() else { return };
    let mut expected: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let [target, variant, package] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        expected.entry((target, variant)).or_default().insert(package);
    }
    let mut platform = Platform::linux_x86_64();
    platform.set("os-version", "12");
    let view = View::new(&index, &platform);
    let mut compared = 0;
    for ((target, variant), expected) in expected {
        let plain = Options::default();
        let (options, deep) = match variant {
            "direct" => (plain, false),
            "depopts" => (Options { depopts: true, ..plain }, false),
            "with-test" => (Options { with_test: true, ..plain }, false),
            "with-doc" => (Options { with_doc: true, ..plain }, false),
            "dev" => (Options { dev: true, ..plain }, false),
            "post" => (Options { post: true, ..plain }, false),
            "nobuild" => (Options { build: false, ..plain }, false),
            "recursive" => (plain, true),
            "recursive-depopts-post" => (Options { depopts: true, post: true, ..plain }, true),
            // They need a solver for each package: `--coinstallable-with`.
            "ci-1-depopts" | "ci-2-recursive" | "ci-3-with-test" => continue,
            other => panic!("unknown variant {other}"),
        };
        let (name, version) = match target.split_once('.') {
            Some((name, version)) => (name, Some(version)),
            None => (target, None),
        };
        let name = index.find_name(name).unwrap();
        let wanted = |package| version.is_none_or(|version| index.find_package(name, version) == Some(package));
        let targets = Targets::of(&index, name, wanted);
        let found = if deep { recursive(&view, &targets, &options) } else { direct(&view, &targets, &options) };
        let found: BTreeSet<String> = found.into_iter().map(|package| index.package_text(package)).collect();
        let ours: BTreeSet<&str> = found.iter().map(String::as_str).collect();
        let missing: Vec<_> = expected.difference(&ours).take(5).collect();
        let extra: Vec<_> = ours.difference(&expected).take(5).collect();
        assert!(missing.is_empty() && extra.is_empty(), "{target} {variant}: missing {missing:?}, extra {extra:?}");
        compared += 1;
    }
    assert!(compared >= 99, "only {compared} sets were compared");
}
