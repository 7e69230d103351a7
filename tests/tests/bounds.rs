//! Proposed upper bounds: the smallest set, where people would write it, and checked by solving again.

use caravan_revdeps::RepositoryChange;
use caravan_revdeps::bounds::{Proposal, propose};
use caravan_revdeps::changes::{Changes, Edit};
use caravan_solver::target::Target;
use caravan_solver::{Platform, Request, Stop};
use opam_parser::index::{Index, PackageId};
use opam_parser::name::split_package;
use opam_parser::source::Source;
use std::collections::BTreeMap;

/// A repository before, with some packages added or changed after.
struct Case {
    before: BTreeMap<&'static str, &'static str>,
    change: BTreeMap<&'static str, &'static str>,
}

impl Case {
    fn propose(&self, broken: &[&str]) -> Proposal {
        let mut all = self.before.clone();
        all.extend(&self.change);
        let texts = |of: &BTreeMap<&'static str, &'static str>| of.clone().into_iter().collect::<Vec<_>>();
        let old = caravan_tests::index_of_texts(texts(&self.before));
        let source = caravan_tests::source_of_texts(texts(&all));
        let new = caravan_tests::index_of(&source);
        let text = |body: &&str| format!("opam-version: \"2.0\"\n{body}\n").into_bytes();
        let edit = |(package, body): (&&str, &&str)| {
            let (name, version) = split_package(package).unwrap();
            let before = self.before.get(package).map(text);
            Edit { name, version, path: None, before, after: Some(text(body)), files: false }
        };
        let edits: Vec<Edit> = self.change.iter().map(edit).collect();
        let step = RepositoryChange::new(&old, &new, Changes::of(&old, &edits, vec![]));
        let target = Target { label: String::new(), platform: Platform::linux_x86_64(), request: Request::default() };
        let broken: Vec<PackageId> = broken.iter().map(|package| find(&new, package)).collect();
        let text = |file| source.fetch(&new.file(file).path).ok();
        propose(&step, &[target], &broken, &text, &Stop::new()).unwrap()
    }
}

fn find(index: &Index, package: &str) -> PackageId {
    let (name, version) = split_package(package).unwrap();
    index.find_package(index.find_name(name.as_str()).unwrap(), version.as_str()).unwrap()
}

fn case(before: &[(&'static str, &'static str)], change: &[(&'static str, &'static str)]) -> Case {
    Case { before: before.iter().copied().collect(), change: change.iter().copied().collect() }
}

fn bounds(proposal: &Proposal) -> Vec<String> {
    let text = |bound: &caravan_revdeps::bounds::ProposedBound| {
        let (place, relation) = (if bound.conflict { "conflict " } else { "" }, if bound.only { "!=" } else { "<" });
        format!("{}: {place}{} {relation} {}", bound.package, bound.on, bound.version)
    };
    proposal.bounds.iter().map(text).collect()
}

#[test]
fn a_bound_and_its_patch() {
    let case = case(
        &[("p.1", ""), ("r.1", "depends: [\n  \"p\" {>= \"1\"} # always\n  \"q\"\n]"), ("q.1", "")],
        &[("p.2", "")],
    );
    let proposal = case.propose(&["r.1"]);
    assert_eq!(bounds(&proposal), ["r.1: p < 2"]);
    insta::assert_snapshot!(proposal.patch);
}

#[test]
fn what_a_bound_of_another_keeps_away_needs_none() {
    let case = case(
        &[
            ("p.1", ""),
            ("a.1", "depends: \"p\""),
            ("b.1", "depends: [\"p\" \"a\"]"),
            ("c.1", "depends: \"b\""),
            ("d.1", "depends: [\"p\" \"e\"]"),
            ("e.1", ""),
        ],
        &[("p.2", "")],
    );
    let proposal = case.propose(&["a.1", "b.1", "c.1", "d.1", "e.1"]);
    assert_eq!(bounds(&proposal), ["a.1: p < 2", "d.1: p < 2"]);
    assert_eq!(proposal.covered, ["b.1", "c.1"]);
    assert_eq!(proposal.unrelated, ["e.1"]);
    assert!(proposal.lost.is_empty() && proposal.unbounded.is_empty());
}

#[test]
fn another_version_that_is_not_bounded_leaves_a_way() {
    // With a.2, b.1 still gets to the new p: it needs a bound of its own.
    let case = case(
        &[("p.1", ""), ("a.1", "depends: \"p\""), ("a.2", "depends: \"p\""), ("b.1", "depends: [\"p\" \"a\"]")],
        &[("p.2", "")],
    );
    let proposal = case.propose(&["a.1", "b.1"]);
    assert_eq!(bounds(&proposal), ["a.1: p < 2", "b.1: p < 2"]);
}

#[test]
fn a_conflict_where_there_is_no_dependency() {
    let case = case(&[("p.1", ""), ("m.1", "depends: \"p\""), ("r.1", "depends: \"m\"")], &[("p.2", "")]);
    let proposal = case.propose(&["r.1"]);
    assert_eq!(bounds(&proposal), ["r.1: conflict p < 2"]);
    insta::assert_snapshot!(proposal.patch);
}

#[test]
fn a_newer_version_that_is_fine_is_not_refused() {
    let case = case(&[("p.1", ""), ("p.3", ""), ("r.1", "depends: \"p\"")], &[("p.2", "")]);
    let proposal = case.propose(&["r.1"]);
    assert_eq!(bounds(&proposal), ["r.1: p != 2"]);
}

#[test]
fn a_change_in_place_leaves_the_older_versions() {
    let case = case(&[("p.1", ""), ("p.2", ""), ("r.1", "depends: \"p\"")], &[("p.2", "build: [[\"make\"]]")]);
    let proposal = case.propose(&["r.1"]);
    assert_eq!(bounds(&proposal), ["r.1: p < 2"]);
}

#[test]
fn what_needs_the_new_version_cannot_be_kept() {
    let case = case(&[("p.1", ""), ("r.1", "depends: \"p\" {>= \"2\"}"), ("s.1", "depends: \"p\"")], &[("p.2", "")]);
    let proposal = case.propose(&["r.1", "s.1"]);
    assert_eq!(bounds(&proposal), ["s.1: p < 2"]);
    assert_eq!(proposal.lost, ["r.1"]);
}

#[test]
fn tests_alone_get_a_bound_that_only_tests_see() {
    let case =
        case(&[("p.1", ""), ("r.1", "depends: [\"p\" {with-test & >= \"1\"}]\nrun-test: [\"true\"]")], &[("p.2", "")]);
    let proposal = case.propose(&["r.1"]);
    assert_eq!(bounds(&proposal), ["r.1: p < 2"]);
    assert!(proposal.patch.contains("+depends: [\"p\" {with-test & >= \"1\" & < \"2\"}]"), "{}", proposal.patch);
}
