//! Laws of the services' parts, and that looking only at what can be reached changes no answer.

use caravan::key::Digest;
use caravan::protocols::solver_service::{OpamText, SolveRequest, SolveResponse, Vars};
use caravan::repository::RepositoryName;
use caravan::{Answer, Question};
use caravan_farm::answer_cache::AnswerCache;
use caravan_farm::pool::{Full, Queue};
use caravan_solver::problem::Constraint;
use caravan_solver::{Dialect, Flags, Overrides, Platform, Request, Root, Setting, SolveError, Solver, Stop, View};
use caravan_tests::opened::Opened;
use caravan_tests::shared_repository;
use opam_parser::file::OpamFile;
use opam_parser::name::PackageName;
use opam_parser::source::Source;
use opam_parser::source::git::GitSource;
use opam_parser::syntax::RelOp;
use opam_parser::version::Version;
use proptest::prelude::*;
use std::collections::BTreeMap;

proptest! {
    /// Jobs of one client keep their order; between two jobs of a client everybody else who waited had a turn;
    /// nobody has more than the share, and all together no more than the limit.
    #[test]
    fn clients_take_turns(limit in 1_usize..20, steps in prop::collection::vec((0_u8..5, any::<bool>()), 0..200)) {
        let mut queue = Queue::new(limit);
        let mut waiting: BTreeMap<u8, std::collections::VecDeque<usize>> = BTreeMap::new();
        // For each client, who had a turn since its last one.
        let mut turns: Vec<u8> = Vec::new();
        for (number, (client, pushes)) in steps.into_iter().enumerate() {
            let count: usize = waiting.values().map(std::collections::VecDeque::len).sum();
            prop_assert_eq!(queue.len(), count);
            if pushes {
                let own = waiting.get(&client).map_or(0, std::collections::VecDeque::len);
                match queue.push(&client.to_string(), (client, number)) {
                    Ok(()) => {
                        prop_assert!(count < limit && own < (limit * 3).div_ceil(4));
                        waiting.entry(client).or_default().push_back(number);
                    }
                    Err((Full::Queue, _)) => prop_assert_eq!(count, limit),
                    Err((Full::Client, _)) => prop_assert_eq!(own, (limit * 3).div_ceil(4)),
                }
                if own == 0 {
                    // Who comes anew has to wait for a turn, but has not been passed over.
                    turns.retain(|turn| *turn != client);
                }
            } else if let Some((client, number)) = queue.pop() {
                prop_assert_eq!(waiting.get_mut(&client).unwrap().pop_front(), Some(number));
                if let Some(place) = turns.iter().rposition(|turn| *turn == client) {
                    let since = &turns[place + 1..];
                    for (other, jobs) in &waiting {
                        let came_before = !jobs.is_empty() && turns.contains(other);
                        prop_assert!(*other == client || !came_before || since.contains(other));
                    }
                }
                turns.push(client);
                waiting.retain(|_, jobs| !jobs.is_empty());
                turns.retain(|turn| *turn == client || waiting.contains_key(turn));
            } else {
                prop_assert_eq!(count, 0);
            }
        }
    }

    /// Nothing comes out that was not put in under that key, and it never takes more than it may.
    #[test]
    fn caches_keep_to_their_budget(steps in prop::collection::vec((0_u8..30, 0_usize..3000), 1..200)) {
        let cache = AnswerCache::new(20_000);
        let mut last: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
        for (name, length) in steps {
            let key = [name; 32];
            if let Some(known) = cache.get(&key) {
                prop_assert_eq!(Some(&known), last.get(&name));
            }
            let answer = vec![name; length];
            cache.insert(key, answer.clone());
            prop_assert!(cache.status().bytes <= 20_000);
            // What is too large to be kept leaves what was there before.
            if length + 160 <= 2000 {
                prop_assert_eq!(cache.get(&key), Some(answer.clone()));
                last.insert(name, answer);
            }
        }
    }
}

#[test]
fn digests_tell_where_one_value_ends() {
    let key = |parts: &[&str]| {
        let mut digest = Digest::default();
        parts.iter().for_each(|part| digest.add(*part));
        digest.key()
    };
    assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
    assert_ne!(key(&["ab"]), key(&["a", "b"]));
    assert_eq!(key(&["ab", "c"]), key(&["ab", "c"]));
}

/// Every thirtieth name as a project with tests, on two compilers: the answer from what it can reach is the one
/// from the whole repository.
#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn what_cannot_be_reached_does_not_matter() {
    let path = shared_repository("opam-repository.bundle");
    let source = GitSource::open(&path, "main").unwrap();
    let commit = source.commit();
    let mut opened = Opened::default();
    let repository = opened.open(RepositoryName { url: "main".to_owned(), commit: commit.clone() }, &path);
    let index = repository.index();
    let (mut solved, mut unsolved) = (0, 0);
    for name in index.names().filter(|name| !index.package_range(*name).is_empty()).step_by(30) {
        let newest = index.versions_of(name).next_back().unwrap();
        let text = source.fetch(&index.file(index.package_file(newest)).path).unwrap();
        let text_of = index.name(name).to_owned();
        let platforms = ["4.14.2", "5.4.1"].map(|ocaml| {
            let text = |text: &str| text.to_owned();
            let vars = Vars {
                arch: text("x86_64"),
                os: text("linux"),
                os_family: text("debian"),
                os_distribution: text("debian"),
                os_version: text("13"),
                ocaml_package: text("ocaml-base-compiler"),
                ocaml_version: text(ocaml),
                opam_version: text("2.1.3"),
                lower_bound: false,
            };
            (ocaml.to_owned(), vars)
        });
        let request = SolveRequest {
            opam_repository_commits: vec![("main".to_owned(), commit.clone())],
            root_pkgs: vec![(format!("{text_of}.dev"), OpamText(text.clone()))],
            pinned_pkgs: vec![],
            platforms: platforms.to_vec(),
        };
        let question = Question::SolverService(Box::new(request));
        let (Ok(Answer::SolverService(SolveResponse::Ok(selections))), _) = opened.ask(&question, &Stop::new()) else {
            panic!("{text_of}")
        };
        let pin =
            (PackageName::new(&text_of).unwrap(), Version::new("dev").unwrap(), OpamFile::parse(&text).file.unwrap());
        let whole = index.with_pins(std::slice::from_ref(&pin)).unwrap();
        for (id, vars) in &platforms {
            let Some(selection) = selections.iter().find(|selection| selection.id == *id) else {
                unsolved += 1;
                continue;
            };
            let mut platform = Platform::default();
            for (name, value) in [
                ("arch", "x86_64"),
                ("os", "linux"),
                ("os-family", "debian"),
                ("os-distribution", "debian"),
                ("os-version", "13"),
                ("opam-version", "2.1.3"),
                ("ocaml:native", "true"),
            ] {
                platform.set(name, value);
            }
            let setting = Setting { dialect: Dialect::SolverService, ..Setting::new(platform) };
            let mut overrides = Overrides::new();
            let own = whole.find_package(whole.find_name(&text_of).unwrap(), "dev").unwrap();
            overrides.make_available(own);
            let view = View::of(&whole, &setting).with_overrides(overrides);
            let exactly = |name: &str, version: &str, flags| Root {
                name: PackageName::new(name).unwrap(),
                constraints: vec![Constraint(RelOp::Eq, Version::new(version).unwrap())],
                flags,
            };
            let tests = Flags { with_test: true, ..Flags::default() };
            let roots = vec![exactly(&vars.ocaml_package, id, Flags::default()), exactly(&text_of, "dev", tests)];
            match Solver::new(&view).solve(&Request { roots, ..Request::default() }) {
                Ok(expected) => {
                    let expected: Vec<String> =
                        expected.packages().iter().map(|package| whole.package_text(*package)).collect();
                    assert_eq!(selection.packages, expected, "{text_of} on {id}");
                    solved += 1;
                }
                Err(error @ (SolveError::NoSolution | SolveError::UnknownName { .. })) => panic!("{text_of}: {error}"),
                Err(error) => panic!("{text_of}: {error}"),
            }
        }
    }
    // The same questions in every run: mostly such as have an answer.
    assert!(solved > 150 && unsolved > 10, "{solved} {unsolved}");
}
