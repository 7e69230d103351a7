//! Laws of plans, on random repositories: against the solver, files that are edited, and sets.

use super::random_repositories::{changed, config, repositories};
use caravan_planning::builds::layers::{LayeredJob, Layers, Sharing};
use caravan_planning::builds::schedule::schedule;
use caravan_planning::builds::{BuildId, Builds};
use caravan_planning::compare::{MatrixPlatform, blockers};
use caravan_planning::docs::Docs;
use caravan_planning::matrix::{BlockingConstraint, Matrix, MatrixRequest};
use caravan_solver::target::Target;
use caravan_solver::{Flags, Platform, Request, SolveError, Solver, Stop, View};
use caravan_tests::lifted;
use opam_parser::index::{Index, PackageId};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

type Texts = BTreeMap<String, String>;

fn index(texts: &Texts) -> Index {
    caravan_tests::index_of_texts(texts.iter().map(|(package, text)| (package.as_str(), text.as_str())))
}

fn target(roots: &[&str]) -> Target {
    let request = Request::new(roots.iter().map(|root| root.parse().unwrap()));
    Target { label: "here".to_owned(), platform: Platform::linux_x86_64(), request }
}

fn matrix<'i>(index: &'i Index, target: &Target, flags: Flags) -> Option<Matrix<'i>> {
    let rows = index.packages().collect();
    Matrix::decide(index, MatrixRequest { targets: std::slice::from_ref(target), rows, flags }, &Stop::new(), &|_| {})
        .ok()
}

/// The rows that the solver has a solution for, without any of the planner.
fn solvable(index: &Index, target: &Target, flags: Flags) -> BTreeSet<String> {
    let view = View::new(index, &target.platform);
    let can = |package: &PackageId| {
        let mut request = target.request.clone();
        request.roots.extend(caravan_solver::Root::exactly(index, *package, flags));
        match Solver::new(&view).solve(&request) {
            Ok(_) => true,
            Err(SolveError::NoSolution) => false,
            Err(error) => panic!("{error}"),
        }
    };
    index.packages().filter(can).map(|package| index.package_text(package)).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_excluded_without_a_search_has_no_solution(repository in repositories(), version in 1..4_u32, with_test: bool) {
        let texts: Texts = repository.texts().into_iter().collect();
        let index = index(&texts);
        let flags = Flags { with_test, ..Flags::default() };
        for target in [target(&[]), target(&[&format!("a.{version}")])] {
            let Some(matrix) = matrix(&index, &target, flags) else { continue };
            let ours: BTreeSet<String> = matrix.rows.iter().zip(&matrix.cells[0])
                .filter(|(_, cell)| cell.selection().is_some())
                .map(|(row, _)| index.package_text(*row)).collect();
            prop_assert_eq!(ours, solvable(&index, &target, flags));
            // Every reason has words.
            for reason in matrix.cells[0].iter().filter_map(|cell| cell.reason()) {
                prop_assert!(!reason.cause.is_empty());
            }
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_a_constraint_stops_is_what_editing_its_file_frees(repository in repositories(), version in 1..4_u32) {
        let texts: Texts = repository.texts().into_iter().collect();
        let index = index(&texts);
        let target = target(&[&format!("a.{version}")]);
        let Some(matrix) = matrix(&index, &target, Flags::default()) else { return Ok(()) };
        let side = MatrixPlatform { matrix: &matrix, platform: 0 };
        let refused: Vec<usize> =
            (0..matrix.rows.len()).filter(|row| matrix.cells[0][*row].selection().is_none()).collect();
        let found = blockers(side, &refused, usize::MAX, &Stop::new()).unwrap();
        let a = index.find_name("a").unwrap();
        let text = |row: &usize| index.package_text(matrix.rows[*row]);
        for (package, body) in &texts {
            let (name, own) = package.split_once('.').unwrap();
            let source = format!("opam-version: \"2.0\"\n{body}\n");
            let edited = lifted(source.as_bytes(), own, "a", &version.to_string());
            // What conflicts with it, too, is lifted there as well.
            let conflicts = body.split("conflicts:").nth(1).is_some_and(|rest| rest.contains("\"a\""));
            let Some(edited) = edited.filter(|_| name != "a" && !conflicts) else { continue };
            let edited = String::from_utf8(edited).unwrap();
            let mut changed = texts.clone();
            changed.insert(package.clone(), edited.strip_prefix("opam-version: \"2.0\"\n").unwrap().to_owned());
            let changed = self::index(&changed);
            let now = solvable(&changed, &target, Flags::default());
            let freed: BTreeSet<String> = refused.iter().map(text).filter(|row| now.contains(row)).collect();
            let place = index.find_package(index.find_name(name).unwrap(), own).unwrap();
            let own = found.iter().find(|blocker| blocker.blocking == BlockingConstraint::Bound { package: place, on: a });
            match own {
                Some(blocker) => {
                    prop_assert_eq!(blocker.frees.iter().map(text).collect::<BTreeSet<_>>(), freed, "{}", package);
                }
                None if freed.is_empty() => {}
                None => {
                    let stands_for_it = found.iter().any(|blocker| {
                        let frees: BTreeSet<String> = blocker.frees.iter().map(text).collect();
                        blocker.alternatives.contains(&place) && freed.is_subset(&frees)
                    });
                    prop_assert!(stands_for_it, "{} frees {:?}, but is not among {:?}", package, freed, found);
                }
            }
        }
    }

    #[test]
    fn builds_are_shared_exactly_where_all_is_equal(repository in repositories()) {
        let texts: Texts = repository.texts().into_iter().collect();
        let index = index(&texts);
        let Some(matrix) = matrix(&index, &target(&[]), Flags::default()) else { return Ok(()) };
        let builds = Builds::of(&matrix);
        let package = |build: BuildId| builds.builds[build as usize].package;
        let mut known: BTreeMap<(PackageId, Vec<PackageId>), BuildId> = BTreeMap::new();
        for (place, build) in builds.builds.iter().enumerate() {
            prop_assert!(build.needs.iter().all(|need| (*need as usize) < place));
            let mut closure: Vec<PackageId> = builds.closure(place as BuildId).into_iter().map(package).collect();
            closure.sort_unstable();
            prop_assert_eq!(known.insert((build.package, closure), place as BuildId), None);
        }
        let solved = matrix.cells[0].iter().filter(|cell| cell.selection().is_some()).count();
        prop_assert_eq!(builds.jobs.len(), solved);
        for job in &builds.jobs {
            let row = matrix.rows.binary_search(&job.package).unwrap();
            let mut built: Vec<PackageId> = job.builds.iter().copied().map(package).collect();
            built.sort_unstable();
            prop_assert_eq!(built.as_slice(), matrix.cells[0][row].selection().unwrap().packages());
            // A job has all that its builds need, and no package built in two ways.
            for build in &job.builds {
                prop_assert!(builds.builds[*build as usize].needs.iter().all(|need| job.builds.contains(need)));
            }
        }
        for (place, build) in builds.builds.iter().enumerate() {
            let users = builds.jobs.iter().filter(|job| job.builds.contains(&(place as BuildId))).count();
            prop_assert_eq!(build.jobs as usize, users);
        }
    }

    #[test]
    fn layers_lead_to_all_of_a_job_in_an_order_that_works(
        repository in repositories(), jobs in 2..5_usize, depth in 0..5_usize,
    ) {
        let texts: Texts = repository.texts().into_iter().collect();
        let index = index(&texts);
        let Some(matrix) = matrix(&index, &target(&[]), Flags::default()) else { return Ok(()) };
        let builds = Builds::of(&matrix);
        let layers = Layers::of(&builds, 0, Sharing { jobs, depth });
        prop_assert_eq!(layers.jobs.len(), builds.jobs.len());
        for LayeredJob { job: place, layer, builds: own } in &layers.jobs {
            let path = layers.path(*layer);
            prop_assert!(path.len() <= depth);
            let steps = path.iter().flat_map(|layer| &layers.layers[*layer].builds).chain(own);
            let mut done: BTreeSet<BuildId> = BTreeSet::new();
            for build in steps {
                prop_assert!(builds.builds[*build as usize].needs.iter().all(|need| done.contains(need)));
                prop_assert!(done.insert(*build));
            }
            prop_assert_eq!(done.into_iter().collect::<Vec<_>>(), builds.jobs[*place].builds.clone());
        }
        for (place, layer) in layers.layers.iter().enumerate() {
            prop_assert!(layer.jobs >= jobs && !layer.builds.is_empty());
            prop_assert!(layer.after.is_none_or(|after| after < place));
            let through = layers.jobs.iter().filter(|job| layers.path(job.layer).contains(&place)).count();
            prop_assert_eq!(through, layer.jobs);
        }
    }

    #[test]
    fn schedules_keep_order_and_workers_and_are_near_the_best(
        repository in repositories(), workers in 1..5_usize, times in prop::collection::vec(0..20_u64, 200),
    ) {
        let texts: Texts = repository.texts().into_iter().collect();
        let index = index(&texts);
        let Some(matrix) = matrix(&index, &target(&[]), Flags::default()) else { return Ok(()) };
        let builds = Builds::of(&matrix);
        let times: Vec<Duration> =
            (0..builds.builds.len()).map(|place| Duration::from_secs(times[place % times.len()])).collect();
        let plan = schedule(&builds, &times, workers);
        let end = |place: usize| plan.builds[place].start + times[place];
        for (place, build) in builds.builds.iter().enumerate() {
            prop_assert!(build.needs.iter().all(|need| end(*need as usize) <= plan.builds[place].start));
            prop_assert!(plan.builds[place].worker < workers);
            prop_assert!(end(place) <= plan.end);
        }
        for worker in 0..workers {
            let mut own: Vec<usize> = (0..builds.builds.len()).filter(|place| plan.builds[*place].worker == worker).collect();
            own.sort_by_key(|place| (plan.builds[*place].start, end(*place)));
            prop_assert!(own.windows(2).all(|pair| end(pair[0]) <= plan.builds[pair[1]].start));
        }
        let path = &plan.critical_path;
        prop_assert!(path.windows(2).all(|pair| builds.builds[pair[1] as usize].needs.contains(&pair[0])));
        prop_assert_eq!(path.iter().map(|build| times[*build as usize]).sum::<Duration>(), plan.critical_time);
        prop_assert_eq!(times.iter().sum::<Duration>(), plan.work);
        // Graham's bound of every schedule that leaves no worker idle without need.
        let workers = workers as u32;
        prop_assert!(plan.end >= plan.critical_time && plan.end * workers >= plan.work);
        prop_assert!(plan.end * workers <= plan.work + plan.critical_time * (workers - 1));
    }

    #[test]
    fn a_documentation_plan_that_steps_is_one_made_anew(one in repositories(), two in repositories(), fates in prop::collection::vec(0..6_u8, 64)) {
        let (before, after) = changed(&one, &two, &fates, "");
        let (old, new) = (index(&before), index(&after));
        let target = target(&[]);
        let stop = Stop::new();
        let Ok(first) = Docs::new(&old, &target, old.packages().collect(), &stop, &|_| {}) else { return Ok(()) };
        let stepped = first.step(&new, new.packages().collect(), &stop).ok().unwrap();
        let fresh = Docs::new(&new, &target, new.packages().collect(), &stop, &|_| {}).ok().unwrap();
        prop_assert_eq!(state(&stepped), state(&fresh));
        // What is to be prepared now is what was not there.
        let all = |docs: &Docs<'_>| -> BTreeSet<(String, String)> {
            (0..docs.builds.builds.len()).map(|build| named(docs, build as BuildId)).collect()
        };
        let new: BTreeSet<(String, String)> =
            stepped.jobs.iter().flat_map(|job| &job.new).map(|build| named(&stepped, *build)).collect();
        prop_assert_eq!(new, all(&fresh).difference(&all(&first)).cloned().collect::<BTreeSet<_>>());
    }
}

#[test]
fn a_build_has_what_is_there_before_it_and_nothing_else() {
    let index = caravan_tests::index_of_texts([
        ("a.1", "depends: \"b\"\ndepopts: \"c\""),
        ("b.1", ""),
        ("c.1", ""),
        ("d.1", "depends: \"b\" {post}"),
        ("e.1", "depends: [\"a\" \"c\"]"),
        // An optional dependency that depends on it is left out where the circle closes.
        ("f.1", "depopts: \"g\""),
        ("g.1", "depends: \"f\""),
    ]);
    let matrix = matrix(&index, &target(&[]), Flags::default()).unwrap();
    let builds = Builds::of(&matrix);
    let texts = |closure: Vec<BuildId>| -> Vec<String> {
        let mut texts: Vec<String> =
            closure.iter().map(|build| index.package_text(builds.builds[*build as usize].package)).collect();
        texts.sort_unstable();
        texts
    };
    let job = |name: &str| builds.jobs.iter().find(|job| index.package_text(job.package) == name).unwrap();
    let closure = |name: &str| texts(builds.closure(job(name).build));
    assert_eq!(closure("a.1"), ["a.1", "b.1"]);
    assert_eq!(closure("e.1"), ["a.1", "b.1", "c.1", "e.1"]);
    // `a` with its optional dependency is another build.
    let a = index.find_name("a").unwrap();
    assert_eq!(builds.builds.iter().filter(|build| index.package_name(build.package) == a).count(), 2);
    assert_eq!(closure("d.1"), ["d.1"]);
    assert_eq!(texts(job("d.1").builds.clone()), ["b.1", "d.1"]);
    assert_eq!(closure("g.1"), ["f.1", "g.1"]);
}

/// A build as its package and universe.
fn named(docs: &Docs<'_>, build: BuildId) -> (String, String) {
    let index = docs.matrix.platforms[0].view.index();
    (index.package_text(docs.builds.builds[build as usize].package), docs.universes[build as usize].to_string())
}

/// For each version the packages of its solution.
type Solutions = Vec<Option<Vec<String>>>;

/// A plan without its numbers: every version's solution, and the universe that is shown of it.
fn state(docs: &Docs<'_>) -> (Solutions, Vec<(String, String)>) {
    let index = docs.matrix.platforms[0].view.index();
    let solutions = docs.matrix.cells[0].iter().map(|cell| {
        let packages = cell.selection()?.packages();
        Some(packages.iter().map(|package| index.package_text(*package)).collect())
    });
    (solutions.collect(), docs.blessed.iter().map(|(_, build)| named(docs, *build)).collect())
}
