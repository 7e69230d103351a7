//! Laws of impact, on random pairs of repositories: against a count from scratch in both states.

use super::random_repositories::{changed, config, repositories};
use caravan_revdeps::RepositoryChange;
use caravan_revdeps::changes::{Changes, Edit};
use caravan_revdeps::impact::{Findings, impact};
use caravan_revdeps::rebuild::{Policy, Rebuild, TestPolicy, Versions, pick};
use caravan_solver::target::Target;
use caravan_solver::{Flags, Platform, Request, Solver, Stop, View, verify};
use opam_parser::index::{Index, PackageId};
use opam_parser::name::split_package;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// `NAME.VERSION` and the text of the opam file.
type Texts = BTreeMap<String, String>;

/// A repository, and the same with some packages of another one: added, changed, or gone.
fn states() -> impl Strategy<Value = (Texts, Texts)> {
    (repositories(), repositories(), prop::collection::vec(0..6_u8, 64))
        .prop_map(|(one, two, fates)| changed(&one, &two, &fates, "\nrun-test: [\"true\"]"))
}

fn index(texts: &Texts) -> Index {
    caravan_tests::index_of_texts(texts.iter().map(|(package, text)| (package.as_str(), text.as_str())))
}

fn target() -> Target {
    Target { label: String::new(), platform: Platform::linux_x86_64(), request: Request::default() }
}

fn edits(before: &Texts, after: &Texts) -> Vec<Edit> {
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let text = |of: &Texts, package: &String| {
        of.get(package).map(|body| format!("opam-version: \"2.0\"\n{body}\n").into_bytes())
    };
    let edit = |package: &&String| {
        let (name, version) = split_package(package).unwrap();
        Edit { name, version, path: None, before: text(before, package), after: text(after, package), files: false }
    };
    all.iter().map(edit).collect()
}

fn with_step<T>(before: &Texts, after: &Texts, work: impl FnOnce(&RepositoryChange<'_>) -> T) -> T {
    let (old, new) = (index(before), index(after));
    let changes = Changes::of(&old, &edits(before, after), vec![]);
    work(&RepositoryChange::new(&old, &new, changes))
}

fn findings(step: &RepositoryChange<'_>, policy: &Policy) -> Findings {
    impact(step, &[target()], policy, &Stop::new()).platforms.remove(0).1.unwrap()
}

/// What can be installed, counted from scratch.
fn installable_texts(index: &Index) -> BTreeSet<String> {
    let view = View::new(index, &Platform::linux_x86_64());
    let all: Vec<PackageId> = index.packages().collect();
    let verdicts = Solver::new(&view).installable(&Request::default(), &all, Flags::default()).unwrap();
    all.iter().zip(verdicts).filter(|(_, can)| *can).map(|(package, _)| index.package_text(*package)).collect()
}

fn entries(rebuild: &Rebuild) -> BTreeSet<PackageId> {
    rebuild.entries.iter().map(|entry| entry.package).collect()
}

fn policies() -> Vec<Policy> {
    let versions = [Versions::Latest, Versions::NewestUsing, Versions::All];
    let policy = |versions| {
        let more = [(false, TestPolicy::None), (false, TestPolicy::Direct), (true, TestPolicy::Recursive)];
        more.map(|(more, tests)| Policy { versions, avoided: more, tests, any_significant: more, ..Policy::default() })
    };
    versions.into_iter().flat_map(policy).collect()
}

/// Every rule about a rebuild set that holds by itself.
pub(super) fn check_rebuild(step: &RepositoryChange<'_>, target: &Target, rebuild: &Rebuild) {
    let setting = caravan_solver::Setting::new(target.platform.clone());
    let by_package: BTreeMap<PackageId, _> = rebuild.entries.iter().map(|entry| (entry.package, entry)).collect();
    assert_eq!(by_package.len(), rebuild.entries.len());
    for entry in &rebuild.entries {
        let own = step.after.package_text(entry.package);
        assert!(!step.changes.packages.iter().any(|change| change.to_string() == own), "{} changed itself", own);
        assert!(!entry.with().is_empty());
        assert_eq!(entry.reason.path.first(), Some(&entry.package));
        assert!(entry.with().contains(entry.reason.path.last().unwrap()));
        let jobs = entry.build.iter().map(|job| (job, false)).chain(entry.test().map(|job| (job, true)));
        for (job, with_test) in jobs {
            for together in &job.selections {
                let flags = Flags { with_test, ..Flags::default() };
                let mut request = target.request.clone();
                request.roots.extend(caravan_solver::Root::exactly(step.after, entry.package, flags));
                for changed in &together.with {
                    request.roots.extend(caravan_solver::Root::exactly(step.after, *changed, Flags::default()));
                }
                let broken = verify(step.after, &setting, &request, together.selection.packages());
                assert!(broken.is_empty(), "{}: {:?}", own, broken);
            }
            assert!(job.stage > 0);
        }
        // Only the circles that opam refuses would stand in the way.
        for need in entry.build.iter().flat_map(|job| &job.needs) {
            let needed = by_package[need].build.as_ref().unwrap();
            let circle = needed.needs.contains(&entry.package);
            assert!(circle || needed.stage < entry.build.as_ref().unwrap().stage, "{} before {}", own, need.place());
        }
        if let (Some(test), Some(build)) = (entry.test(), &entry.build) {
            assert!(build.stage < test.stage);
        }
        for need in entry.test().iter().flat_map(|job| &job.needs) {
            assert!(by_package[need].build.as_ref().unwrap().stage < entry.test().unwrap().stage);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: config().cases / 4, ..config() })]

    #[test]
    fn no_change_has_no_impact((before, _) in states()) {
        with_step(&before, &before, |step| {
            prop_assert!(step.changes.is_empty());
            let found = findings(step, &Policy::default());
            prop_assert!(found.lost.is_empty() && found.gained.is_empty() && found.refused.is_empty());
            prop_assert!(found.reselected.is_empty() && found.broken_before.is_empty());
            prop_assert!(found.cycles.made.is_empty() && found.cycles.broken.is_empty());
            prop_assert!(found.rebuild.entries.is_empty());
            Ok(())
        })?;
    }

    #[test]
    fn what_is_lost_and_gained_is_all_that_differs((before, after) in states()) {
        with_step(&before, &after, |step| {
            let (old, new) = (installable_texts(step.before), installable_texts(step.after));
            let found = findings(step, &Policy::default());
            let lost: BTreeSet<String> = found.lost.iter().map(|lost| lost.package.clone()).collect();
            let gained: BTreeSet<String> = found.gained.iter().map(|gained| gained.package.clone()).collect();
            prop_assert_eq!(lost, old.difference(&new).cloned().collect());
            prop_assert_eq!(gained, new.difference(&old).cloned().collect());
            for refused in &found.refused {
                prop_assert!(!new.contains(&refused.package) && !before.contains_key(&refused.package));
            }
            for package in &found.broken_before {
                prop_assert!(!new.contains(package) && !old.contains(package));
            }
            // The same, said by every name's best selection.
            for name in step.before.names().filter(|name| !step.before.package_range(*name).is_empty()) {
                let text = step.before.name(name);
                let best = |index: &Index| {
                    let view = View::new(index, &Platform::linux_x86_64());
                    let selection = Solver::new(&view).solve(&Request::new([text.parse().unwrap()])).ok()?;
                    Some(selection.packages().iter().map(|package| index.package_text(*package)).collect::<Vec<_>>())
                };
                let exists = step.after.find_name(text).is_some_and(|name| !step.after.package_range(name).is_empty());
                let differs = exists && matches!((best(step.before), best(step.after)), (Some(a), Some(b)) if a != b);
                prop_assert_eq!(found.reselected.iter().any(|other| other.name == text), differs, "{}", text);
            }
            Ok(())
        })?;
    }

    #[test]
    fn the_way_back_is_the_mirror((before, after) in states()) {
        let there = with_step(&before, &after, |step| findings(step, &Policy::default()));
        let back = with_step(&after, &before, |step| findings(step, &Policy::default()));
        let lost = |found: &Findings| found.lost.iter().map(|lost| lost.package.clone()).collect::<Vec<_>>();
        let gained = |found: &Findings| found.gained.iter().map(|gained| gained.package.clone()).collect::<Vec<_>>();
        prop_assert_eq!(lost(&there), gained(&back));
        prop_assert_eq!(gained(&there), lost(&back));
        prop_assert_eq!(&there.broken_before, &back.broken_before);
        prop_assert_eq!(&there.cycles.made, &back.cycles.broken);
        prop_assert_eq!(&there.cycles.broken, &back.cycles.made);
        let turned: Vec<_> = back.reselected.iter().cloned().map(|mut name| {
            name.differences.iter_mut().for_each(|one| std::mem::swap(&mut one.before, &mut one.after));
            name
        }).collect();
        prop_assert_eq!(there.reselected, turned);
    }

    #[test]
    fn rebuild_sets_hold_and_grow_with_the_policy((before, after) in states()) {
        with_step(&before, &after, |step| {
            let policies = policies();
            let sets: Vec<Rebuild> = policies.iter().map(|policy| findings(step, policy).rebuild).collect();
            for (smaller, small) in policies.iter().zip(&sets) {
                check_rebuild(step, &target(), small);
                for (larger, large) in policies.iter().zip(&sets) {
                    let less = smaller.versions <= larger.versions && smaller.tests <= larger.tests;
                    if less && smaller.avoided <= larger.avoided {
                        prop_assert!(entries(small).is_subset(&entries(large)), "{:?} and {:?}", smaller, larger);
                    }
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_budget_picks_of_what_there_is((before, after) in states()) {
        with_step(&before, &after, |step| {
            let all = findings(step, &Policy { versions: Versions::All, ..Policy::default() }).rebuild;
            let latest = findings(step, &Policy { versions: Versions::Latest, ..Policy::default() }).rebuild;
            let sets = [&all, &latest];
            let count = all.entries.len() + latest.entries.len();
            // Of each set the stages and the changed packages, which no budget should miss for long.
            let covers = |set: &Rebuild, entry: usize| -> BTreeSet<(u32, usize)> {
                let entry = &set.entries[entry];
                let stages = entry.jobs().map(|job| (u32::MAX, job.stage));
                entry.with().into_iter().map(|package| (u32::from(package), 0)).chain(stages).collect()
            };
            let all_of = |set: &Rebuild| -> BTreeSet<(u32, usize)> {
                (0..set.entries.len()).flat_map(|entry| covers(set, entry)).collect()
            };
            let things: usize = sets.iter().map(|set| all_of(set).len()).sum();
            let mut smaller = BTreeSet::new();
            for budget in 0..=count + 1 {
                let picked: BTreeSet<_> = pick(&sets, budget).into_iter().collect();
                prop_assert_eq!(picked.len(), budget.min(count));
                prop_assert!(smaller.is_subset(&picked));
                prop_assert!(picked.iter().all(|pick| pick.entry < sets[pick.platform].entries.len()));
                for (platform, set) in sets.iter().enumerate().filter(|_| budget >= things) {
                    let ours = picked.iter().filter(|pick| pick.platform == platform);
                    let covered: BTreeSet<_> = ours.flat_map(|pick| covers(set, pick.entry)).collect();
                    prop_assert_eq!(covered, all_of(set));
                }
                smaller = picked;
            }
            Ok(())
        })?;
    }
}
