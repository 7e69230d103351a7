//! The impact of real pull requests: all that are in the shared history of opam-repository.

use super::impact_laws::check_rebuild;
use caravan::render::{Format, TextOptions, render};
use caravan::repository::{RepositoryName, StateName};
use caravan::{Answer, Question, question};
use caravan_revdeps::RepositoryChange;
use caravan_revdeps::changes::ChangeKind;
use caravan_revdeps::impact::{Cause, Findings, impact};
use caravan_revdeps::rebuild::Policy;
use caravan_solver::target::Target;
use caravan_solver::{Flags, Request, Root, SolveError, Solver, Stop, View, verify};
use caravan_tests::index_of;
use caravan_tests::opened::Opened;
use caravan_tests::steps::{each_step, targets};
use opam_parser::index::{Index, PackageId};
use opam_parser::name::split_package;
use opam_parser::source::git::GitSource;
use std::collections::BTreeSet;

/// The package of that text: opam takes `5.5.0+x` and `5.5.0+x0` for one version, of which the index has
/// one.
fn find(index: &Index, package: &str) -> Option<PackageId> {
    let (name, version) = split_package(package)?;
    let found = index.find_package(index.find_name(name.as_str())?, version.as_str())?;
    (index.package_text(found) == package).then_some(found)
}

/// Another file of the same version counts.
fn is_shadowed(index: &Index, package: &str) -> bool {
    let (name, version) = split_package(package).unwrap();
    index.find_name(name.as_str()).is_some_and(|name| index.find_package(name, version.as_str()).is_some())
}

fn request(index: &Index, target: &Target, package: &str) -> Request {
    let mut request = target.request.clone();
    request.roots.extend(Root::exactly(index, find(index, package).unwrap(), Flags::default()));
    request
}

/// The kinds follow from which packages there are; the index knows that without any difference.
fn check_changes(step: &RepositoryChange<'_>) {
    assert!(step.changes.unexpected.is_empty(), "{:?}", step.changes.unexpected);
    let changed: BTreeSet<String> = step.changes.packages.iter().map(ToString::to_string).collect();
    for change in &step.changes.packages {
        let package = change.to_string();
        let [before, after] = [step.before, step.after].map(|index| find(index, &package).is_some());
        let name_before =
            step.before.find_name(change.name.as_str()).is_some_and(|name| !step.before.package_range(name).is_empty());
        match change.kind {
            ChangeKind::NewPackage => assert!(!name_before && after, "{package}"),
            ChangeKind::NewRelease => assert!(name_before && !before && after, "{package}"),
            ChangeKind::Deleted => assert!(before && !after, "{package}"),
            ChangeKind::SignificantlyChanged | ChangeKind::InsignificantlyChanged | ChangeKind::Unavailable => {
                assert!(after || is_shadowed(step.after, &package), "{package}");
            }
            ChangeKind::Broken => assert!(!after, "{package}"),
        }
        // Of what changed in words only, it may be the layout alone.
        assert!(change.kind != ChangeKind::SignificantlyChanged || !change.fields.is_empty(), "{package}");
        if let Some(found) = find(step.after, &package) {
            assert_eq!(step.after.has_tests(found), change.has_tests, "{package}");
        }
    }
    // What says something else to a solver has changed.
    for package in step.matching.changed_after() {
        assert!(changed.contains(&step.after.package_text(package)), "{}", step.after.package_text(package));
    }
    for package in step.matching.changed_before() {
        assert!(changed.contains(&step.before.package_text(package)));
    }
}

/// What is reported is so, in indexes that were made for this alone.
fn check_findings(old: &Index, new: &Index, target: &Target, found: &Findings) {
    let (before, after) = (View::new(old, &target.platform), View::new(new, &target.platform));
    let setting = caravan_solver::Setting::new(target.platform.clone());
    let can = |index: &Index, view: &View<'_>, package: &str| {
        let request = request(index, target, package);
        match Solver::new(view).solve(&request) {
            Ok(selection) => {
                let broken = verify(index, &setting, &request, selection.packages());
                assert!(broken.is_empty(), "{package}: {broken:?}");
                true
            }
            Err(SolveError::NoSolution) => false,
            Err(error) => panic!("{package}: {error}"),
        }
    };
    for lost in &found.lost {
        assert!(can(old, &before, &lost.package), "{}", lost.package);
        match lost.cause {
            Cause::Deleted | Cause::BrokenFile => assert!(find(new, &lost.package).is_none()),
            _ => {
                assert!(!can(new, &after, &lost.package), "{}", lost.package);
                assert!(!lost.facts.is_empty());
            }
        }
    }
    for gained in &found.gained {
        assert!(can(new, &after, &gained.package), "{}", gained.package);
        assert_eq!(find(old, &gained.package).is_none(), gained.new);
        assert!(gained.new || !can(old, &before, &gained.package), "{}", gained.package);
    }
    for refused in &found.refused {
        assert!(!can(new, &after, &refused.package), "{}", refused.package);
        assert!(find(old, &refused.package).is_none() && !refused.facts.is_empty());
    }
}

/// Everything, counted from scratch.
fn installable_texts(index: &Index, target: &Target) -> BTreeSet<String> {
    let view = View::new(index, &target.platform);
    let all: Vec<PackageId> = index.packages().collect();
    let verdicts = Solver::new(&view).installable(&target.request, &all, Flags::default()).unwrap();
    all.iter().zip(verdicts).filter(|(_, can)| *can).map(|(package, _)| index.package_text(*package)).collect()
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn every_pull_request_is_told_rightly() {
    let repository = caravan_tests::shared_repository("opam-repository.bundle");
    let fresh = |revision: &str| index_of(&GitSource::open(&repository, revision).unwrap());
    let mut steps = 0;
    each_step(|commit, step| {
        steps += 1;
        check_changes(step);
        let targets = targets();
        let found = impact(step, &targets, &Policy::default(), &Stop::new());
        let findings: Vec<(&Target, &Findings)> =
            found.platforms.iter().map(|(target, found)| (target, found.as_ref().unwrap())).collect();
        let says = |found: &Findings| {
            !found.lost.is_empty() || !found.refused.is_empty() || found.gained.iter().any(|gained| !gained.new)
        };
        let in_full = steps % 40 == 0;
        for (target, found) in findings.iter().filter(|(_, found)| in_full || found.rebuild.entries.len() > 500) {
            check_rebuild(step, target, &found.rebuild);
        }
        if in_full || findings.iter().any(|(_, found)| says(found)) {
            let new = fresh(&commit.id);
            for (target, found) in findings {
                check_findings(step.before, &new, target, found);
                if in_full {
                    let (old, new) = (installable_texts(step.before, target), installable_texts(&new, target));
                    let lost: BTreeSet<String> = found.lost.iter().map(|lost| lost.package.clone()).collect();
                    let gained: BTreeSet<String> = found.gained.iter().map(|gained| gained.package.clone()).collect();
                    assert_eq!(lost, old.difference(&new).cloned().collect(), "{}", commit.summary);
                    assert_eq!(gained, new.difference(&old).cloned().collect(), "{}", commit.summary);
                }
            }
        }
    });
    assert_eq!(steps, 475);
}

/// Of branch `main` the commit that merged a pull request.
fn merged(repository: &std::path::Path, number: &str) -> String {
    let history = opam_parser::source::history::History::open(repository).unwrap();
    let wanted = format!("Merge pull request #{number} ");
    let mut commits = history.first_parents("main").unwrap().map(Result::unwrap);
    commits.find(|commit| commit.summary.starts_with(&wanted)).unwrap().id
}

/// The answer about a pull request, on the compilers that opam-repo-ci tests reverse dependencies on.
fn answer<T>(number: &str, work: impl FnOnce(&Answer) -> T) -> T {
    let repository = caravan_tests::shared_repository("opam-repository.bundle");
    let head = merged(&repository, number);
    let base = format!("{head}^");
    let mut opened = Opened::default();
    let mut state = |revision: &str| {
        let name = RepositoryName { url: "opam-repository".to_owned(), commit: revision.to_owned() };
        opened.open(name.clone(), &repository);
        Some(StateName::Commit(name))
    };
    let ocaml = ["4.14", "5.4"].map(str::to_owned).to_vec();
    let question = question::Impact { base: state(&base), head: state(&head), ocaml, ..question::Impact::default() };
    let answered = opened.ask(&Question::Impact(Box::new(question)), &Stop::new()).0;
    let Answer::Impact(mut impact) = answered.unwrap() else { panic!("an answer of another kind") };
    impact.base = "before".to_owned();
    impact.head = format!("#{number}");
    work(&Answer::Impact(impact))
}

fn rendered(answer: &Answer, format: Format) -> String {
    render(answer, format, TextOptions::default()).unwrap()
}

/// As it is where there are no colours.
fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

macro_rules! pages {
    ($($name:ident: $number:literal;)*) => {$(
        #[test]
        #[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
        fn $name() {
            let page = answer($number, |answer| plain(&rendered(answer, Format::Text)));
            insta::assert_snapshot!(page);
        }
    )*};
}

pages! {
    a_file_that_cannot_be_read: "29957";
    dependencies_that_do_not_exist: "30013";
    a_bound_that_nothing_fulfils: "30227";
    a_bound_that_takes_others_along: "30516";
    a_release_before_its_dependencies: "30282";
    a_release_of_dune: "30092";
    a_release_of_ocaml: "30054";
    a_preview_of_ocamlfind: "30285";
    versions_that_are_archived: "30111";
    a_change_of_system_packages: "30040";
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn a_comment_for_a_pull_request() {
    let comment = answer("30528", |answer| rendered(answer, Format::Markdown));
    insta::assert_snapshot!(comment);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn annotations_of_files() {
    let annotations = answer("30516", |answer| rendered(answer, Format::Github));
    insta::assert_snapshot!(annotations);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn reports_are_the_same_on_any_number_of_threads() {
    for number in ["30528", "30516", "30092"] {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| answer(number, |answer| answer.to_json().unwrap()))
        };
        assert!(on(1) == on(3), "#{number}");
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn a_report_in_json() {
    let json = answer("30516", |answer| serde_json::to_string_pretty(answer).unwrap());
    insta::assert_snapshot!(json);
}
