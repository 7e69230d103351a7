//! Ways to ask: problems as JSON, deadlines and cancellation, several platforms, many packages.

use caravan_solver::problem::{Avoid, Constraint, Cycles, LowerBounds, Pin, Preference};
use caravan_solver::{
    Dialect, Flags, Platform, PlatformError, Problem, Request, Root, Selection, Setting, SolveError, Solver, Stop,
    Stopped, View, verify,
};
use caravan_tests::pigeons;
use opam_parser::index::{Index, PackageId, Precedence};
use opam_parser::syntax::RelOp;
use proptest::prelude::*;
use rayon::prelude::*;
use std::time::{Duration, Instant};

fn texts(index: &Index, selection: &Selection) -> Vec<String> {
    selection.packages().iter().map(|package| index.package_text(*package)).collect()
}

fn roots() -> impl Strategy<Value = Root> {
    let op = prop::sample::select(vec![RelOp::Eq, RelOp::Neq, RelOp::Lt, RelOp::Leq, RelOp::Gt, RelOp::Geq]);
    let constraint = (op, "[0-9a-z~.+-]{1,6}")
        .prop_filter_map("a version", |(op, text)| Some(Constraint(op, opam_parser::version::Version::new(&text)?)));
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<Option<bool>>())
        .prop_map(|(with_test, with_doc, with_dev_setup, dev)| Flags { with_test, with_doc, with_dev_setup, dev });
    ("[a-z][a-z0-9_+-]{0,5}", prop::collection::vec(constraint, 0..3), flags).prop_map(|(name, constraints, flags)| {
        Root { name: opam_parser::name::PackageName::new(&name).unwrap(), constraints, flags }
    })
}

proptest! {
    #[test]
    fn a_problem_is_what_its_json_says(
        roots in prop::collection::vec(roots(), 0..3),
        prefer in prop::sample::select(vec![Preference::Newest, Preference::Oldest]),
        avoid in prop::sample::select(vec![None, Some(Avoid::Never), Some(Avoid::IfNeeded), Some(Avoid::LastOfName), Some(Avoid::Ignore)]),
        dialect in prop::sample::select(vec![Dialect::Opam, Dialect::Opam0install, Dialect::SolverService]),
        bounds in any::<Option<(bool, bool, bool)>>(),
        time_limit_ms in any::<Option<u64>>(),
        cycles in prop::sample::select(vec![None, Some(Cycles::Refuse), Some(Cycles::Allow)]),
        opam in ".{0,20}",
    ) {
        let lower_bounds = bounds.map(|(conf, compilers, revisions)| LowerBounds { conf, compilers, revisions });
        let name = opam_parser::name::PackageName::new("mine").unwrap();
        let version = opam_parser::version::Version::new("dev").unwrap();
        let problem = Problem {
            setting: Setting {
                platform: Platform::linux_x86_64(),
                dialect,
                precedence: Precedence::LastWins,
                pins: vec![Pin { name, version, opam }],
            },
            request: Request { roots, prefer, avoid, lower_bounds, cycles, time_limit_ms },
        };
        let text = serde_json::to_string(&problem).unwrap();
        prop_assert_eq!(serde_json::from_str::<Problem>(&text).unwrap(), problem);
    }
}

#[test]
fn the_problem_of_the_documentation_is_one() {
    let text = fs_err::read_to_string(caravan_tests::workspace().join("docs/json.md")).unwrap();
    let chapter = text.split("# Problems").nth(1).unwrap();
    let block = chapter.split("```json").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let problem: Problem = serde_json::from_str(block).unwrap();
    assert_eq!(problem.setting.dialect, Dialect::SolverService);
    assert_eq!(problem.request.roots.len(), 2);
    for wrong in [
        r#"{ "request": { "roots": [ { "name": "1" } ] } }"#,
        r#"{ "request": { "roots": [ { "name": "a", "constraints": [ "1.0" ] } ] } }"#,
        r#"{ "request": { "roots": [], "prefer": "latest" } }"#,
        r#"{ "request": { "roots": [], "colour": "red" } }"#,
        r#"{ "setting": { "pin": [] }, "request": { "roots": [] } }"#,
    ] {
        assert!(serde_json::from_str::<Problem>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_deadline_ends_a_solve() {
    let index = pigeons(14);
    let view = View::new(&index, &Platform::linux_x86_64());
    let mut request = Request::new(["flock".parse().unwrap()]);
    request.time_limit_ms = Some(50);
    for ask in [
        |view: &View<'_>, request: &Request| Solver::new(view).solve(request).map(drop),
        |view: &View<'_>, request: &Request| Solver::new(view).explain(request).map(drop),
        |view: &View<'_>, request: &Request| {
            Solver::for_platforms(&[view, view]).solve(request).map(drop).map_err(|e| e.error)
        },
    ] {
        let started = Instant::now();
        let result = ask(&view, &request);
        let late = started.elapsed().saturating_sub(Duration::from_millis(50));
        assert!(matches!(result, Err(SolveError::Stopped(Stopped::Deadline))), "{result:?}");
        // How late is a figure that `solving`, in `benches`, measures; here only that it ends.
        assert!(late < Duration::from_secs(5), "{late:?}");
    }
}

#[test]
fn somebody_else_can_cancel_a_solve() {
    let index = pigeons(14);
    let view = View::new(&index, &Platform::linux_x86_64());
    let request = Request::new(["flock".parse().unwrap()]);
    let stop = Stop::new();
    std::thread::scope(|scope| {
        let solve = scope.spawn(|| Solver::new(&view).stop(&stop).solve(&request));
        std::thread::sleep(Duration::from_millis(20));
        stop.cancel();
        let result = solve.join().unwrap();
        assert!(matches!(result, Err(SolveError::Stopped(Stopped::Cancelled))), "{result:?}");
    });
    // Few pigeons are no trouble.
    let index = pigeons(6);
    let view = View::new(&index, &Platform::linux_x86_64());
    assert!(matches!(Solver::new(&view).solve(&request), Err(SolveError::NoSolution)));
}

#[test]
fn a_root_may_be_named_twice() {
    let index = caravan_tests::index_of_texts([
        ("a.1", "depends: \"b\" {with-test}"),
        ("a.2", "depends: \"b\" {with-test}"),
        ("a.3", ""),
        ("b.1", ""),
    ]);
    let setting = Setting::new(Platform::linux_x86_64());
    let view = View::of(&index, &setting);
    let mut request = Request::new(["a>=2".parse().unwrap(), "a<3".parse().unwrap()]);
    request.roots[1].flags.with_test = true;
    let selection = Solver::new(&view).prove(true).verify(&setting).solve(&request).unwrap();
    assert_eq!(texts(&index, &selection), ["a.2", "b.1"]);
}

#[test]
fn one_version_on_all_platforms_where_that_is_possible() {
    let index = caravan_tests::index_of_texts([
        ("app.1", "depends: [ \"lib\" \"tool\" ]"),
        ("lib.1", ""),
        ("lib.2", "available: os = \"linux\""),
        ("tool.1", "available: os = \"macos\""),
        ("tool.2", "available: os = \"linux\""),
    ]);
    let setting = |os| {
        let mut platform = Platform::new();
        platform.set("os", os);
        Setting::new(platform)
    };
    let [linux, macos] = ["linux", "macos"].map(setting);
    let (linux_view, macos_view) = (View::of(&index, &linux), View::of(&index, &macos));
    let request = Request::new(["app".parse().unwrap()]);
    let together = Solver::for_platforms(&[&linux_view, &macos_view]).solve(&request).unwrap();
    let selections: Vec<_> = together.selections.iter().map(|selection| texts(&index, selection)).collect();
    // Linux gives up the newest `lib`; of `tool` there is no common version.
    assert_eq!(selections, [["app.1", "lib.1", "tool.2"], ["app.1", "lib.1", "tool.1"]]);
    let differing: Vec<&str> = together.differing.iter().map(|name| index.name(*name)).collect();
    assert_eq!(differing, ["tool"]);
    let too_many = vec![&linux_view; 256];
    assert!(matches!(
        Solver::for_platforms(&too_many).solve(&request),
        Err(PlatformError { error: SolveError::TooManyPlatforms { limit: 255 }, .. })
    ));
    // By itself Linux has the newest.
    assert_eq!(texts(&index, &Solver::new(&linux_view).solve(&request).unwrap()), ["app.1", "lib.2", "tool.2"]);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn real_packages_have_the_same_versions_on_three_platforms() {
    let index = caravan_tests::shared_index();
    let mut settings = vec![Setting::new(Platform::linux_x86_64())];
    for (os, arch, distribution) in [("macos", "arm64", "homebrew"), ("win32", "x86_64", "cygwin")] {
        let mut platform = Platform::new();
        platform.set("os", os);
        platform.set("arch", arch);
        platform.set_distribution(distribution);
        settings.push(Setting::new(platform));
    }
    let views: Vec<View<'_>> = settings.iter().map(|setting| View::of(&index, setting)).collect();
    let views: Vec<&View<'_>> = views.iter().collect();
    let names: Vec<_> = index.names().step_by(17).collect();
    let solved = names.par_iter().filter(|name| {
        let Ok(root) = index.name(**name).parse() else { return false };
        let request = Request::new([root]);
        let Ok(together) = Solver::for_platforms(&views).solve(&request) else { return false };
        let mut versions = std::collections::BTreeMap::new();
        for (selection, setting) in together.selections.iter().zip(&settings) {
            let violations = verify(&index, setting, &request, selection.packages());
            assert!(violations.is_empty(), "{}: {violations:?}", index.name(**name));
            for package in selection.packages() {
                let name = index.package_name(*package);
                if !together.differing.contains(&name) {
                    assert_eq!(*versions.entry(name).or_insert(*package), *package, "{}", index.name(name));
                }
            }
        }
        true
    });
    assert!(solved.count() > 150);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn what_is_installable_is_what_has_a_solution() {
    let index = caravan_tests::shared_index();
    let view = View::new(&index, &Platform::linux_x86_64());
    let base = Request::new(["ocaml.5.4.1".parse().unwrap()]);
    let targets: Vec<PackageId> = index.packages().step_by(7).collect();
    for flags in [Flags::default(), Flags { with_test: true, ..Flags::default() }] {
        let by_itself: Vec<bool> = targets
            .par_iter()
            .map(|target| {
                let mut request = base.clone();
                request.roots.push(Root {
                    flags,
                    ..Root::from(index.package_text(*target).parse::<opam_parser::atom::Atom>().unwrap())
                });
                Solver::new(&view).solve(&request).is_ok()
            })
            .collect();
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Solver::new(&view).installable(&base, &targets, flags)).unwrap()
        };
        assert!(by_itself == run(1) && by_itself == run(4));
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn the_number_of_threads_changes_no_answer() {
    let index = caravan_tests::shared_index();
    let names: Vec<_> = index.names().step_by(5).collect();
    let run = |threads| -> Vec<String> {
        // A view of its own: what is compiled first must not matter either.
        let view = View::new(&index, &Platform::linux_x86_64());
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let requests: Vec<Request> =
            names.iter().map(|name| Request::new([index.name(*name).parse().unwrap()])).collect();
        let shown = |(request, answer): (&Request, Result<Selection, SolveError>)| match answer {
            Ok(selection) => texts(&index, &selection).join(" "),
            Err(SolveError::NoSolution) => Solver::new(&view).explain(request).unwrap().to_string(),
            Err(error) => error.to_string(),
        };
        pool.install(|| requests.par_iter().zip(Solver::new(&view).solve_all(&requests)).map(shown).collect())
    };
    let one = run(1);
    assert!(one == run(3) && one == run(8));
}

#[test]
fn lower_bounds_as_users_want_them() {
    let index = caravan_tests::index_of_texts([
        ("app.1", "depends: [ \"ocaml\" \"conf-ssl\" \"lib\" \"pack\" ]"),
        ("lib.1", "flags: avoid-version"),
        ("lib.2", ""),
        ("lib.3", ""),
        ("conf-ssl.1", "flags: conf"),
        ("conf-ssl.2", "flags: conf"),
        ("ocaml.4.08", ""),
        ("ocaml.5.4", ""),
        ("pack.4.08.1", ""),
        ("pack.4.08.1-1", ""),
        ("pack.4.09", ""),
    ]);
    let view = View::new(&index, &Platform::linux_x86_64());
    let mut request = Request::new(["app".parse().unwrap()]);
    request.prefer = Preference::Oldest;
    let answer = |request: &Request| texts(&index, &Solver::new(&view).solve(request).unwrap()).join(" ");
    assert_eq!(answer(&request), "app.1 conf-ssl.2 lib.2 ocaml.5.4 pack.4.08.1-1");
    // `pack.4.08.1` is older, but not what was wanted: there is nothing to explain about it.
    let (_, held_back) = Solver::new(&view).explain_versions(&request).unwrap();
    let held_back: Vec<String> = held_back.iter().map(|held| index.package_text(held.package)).collect();
    assert_eq!(held_back, ["lib.2"]);
    request.lower_bounds = Some(LowerBounds { conf: true, ..LowerBounds::default() });
    assert_eq!(answer(&request), "app.1 conf-ssl.1 lib.2 ocaml.5.4 pack.4.08.1-1");
    request.lower_bounds = Some(LowerBounds::EVERYTHING);
    assert_eq!(answer(&request), "app.1 conf-ssl.1 lib.2 ocaml.4.08 pack.4.08.1");
    request.avoid = Some(Avoid::Ignore);
    assert_eq!(answer(&request), "app.1 conf-ssl.1 lib.1 ocaml.4.08 pack.4.08.1");
}

#[test]
fn a_name_may_have_thousands_of_versions() {
    for count in [100, 200, 600, 900, 4000, 5000, 10_000] {
        let many: Vec<String> = (1..=count).map(|version| format!("many.{version}")).collect();
        let packages = many.iter().map(|package| (package.as_str(), ""));
        let index = caravan_tests::index_of_texts(packages.chain([
            ("app.1", "depends: \"many\" {< \"50\"}"),
            ("stuck.1", "depends: [ \"many\" {< \"50\"} \"other\" ]"),
            ("other.1", "depends: \"many\" {>= \"60\"}"),
        ]));
        let setting = Setting::new(Platform::linux_x86_64());
        let view = View::of(&index, &setting);
        let app = Request::new(["app".parse().unwrap()]);
        let stuck = Request::new(["stuck".parse().unwrap()]);
        let answer = Solver::new(&view).prove(true).verify(&setting).solve(&app);
        assert_eq!(texts(&index, &answer.unwrap()), ["app.1", "many.49"], "{count}");
        assert!(matches!(Solver::new(&view).solve(&stuck), Err(SolveError::NoSolution)));
        let explanation = Solver::new(&view).explain(&stuck).unwrap().to_string();
        assert!(explanation.contains("stuck.1 requires many < 50"), "{explanation}");
        assert!(explanation.contains("other.1 requires many >= 60"), "{explanation}");
    }
}

#[test]
fn a_disjunction_may_have_thousands_of_alternatives() {
    let alternatives = |last: &str| {
        let names: Vec<String> = (0..8999).map(|number| format!("\"a{number}\"")).collect();
        format!("depends: [ {} | {last} ]", names.join(" | "))
    };
    let (wide, stuck) = (alternatives("\"ok\""), alternatives("\"ok\" {> \"1\"}"));
    let index = caravan_tests::index_of_texts([
        ("wide.1", &*wide),
        ("stuck.1", &stuck),
        ("ok.1", ""),
        ("a0.1", "available: false"),
    ]);
    let setting = Setting::new(Platform::linux_x86_64());
    let view = View::of(&index, &setting);
    let all: Vec<_> = index.packages().collect();
    let installable = Solver::new(&view).installable(&Request::default(), &all, Flags::default()).unwrap();
    let installable: Vec<_> =
        all.iter().zip(installable).map(|(package, yes)| (index.package_text(*package), yes)).collect();
    let expected = [("a0.1", false), ("ok.1", true), ("stuck.1", false), ("wide.1", true)];
    assert_eq!(installable, expected.map(|(package, yes)| (package.to_owned(), yes)));
    let wide = Request::new(["wide".parse().unwrap()]);
    let answer = Solver::new(&view).prove(true).verify(&setting).solve(&wide).unwrap();
    assert_eq!(texts(&index, &answer), ["ok.1", "wide.1"]);
}

#[test]
fn a_disjunction_and_a_class_may_have_hundreds_of_members() {
    let count = 300;
    let never = "available: false\nconflict-class: \"crowd\"";
    let here = "conflict-class: \"crowd\"";
    let members: Vec<String> = (0..count).map(|member| format!("member-{member}.1")).collect();
    let names: Vec<String> = (0..count).map(|member| format!("\"member-{member}\"")).collect();
    let any = format!("depends: [ {} ]", names.join(" | "));
    let two = format!("depends: [ ({}) \"member-{}\" ]", names[..count - 1].join(" | "), count - 1);
    let text = |place: usize| if place + 2 >= count { here } else { never };
    let packages = members.iter().enumerate().map(|(place, member)| (member.as_str(), text(place)));
    let index = caravan_tests::index_of_texts(packages.chain([("any.1", any.as_str()), ("two.1", two.as_str())]));
    let setting = Setting::new(Platform::linux_x86_64());
    let view = View::of(&index, &setting);
    let any = Request::new(["any".parse().unwrap()]);
    let answer = Solver::new(&view).prove(true).verify(&setting).solve(&any).unwrap();
    assert_eq!(texts(&index, &answer), ["any.1", "member-298.1"]);
    let two = Request::new(["two".parse().unwrap()]);
    assert!(matches!(Solver::new(&view).solve(&two), Err(SolveError::NoSolution)));
    assert!(!Solver::new(&view).explain(&two).unwrap().facts.is_empty());
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn every_version_that_is_held_back_has_a_reason() {
    let index = caravan_tests::shared_index();
    for dialect in [Dialect::Opam, Dialect::SolverService, Dialect::Opam0install] {
        let view = View::in_dialect(&index, &Platform::linux_x86_64(), dialect);
        for prefer in [Preference::Newest, Preference::Oldest] {
            let names: Vec<_> = index.names().step_by(11).collect();
            let explained = names.par_iter().map(|name| {
                let mut request = Request::new([index.name(*name).parse().unwrap()]);
                request.prefer = prefer;
                match Solver::new(&view).explain_versions(&request) {
                    Ok((_, held_back)) => {
                        assert!(held_back.iter().all(|held| !held.facts.is_empty()), "{}", index.name(*name));
                        held_back.len()
                    }
                    Err(SolveError::NoSolution | SolveError::UnknownName { .. }) => 0,
                    Err(error) => panic!("{} {dialect:?} {prefer:?}: {error}", index.name(*name)),
                }
            });
            assert!(explained.sum::<usize>() > 500, "{dialect:?} {prefer:?}");
        }
    }
}
