//! Build plans, documentation plans and lock files of the real opam-repository.

use caravan_planning::builds::fingerprint::fingerprint;
use caravan_planning::builds::keys::keys;
use caravan_planning::builds::layers::{Layers, Sharing};
use caravan_planning::builds::recipe::{Recipe, Repository};
use caravan_planning::builds::spec::Op;
use caravan_planning::builds::{BuildId, Builds, grammar};
use caravan_planning::catalogue::{Catalogue, CatalogueEntry};
use caravan_planning::docs::Docs;
use caravan_planning::lock::{LockError, MonorepoRules, locked, monorepo, roots};
use caravan_planning::matrix::{Matrix, MatrixRequest, latest};
use caravan_solver::problem::{Pin, Setting};
use caravan_solver::target::Target;
use caravan_solver::{Flags, Platform, Request, SolveError, Solver, Stop, View};
use md5::{Digest, Md5};
use opam_parser::file::OpamFile;
use opam_parser::index::{Index, PackageId};
use opam_parser::name::PackageName;
use opam_parser::source::Source;
use opam_parser::source::git::GitSource;
use opam_parser::source::history::{Commit, History};
use opam_parser::version::Version;
use std::collections::{BTreeMap, BTreeSet};

fn builds_of(index: &Index, entries: &[CatalogueEntry]) -> Builds {
    let targets: Vec<Target> = entries.iter().map(|entry| entry.target(&Request::default())).collect();
    let rows = latest(index, &index.packages().collect::<Vec<_>>());
    Builds::of(
        &Matrix::decide(
            index,
            MatrixRequest { targets: &targets, rows, flags: Flags::default() },
            &Stop::new(),
            &|_| {},
        )
        .ok()
        .unwrap(),
    )
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn specs_are_accepted_by_obuilders_grammar_and_begin_alike() {
    let index = caravan_tests::shared_index();
    let catalogue = Catalogue::builtin().unwrap();
    let ids = ["debian-13-5.4", "macos-homebrew-5.4_arm64", "windows-server-mingw-ltsc2025-5.4"];
    let entries = ids.map(|id| catalogue.platform(&index, id).unwrap());
    let builds = builds_of(&index, &entries);
    let commit = |packages: &[PackageId]| format!("{:040x}", u32::from(*packages.iter().max().unwrap()));
    for (platform, entry) in entries.iter().enumerate() {
        let layers = Layers::of(&builds, platform, Sharing::default());
        let recipe = |repository| Recipe { builds: &builds, layers: &layers, index: &index, entry, repository };
        let recipe = [recipe(Repository::Commit(&commit)), recipe(Repository::Copied)];
        for recipe in &recipe {
            let mut steps: BTreeMap<Vec<Op>, usize> = BTreeMap::new();
            for (place, (job, text)) in recipe.jobs().enumerate() {
                let spec = recipe.job(place).unwrap();
                assert_eq!(grammar::parse(&spec.to_string()).unwrap(), spec, "{text}");
                // Everything is installed, and what the job is about in the end.
                let commands: Vec<&str> = spec
                    .ops
                    .iter()
                    .filter_map(|op| match op {
                        Op::Run { command, .. } => command.split_once("opam install ").map(|(_, packages)| packages),
                        _ => None,
                    })
                    .collect();
                let installed: BTreeSet<&str> = commands.iter().flat_map(|packages| packages.split(' ')).collect();
                assert_eq!(installed.len(), job.builds.len(), "{text}");
                assert!(installed.contains(text.as_str()), "{text}");
                (1..=spec.ops.len()).for_each(|end| *steps.entry(spec.ops[..end].to_vec()).or_default() += 1);
            }
            // A step is done once for all that come to it in the same way.
            let jobs = layers.jobs.len();
            let shared = steps.len();
            let alone: usize = steps.values().sum();
            assert!(shared < jobs * 2 && alone > jobs * 8, "{}: {shared} of {alone}, {jobs} jobs", entry.id);
        }
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn whole_platforms_are_one_spec_or_dockerfile() {
    let index = caravan_tests::shared_index();
    let entry = Catalogue::builtin().unwrap().platform(&index, "debian-13-5.4").unwrap();
    let target = entry.target(&Request::default());
    let names = index.names().filter(|name| index.name(*name).starts_with("ppx_"));
    let rows = latest(&index, &names.flat_map(|name| index.versions_of(name)).collect::<Vec<_>>());
    let matrix = Matrix::decide(
        &index,
        MatrixRequest { targets: &[target], rows, flags: Flags::default() },
        &Stop::new(),
        &|_| {},
    )
    .ok()
    .unwrap();
    let builds = Builds::of(&matrix);
    let layers = Layers::of(&builds, 0, Sharing::default());
    let commit = |_: &[PackageId]| "0123456789abcdef0123456789abcdef01234567".to_owned();
    let recipe = Recipe {
        builds: &builds,
        layers: &layers,
        index: &index,
        entry: &entry,
        repository: Repository::Commit(&commit),
    };
    let whole = recipe.all();
    assert_eq!(grammar::parse(&whole.to_string()).unwrap(), whole);
    assert_eq!(whole.nested.len(), builds.jobs.len());
    let text = recipe.dockerfile();
    // Every stage is from one that comes before it, and nothing is copied from what is not there.
    let mut stages = BTreeSet::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["FROM", from, "AS", name] => {
                assert!(stages.is_empty() || stages.contains(*from), "{line}");
                assert!(stages.insert((*name).to_owned()), "{line}");
            }
            ["COPY", from, ..] => assert!(stages.contains(from.strip_prefix("--from=").unwrap()), "{line}"),
            _ => {}
        }
    }
    assert_eq!(stages.len(), 1 + layers.layers.len() + layers.jobs.len());
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn keys_change_with_what_concerns_them_and_nothing_else() {
    let index = caravan_tests::shared_index();
    let catalogue = Catalogue::builtin().unwrap();
    let entries = ["debian-13-5.4", "debian-13-5.5"].map(|id| catalogue.platform(&index, id).unwrap());
    let builds = builds_of(&index, &entries);
    let platforms = entries.map(|entry| entry.id);
    let dune = index.find_name("dune").unwrap();
    let before = keys(&builds, &index, &platforms, &|_| 0);
    assert_eq!(before.iter().collect::<BTreeSet<_>>().len(), before.len(), "keys are distinct");
    let is_dune = |package: PackageId| index.package_name(package) == dune;
    let after = keys(&builds, &index, &platforms, &|package| u128::from(is_dune(package)));
    let mut with_dune = 0;
    for (place, (before, after)) in before.iter().zip(&after).enumerate() {
        let closure = builds.closure(place as BuildId);
        let concerned = closure.iter().any(|build| is_dune(builds.builds[*build as usize].package));
        assert_eq!(before != after, concerned);
        with_dune += usize::from(concerned);
    }
    assert!(with_dune > 5_000 && with_dune < before.len());
}

#[test]
fn a_fingerprint_is_of_what_decides_a_build() {
    let file = "opam-version: \"2.0\"\nmaintainer: \"Ada\"\nbuild: [\"dune\" \"build\"]\ndepends: [\"dune\" {>= \"3.0\"}]\n\
                url {\n  src: \"https://a.org/1.tgz\"\n  checksum: [\"md5=00000000000000000000000000000000\" \"sha256=11\"]\n}\n";
    let changed = |from: &str, to: &str| {
        assert!(file.contains(from));
        fingerprint(file.as_bytes()) != fingerprint(file.replace(from, to).as_bytes())
    };
    assert!(changed("\"dune\" \"build\"", "\"dune\" \"build\" \"-p\" name"));
    assert!(changed("md5=0", "md5=1"));
    assert!(changed("build: [", "patches: \"p\"\nbuild: ["));
    assert!(!changed("\"Ada\"", "\"Ada\" # and others"));
    assert!(!changed(">= \"3.0\"", ">= \"3.1\""));
    assert!(!changed("https://a.org", "https://b.org"));
    assert!(!changed("sha256=11", "sha256=12"));
    assert!(!changed("build: [\"dune\" \"build\"]", "build: [\n  \"dune\"\n  \"build\"\n]"));
}

/// The plan's platform: the newest compiler that a package goes with.
fn docs_target() -> Target {
    let request = Request::new(["ocaml-base-compiler<=5.5.0".parse().unwrap()]);
    Target { label: "docs".to_owned(), platform: Platform::linux_x86_64(), request }
}

fn docs<'i>(index: &'i Index) -> Docs<'i> {
    Docs::new(index, &docs_target(), index.packages().collect(), &Stop::new(), &|_| {}).ok().unwrap()
}

fn named(docs: &Docs<'_>, build: BuildId) -> (String, String) {
    let index = docs.matrix.platforms[0].view.index();
    (index.package_text(docs.builds.builds[build as usize].package), docs.universes[build as usize].to_string())
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn documentation_is_covered_and_blessed() {
    let index = caravan_tests::shared_index();
    let docs = docs(&index);
    let text = |build: BuildId| index.package_text(docs.builds.builds[build as usize].package);
    // Hashes as ocaml-docs-ci makes them.
    for build in (0..docs.builds.builds.len()).step_by(97) {
        let mut lines: Vec<String> = docs.builds.closure(build as BuildId).into_iter().map(text).collect();
        lines.retain(|line| *line != text(build as BuildId));
        lines.sort_unstable();
        assert_eq!(docs.universes[build].size, lines.len());
        let all: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let hash: String = Md5::digest(all.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(docs.universes[build].to_string(), hash);
    }
    // What has documentation is prepared once.
    let mut prepared: Vec<BuildId> = docs.jobs.iter().flat_map(|job| job.new.iter().copied()).collect();
    let count = prepared.len();
    prepared.sort_unstable();
    prepared.dedup();
    assert_eq!(prepared.len(), count);
    let none = [
        "base-unix",
        "base-bigarray",
        "base-threads",
        "ocaml-config",
        "ocaml",
        "ocaml-base-compiler",
        "ocaml-variants",
    ];
    for build in 0..docs.builds.builds.len() as BuildId {
        let name = index.name(index.package_name(docs.builds.builds[build as usize].package));
        assert_eq!(prepared.binary_search(&build).is_ok(), !none.contains(&name), "{}", text(build));
    }
    for job in &docs.jobs {
        let builds = &docs.builds.jobs[job.job].builds;
        assert!(job.new.iter().all(|build| builds.contains(build)));
    }
    // Largest first.
    let sizes = docs.jobs.iter().map(|job| docs.universes[docs.builds.jobs[job.job].build as usize].size);
    assert!(sizes.collect::<Vec<_>>().is_sorted_by(|a, b| a >= b));
    // Each version with a build has one documentation, and none is larger.
    let mut largest: BTreeMap<PackageId, (usize, u32)> = BTreeMap::new();
    for (build, universe) in docs.builds.builds.iter().zip(&docs.universes) {
        let rank = (universe.size, build.jobs);
        let known = largest.entry(build.package).or_insert(rank);
        *known = rank.max(*known);
    }
    let blessed: BTreeMap<PackageId, (usize, u32)> = docs
        .blessed
        .iter()
        .map(|(package, build)| {
            (*package, (docs.universes[*build as usize].size, docs.builds.builds[*build as usize].jobs))
        })
        .collect();
    assert_eq!(blessed, largest);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn documentation_steps_from_commit_to_commit() {
    let repository = caravan_tests::shared_repository("opam-repository.bundle");
    let history = History::open(&repository).unwrap();
    let commits: Vec<Commit> = history.first_parents("main").unwrap().collect::<Result<_, _>>().unwrap();
    let index = |place: usize| caravan_tests::index_of(&GitSource::open(&repository, &commits[place].id).unwrap());
    let mut solved = Vec::new();
    for place in (0..commits.len() - 1).step_by(43) {
        let (old, new) = (index(place + 1), index(place));
        let before = docs(&old);
        let stepped = before.step(&new, new.packages().collect(), &Stop::new()).ok().unwrap();
        let fresh = docs(&new);
        let state = |docs: &Docs<'_>| -> Vec<(String, String)> {
            docs.blessed.iter().map(|(_, build)| named(docs, *build)).collect()
        };
        assert_eq!(state(&stepped), state(&fresh), "{}", commits[place].summary);
        let solutions = |docs: &Docs<'_>| -> Vec<Option<Vec<String>>> {
            let text = |package: &PackageId| new.package_text(*package);
            docs.matrix.cells[0]
                .iter()
                .map(|cell| Some(cell.selection()?.packages().iter().map(text).collect()))
                .collect()
        };
        assert!(solutions(&stepped) == solutions(&fresh), "{}", commits[place].summary);
        solved.push(stepped.solved);
    }
    // Most pull requests concern a few.
    solved.sort_unstable();
    assert!(solved[solved.len() / 2] < 500, "{solved:?}");
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn projects_are_locked_for_both_tools() {
    let repository = caravan_tests::shared_repository("opam-repository.bundle");
    let source = GitSource::open(&repository, "main").unwrap();
    let index = caravan_tests::index_of(&source);
    let text = |package: PackageId| source.fetch(&index.file(index.package_file(package)).path).ok();
    let view = View::new(&index, &Platform::linux_x86_64());
    let projects: Vec<PackageId> = latest(&index, &index.packages().collect::<Vec<_>>())
        .into_iter()
        .filter(|package| view.is_available(*package))
        .step_by(57)
        .collect();
    let (mut opam, mut vendored, mut without_dune, mut none) = (0, 0, 0, 0);
    for package in projects {
        let name = PackageName::new(index.name(index.package_name(package))).unwrap();
        // As its author has it.
        let pin = Pin {
            name: name.clone(),
            version: Version::new("dev").unwrap(),
            opam: String::from_utf8_lossy(&text(package).unwrap()).into_owned(),
        };
        let pins = [pin];
        let setting = Setting { pins: pins.to_vec(), ..Setting::new(Platform::linux_x86_64()) };
        let pinned = setting.index(&[&index]).unwrap();
        let view = View::of(&pinned, &setting);
        let request = Request { roots: roots(&pins, true), ..Request::default() };
        // The lock files are read again and solved for before they are handed out.
        match Solver::new(&view).solve(&request) {
            Ok(selection) => {
                let file = locked(&view, selection.packages(), &pins[0], true).unwrap();
                assert!(OpamFile::parse(file.as_bytes()).diagnostics.is_empty(), "{name}");
                opam += 1;
            }
            Err(SolveError::NoSolution) => none += 1,
            Err(error) => panic!("{name}: {error}"),
        }
        let own = |package: PackageId| {
            if pinned.name(pinned.package_name(package)) == name.as_str() {
                return Some(pins[0].opam.clone().into_bytes());
            }
            let known = index.find_name(pinned.name(pinned.package_name(package)))?;
            text(index.find_package(known, pinned.version(pinned.package_version(package)))?)
        };
        match monorepo(&view, &pins, &MonorepoRules::default(), &own, &Stop::new()) {
            Ok(lock) => {
                let file = OpamFile::parse(lock.text.as_bytes()).file.unwrap();
                // Sources are those of the packages that are named.
                for pin in &file.pin_depends {
                    let known =
                        index.find_package(index.find_name(pin.name.as_str()).unwrap(), pin.version.as_str()).unwrap();
                    let there = OpamFile::parse(&text(known).unwrap()).file.unwrap();
                    assert_eq!(there.url.unwrap().src, pin.url, "{name}: {}", pin.name);
                }
                assert_eq!(file.pin_depends.len(), lock.vendored.len());
                vendored += 1;
            }
            Err(LockError::WithoutDune(packages)) => {
                assert!(!packages.is_empty(), "{name}");
                without_dune += 1;
            }
            Err(LockError::Solve(SolveError::NoSolution)) => {}
            Err(error) => panic!("{name}: {error}"),
        }
    }
    assert_eq!((opam, none), (62, 17));
    assert_eq!((vendored, without_dune), (20, 41));
}
