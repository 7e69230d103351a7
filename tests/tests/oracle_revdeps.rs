//! `oracle/revdeps.tsv.gz` and `oracle/revdeps-5.4.1.tsv.gz`: who depends on a package, as
//! `opam list --depends-on` says, in an empty switch and in one with OCaml 5.4.1; with opam-repo-ci's
//! lists of what can be installed together with it.

use caravan_revdeps::{Options, PackageSet, coinstallable, direct, like_opam_repo_ci, recursive};
use caravan_solver::explain::Statement;
use caravan_solver::problem::{Flags, Root};
use caravan_solver::{Platform, Request, Solver, Stop, View};
use opam_parser::index::{Index, PackageId};
use std::collections::{BTreeMap, BTreeSet};

type Expected<'t> = BTreeMap<(&'t str, &'t str), BTreeSet<&'t str>>;

fn expected(text: &str) -> Expected<'_> {
    let mut expected = Expected::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let [target, variant, package] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        expected.entry((target, variant)).or_default().insert(package);
    }
    expected
}

fn platform(os_version: &str) -> Platform {
    let mut platform = Platform::linux_x86_64();
    platform.set("os-version", os_version);
    platform
}

fn targets(index: &Index, target: &str) -> PackageSet {
    let (name, version) = match target.split_once('.') {
        Some((name, version)) => (name, Some(version)),
        None => (target, None),
    };
    let name = index.find_name(name).unwrap();
    PackageSet::of(index, name, |package| version.is_none_or(|v| index.find_package(name, v) == Some(package)))
}

fn compare(index: &Index, what: &str, expected: &BTreeSet<&str>, found: Vec<PackageId>) {
    let found: BTreeSet<String> = found.into_iter().map(|package| index.package_text(package)).collect();
    let ours: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    let missing: Vec<_> = expected.difference(&ours).take(5).collect();
    let extra: Vec<_> = ours.difference(expected).take(5).collect();
    assert!(missing.is_empty() && extra.is_empty(), "{what}: missing {missing:?}, extra {extra:?}");
}

/// A request for the compiler of a switch, and for a package.
fn with(index: &Index, compiler: &str, package: PackageId) -> Request {
    let mut request = Request::new([compiler.parse().unwrap()]);
    request.roots.extend(Root::exactly(index, package, Flags::default()));
    request
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn the_sets_are_those_of_opam() {
    let text = caravan_tests::shared_gz("oracle/revdeps.tsv.gz");
    let index = caravan_tests::shared_index();
    let view = View::new(&index, &platform("12"));
    let tested = View::new(&index, &platform("12")).with_flags_of_all(Flags { with_test: true, ..Flags::default() });
    let plain = Options::default();
    let mut compared = 0;
    for ((target, variant), expected) in expected(&text) {
        let targets = targets(&index, target);
        let alone = || targets.packages(&index).next().unwrap();
        let ci = |view: &View<'_>, mut found: Vec<PackageId>| {
            found.retain(|package| view.is_available(*package));
            coinstallable(view, &with(&index, "ocaml-base-compiler.5.2.1", alone()), &found, &Stop::new()).unwrap()
        };
        let found = match variant {
            "direct" => direct(&view, &targets, &plain),
            "depopts" => direct(&view, &targets, &Options { depopts: true, ..plain }),
            "with-test" => direct(&view, &targets, &Options { with_test: true, ..plain }),
            "with-doc" => direct(&view, &targets, &Options { with_doc: true, ..plain }),
            "dev" => direct(&view, &targets, &Options { dev: true, ..plain }),
            "post" => direct(&view, &targets, &Options { post: true, ..plain }),
            "nobuild" => direct(&view, &targets, &Options { build: false, ..plain }),
            "recursive" => recursive(&view, &targets, &plain),
            "recursive-depopts-post" => recursive(&view, &targets, &Options { depopts: true, post: true, ..plain }),
            "ci-1-depopts" => ci(&view, direct(&view, &targets, &Options { depopts: true, ..plain })),
            "ci-2-recursive" => ci(&view, recursive(&view, &targets, &plain)),
            "ci-3-with-test" => {
                ci(&tested, direct(&view, &targets, &Options { depopts: true, with_test: true, ..plain }))
            }
            other => panic!("unknown variant {other}"),
        };
        compare(&index, &format!("{target} {variant}"), &expected, found);
        compared += 1;
    }
    assert!(compared >= 102, "only {compared} sets were compared");
}

/// Whether a package cannot be installed with another because something in the list `base`, which it
/// needs, is not available.
fn needs_another_system(
    view: &View<'_>,
    compiler: &str,
    package: PackageId,
    text: &str,
    base: &BTreeSet<String>,
) -> bool {
    let mut request = with(view.index(), compiler, package);
    request.roots.push(Root::from(text.parse::<opam_parser::atom::Atom>().unwrap()));
    let facts = Solver::new(view).explain(&request).unwrap().facts;
    facts.iter().any(|fact| match &fact.statement {
        Statement::Unavailable { package, .. } => {
            let name = |text: &str| text.split(['.', ' ']).next().map(str::to_owned);
            base.iter().any(|other| name(other) == name(package))
        }
        _ => false,
    })
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn the_sets_are_those_of_opam_in_a_switch() {
    let text = caravan_tests::shared_gz("oracle/revdeps-5.4.1.tsv.gz");
    let index = caravan_tests::shared_index();
    let view = View::new(&index, &platform("13"));
    let tested = View::new(&index, &platform("13")).with_flags_of_all(Flags { with_test: true, ..Flags::default() });
    let plain = Options::default();
    let compiler = "ocaml-base-compiler.5.4.1";
    let all = expected(&text);
    let (mut compared, mut opams_errors) = (0, 0);
    for ((target, variant), expected) in &all {
        let targets_ = targets(&index, target);
        let package = targets_.packages(&index).next().unwrap();
        let available = |mut found: Vec<PackageId>| {
            found.retain(|package| view.is_available(*package));
            found
        };
        let ci = |view: &View<'_>, found: Vec<PackageId>| {
            coinstallable(view, &with(&index, compiler, package), &available(found), &Stop::new()).unwrap()
        };
        let depopts = Options { depopts: true, ..plain };
        let test_depopts = Options { depopts: true, with_test: true, ..plain };
        let found = match *variant {
            "direct" | "available" => available(direct(&view, &targets_, &plain)),
            "direct-name" => available(direct(&view, &targets(&index, target.split('.').next().unwrap()), &plain)),
            "depopts" => available(direct(&view, &targets_, &depopts)),
            "recursive" => available(recursive(&view, &targets_, &plain)),
            "recursive-depopts" => available(recursive(&view, &targets_, &depopts)),
            "test-depopts" => available(direct(&view, &targets_, &test_depopts)),
            "installable" => {
                let request = Request::new([compiler.parse().unwrap()]);
                let found = available(direct(&view, &targets_, &plain));
                coinstallable(&view, &request, &found, &Stop::new()).unwrap()
            }
            "ci-depopts" => ci(&view, direct(&view, &targets_, &depopts)),
            "ci-recursive" => ci(&view, recursive(&view, &targets_, &plain)),
            "ci-test" => ci(&tested, direct(&view, &targets_, &test_depopts)),
            other => panic!("unknown variant {other}"),
        };
        // When it looks for what can be installed together, opam 2.6 takes every package that it was asked
        // about as available (rule D12, which advises against it). So it lists what needs a package of
        // another system that is itself in the list. Each of those is shown to be that.
        let mut expected = expected.clone();
        if *variant == "ci-recursive" || *variant == "installable" {
            let base: BTreeSet<String> =
                recursive(&view, &targets_, &plain).into_iter().map(|package| index.package_text(package)).collect();
            let ours: BTreeSet<String> = found.iter().map(|package| index.package_text(*package)).collect();
            expected.retain(|text| {
                let unavailable = targets(&index, text).packages(&index).any(|found| !view.is_available(found));
                let wrong = !ours.contains(*text)
                    && (unavailable || needs_another_system(&view, compiler, package, text, &base));
                opams_errors += usize::from(wrong);
                !wrong
            });
        }
        compare(&index, &format!("{target} {variant}"), &expected, found);
        compared += 1;
        // The union of the three, without the package itself.
        if *variant == "ci-test" {
            let lists = ["ci-depopts", "ci-recursive", "ci-test"];
            let text = index.package_text(package);
            let mut union: BTreeSet<&str> =
                lists.iter().flat_map(|list| all.get(&(*target, *list)).into_iter().flatten().copied()).collect();
            union.remove(text.as_str());
            union.retain(|text| !text.starts_with("mirage-net-macosx."));
            let request = Request::new([compiler.parse().unwrap()]);
            let ours = like_opam_repo_ci(&view, &request, package, &Stop::new()).unwrap();
            compare(&index, &format!("{target} like opam-repo-ci"), &union, ours);
        }
    }
    assert!(compared >= 170, "only {compared} sets were compared");
    // `mirage-net-macosx` in five versions, which needs `vmnet`, for four targets; and `--installable`.
    assert_eq!(opams_errors, 28);
}
