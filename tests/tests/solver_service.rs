//! solver-service's contract: the scenarios of its own tests that need no transport, on repositories made for
//! them, and its answers on the real one.

use caravan::protocols::Refusal;
use caravan::protocols::solver_service::{OpamText, SolveRequest, SolveResponse, Vars};
use caravan::repository::RepositoryName;
use caravan::{Answer, Question, Stop};
use caravan_tests::git::{COMPILERS, Repository, opam};
use caravan_tests::opened::Opened;
use opam_parser::source::Source;
use opam_parser::source::git::GitSource;

fn vars(ocaml: &str) -> Vars {
    let text = |text: &str| text.to_owned();
    Vars {
        arch: text("x86_64"),
        os: text("linux"),
        os_family: text("debian"),
        os_distribution: text("debian"),
        os_version: text("13"),
        ocaml_package: text("ocaml-base-compiler"),
        ocaml_version: text(ocaml),
        opam_version: text("2.1.3"),
        lower_bound: false,
    }
}

/// A request for one root, `app.dev`, on OCaml 5.0.
fn request(repositories: &[(&Repository, &str)], root: &str) -> SolveRequest {
    let commit =
        |(place, (_, commit)): (usize, &(&Repository, &str))| (format!("repository-{place}"), (*commit).to_owned());
    SolveRequest {
        opam_repository_commits: repositories.iter().enumerate().map(commit).collect(),
        root_pkgs: vec![("app.dev".to_owned(), OpamText(opam(root).into_bytes()))],
        pinned_pkgs: vec![],
        platforms: vec![("five".to_owned(), vars("5.0.0"))],
    }
}

/// The answer, and the log.
fn answered(repositories: &[(&Repository, &str)], request: &SolveRequest, stop: &Stop) -> (SolveResponse, Vec<String>) {
    let mut opened = Opened::default();
    for ((url, commit), (repository, _)) in request.opam_repository_commits.iter().zip(repositories) {
        opened.open(RepositoryName { url: url.clone(), commit: commit.clone() }, repository.path());
    }
    asked(&mut opened, request, stop)
}

fn asked(opened: &mut Opened, request: &SolveRequest, stop: &Stop) -> (SolveResponse, Vec<String>) {
    match opened.ask(&Question::SolverService(Box::new(request.clone())), stop) {
        (Ok(Answer::SolverService(response)), log) => (response, log),
        (other, _) => panic!("{other:?}"),
    }
}

/// The packages of the only selection, without the compiler's and the root, and its commits.
fn only(response: &SolveResponse) -> (String, Vec<(String, String)>) {
    let SolveResponse::Ok(selections) = response else { panic!("{response:?}") };
    let [selection] = selections.as_slice() else { panic!("{selections:?}") };
    let own = |package: &&String| !package.starts_with("ocaml") && !package.starts_with("app.");
    let packages: Vec<&str> = selection.packages.iter().filter(own).map(String::as_str).collect();
    (packages.join(" "), selection.commits.clone())
}

fn solved(repositories: &[(&Repository, &str)], root: &str) -> (String, Vec<(String, String)>) {
    only(&answered(repositories, &request(repositories, root), &Stop::new()).0)
}

fn commits(pairs: &[(usize, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(place, commit)| (format!("repository-{place}"), (*commit).to_owned())).collect()
}

#[test]
fn a_selection_a_new_version_and_an_old_commit() {
    let repository = Repository::new();
    repository.commit(&COMPILERS);
    let first = repository.commit(&[("lib.1.0", "depends: \"ocaml\"")]);
    let second = repository.commit(&[("lib.1.1", "depends: \"ocaml\"")]);
    let root = "depends: [\"ocaml\" \"lib\"]";
    assert_eq!(solved(&[(&repository, &first)], root), ("lib.1.0".to_owned(), commits(&[(0, &first)])));
    assert_eq!(solved(&[(&repository, &second)], root), ("lib.1.1".to_owned(), commits(&[(0, &second)])));
    assert_eq!(solved(&[(&repository, &first)], root).0, "lib.1.0");
    let (response, log) = answered(&[(&repository, &second)], &request(&[(&repository, &second)], root), &Stop::new());
    let json = serde_json::to_value(&response).unwrap();
    let expected = serde_json::json!(["Ok", [{
        "id": "five",
        "compat_pkgs": ["app.dev"],
        "packages": ["app.dev", "lib.1.1", "ocaml.5.0.0", "ocaml-base-compiler.5.0.0"],
        "commits": [["repository-0", second]],
        "lower_bound": false,
    }]]);
    assert_eq!(json, expected);
    assert_eq!(log[0], "Solving for app.dev");
    assert!(log[1].starts_with("five: found solution in ") && log[1].ends_with(" s"), "{log:?}");
    assert_eq!(log[2..4], ["= five =", "-> app.dev lib.1.1 ocaml.5.0.0 ocaml-base-compiler.5.0.0"]);
    assert_eq!(log[4], format!("(valid since opam-repository commit(s): repository-0, {second})"));
}

#[test]
fn the_oldest_commit_at_which_nothing_selected_differs() {
    let repository = Repository::new();
    repository.commit(&COMPILERS);
    let made = repository.commit(&[("lib.1.0", "depends: \"ocaml\"")]);
    let other = repository.commit(&[("other.1.0", "")]);
    let head = repository.commit(&[]);
    let root = "depends: [\"ocaml\" \"lib\"]";
    assert_eq!(solved(&[(&repository, &head)], root).1, commits(&[(0, &made)]));
    assert_eq!(solved(&[(&repository, &other)], root).1, commits(&[(0, &made)]));
    // What is selected changed, and so did odoc, which is always watched.
    let changed = repository.commit(&[("lib.1.0", "depends: \"ocaml\"\nmaintainer: \"Ada\"")]);
    assert_eq!(solved(&[(&repository, &changed)], root).1, commits(&[(0, &changed)]));
    let odoc = repository.commit(&[("odoc.2.1.1", "")]);
    let later = repository.commit(&[("odoc.2.1.2", "")]);
    assert_eq!(solved(&[(&repository, &later)], root).1, commits(&[(0, &odoc)]));
}

#[test]
fn overlays() {
    let (base, overlay) = (Repository::new(), Repository::new());
    let below = base.commit(
        &[&COMPILERS[..], &[("lib.1.0", "depends: \"ocaml\""), ("lib.1.1", "depends: [\"ocaml\" \"old\"]")]].concat(),
    );
    let above = overlay.commit(&[("lib.1.1", "depends: \"ocaml\"\nconflicts: \"new\""), ("old.1", "")]);
    let both = [(&base, below.as_str()), (&overlay, above.as_str())];
    // The later repository's version counts.
    let root = "depends: [\"ocaml\" \"lib\"]";
    assert_eq!(solved(&both, root), ("lib.1.1".to_owned(), commits(&[(0, &below), (1, &above)])));
    // Older versions stay visible below it.
    assert_eq!(
        solved(&both, "depends: [\"ocaml\" \"lib\" {< \"1.1\"}]"),
        ("lib.1.0".to_owned(), commits(&[(0, &below)]))
    );
    // One that has nothing of what is needed is not among the commits.
    assert_eq!(solved(&both, "depends: \"ocaml\""), (String::new(), commits(&[(0, &below)])));
    // What comes from one repository is watched in the other, too: an older commit that would replace it is not named.
    overlay.commit(&[("lib.1.0", "")]);
    fs_err::remove_dir_all(overlay.path().join("packages/lib/lib.1.0")).unwrap();
    let without = overlay.commit(&[]);
    let both = [(&base, below.as_str()), (&overlay, without.as_str())];
    let older = "depends: [\"ocaml\" \"lib\" {< \"1.1\"}]";
    assert_eq!(solved(&both, older), ("lib.1.0".to_owned(), commits(&[(0, &below)])));
    let with_old = "depends: [\"ocaml\" \"old\" \"lib\" {< \"1.1\"}]";
    assert_eq!(solved(&both, with_old), ("lib.1.0 old.1".to_owned(), commits(&[(0, &below), (1, &without)])));
}

#[test]
fn lower_bounds() {
    let repository = Repository::new();
    let head = repository
        .commit(&[&COMPILERS[..], &[("lib.1.0", ""), ("lib.1.1", ""), ("lib.0.9", "flags: avoid-version")]].concat());
    let repositories = [(&repository, head.as_str())];
    let mut asked = request(&repositories, "depends: [\"ocaml\" \"lib\"]");
    asked.platforms[0].1.lower_bound = true;
    let (response, _) = answered(&repositories, &asked, &Stop::new());
    assert_eq!(only(&response).0, "lib.1.0");
    let SolveResponse::Ok(selections) = &response else { panic!("{response:?}") };
    assert!(selections[0].lower_bound);
}

#[test]
fn no_solution_is_no_selection() {
    let repository = Repository::new();
    let head = repository.commit(&COMPILERS);
    let repositories = [(&repository, head.as_str())];
    let asked = request(&repositories, "depends: [\"ocaml\" \"nosuch\"]");
    let (response, log) = answered(&repositories, &asked, &Stop::new());
    assert_eq!(response, SolveResponse::Ok(vec![]));
    assert!(log[1].starts_with("five: eliminated all possibilities in "), "{log:?}");
    assert!(log.iter().any(|line| line.contains("nosuch")), "{log:?}");
}

#[test]
fn broken_files() {
    let repository = Repository::new();
    let head = repository.commit(
        &[&COMPILERS[..], &[("lib.1.0", ""), ("bad.1", "depends: ["), ("uses.1", "depends: \"bad\"")]].concat(),
    );
    let repositories = [(&repository, head.as_str())];
    let message = |root: &str| match answered(&repositories, &request(&repositories, root), &Stop::new()).0 {
        SolveResponse::Error(Refusal::Msg(message)) => message,
        other => panic!("{other:?}"),
    };
    assert_eq!(message("depends: ["), "Error parsing app.dev: At ./<none>:3:0-3:0::\nParse error");
    // One of the repository matters only if its name is looked at.
    let of_bad = "Error parsing bad.1: At ./<none>:3:0-3:0::\nParse error";
    assert_eq!(message("depends: [\"ocaml\" \"uses\"]"), of_bad);
    assert_eq!(solved(&repositories, "depends: [\"ocaml\" \"lib\"]").0, "lib.1.0");
    let refused = serde_json::to_value(SolveResponse::Error(Refusal::Msg("why".to_owned()))).unwrap();
    assert_eq!(refused, serde_json::json!(["Error", ["Msg", "why"]]));
}

#[test]
fn roots_for_some_platforms() {
    let repository = Repository::new();
    let head = repository.commit(&COMPILERS);
    let repositories = [(&repository, head.as_str())];
    let mut asked = request(&repositories, "depends: \"ocaml\" {>= \"5.0\"}");
    let root = |package: &str, body: &str| (package.to_owned(), OpamText(opam(body).into_bytes()));
    asked.root_pkgs.push(root("both.dev", "depends: \"ocaml\" {>= \"4.08\" & < version}"));
    // What is undefined counts as true here.
    asked.root_pkgs.push(root("here.dev", "available: nothing-known | os != \"beos\""));
    asked.root_pkgs.push(root("there.dev", "available: os = \"win32\""));
    asked.platforms.push(("four".to_owned(), vars("4.14.2")));
    let mut windows = vars("4.14.2");
    windows.os = "win32".to_owned();
    asked.platforms.push(("windows".to_owned(), windows));
    let SolveResponse::Ok(selections) = answered(&repositories, &asked, &Stop::new()).0 else { panic!("refused") };
    let compatible =
        |id: &str| selections.iter().find(|selection| selection.id == id).map(|found| found.compat_pkgs.join(" "));
    // `ocaml < "dev"` holds for every version of OCaml.
    assert_eq!(compatible("five").as_deref(), Some("app.dev both.dev here.dev"));
    assert_eq!(compatible("four").as_deref(), Some("both.dev here.dev"));
    assert_eq!(compatible("windows").as_deref(), Some("both.dev here.dev there.dev"));
    // But it counts as false when the root is to be installed.
    asked.root_pkgs.push(root("never.dev", "available: nothing-known = \"win32\""));
    assert_eq!(answered(&repositories, &asked, &Stop::new()).0, SolveResponse::Ok(vec![]));
    // Where none is left there is no answer.
    let mut asked = request(&repositories, "depends: \"ocaml\" {>= \"5.0\"}");
    asked.platforms = vec![("four".to_owned(), vars("4.14.2"))];
    let (response, log) = answered(&repositories, &asked, &Stop::new());
    assert_eq!(response, SolveResponse::Ok(vec![]));
    assert_eq!(log[1..], ["four: not available for this platform", "= four =", "Not available for this platform"]);
}

#[test]
fn a_dropped_root_comes_from_the_repositories() {
    let repository = Repository::new();
    let head = repository.commit(&[&COMPILERS[..], &[("lib.1.0", "")]].concat());
    let repositories = [(&repository, head.as_str())];
    let mut asked = request(&repositories, "depends: [\"ocaml\" \"lib\"]");
    let lib = opam("depends: \"ocaml\" {>= \"5.0\"}").into_bytes();
    asked.root_pkgs.push(("lib.dev".to_owned(), OpamText(lib)));
    asked.platforms.push(("four".to_owned(), vars("4.14.2")));
    let SolveResponse::Ok(selections) = answered(&repositories, &asked, &Stop::new()).0 else { panic!("refused") };
    let has = |place: usize, package: &str| selections[place].packages.iter().any(|selected| selected == package);
    assert!(has(0, "lib.dev") && has(1, "lib.1.0"), "{selections:?}");
    assert_eq!(selections[1].compat_pkgs, ["app.dev"]);
}

#[test]
fn the_last_of_a_name_counts_and_the_compiler_may_be_brought() {
    let repository = Repository::new();
    let head = repository.commit(&COMPILERS);
    let repositories = [(&repository, head.as_str())];
    let mut asked = request(&repositories, "depends: \"absent\"");
    let file = |body: &str| OpamText(opam(body).into_bytes());
    asked.root_pkgs.push(("app.2".to_owned(), file("depends: \"gone\"")));
    asked.pinned_pkgs.push(("app.3".to_owned(), file("")));
    asked.pinned_pkgs.push(("ocaml-base-compiler.dev".to_owned(), file("")));
    let SolveResponse::Ok(selections) = answered(&repositories, &asked, &Stop::new()).0 else { panic!("refused") };
    assert_eq!(selections[0].packages, ["app.3", "ocaml-base-compiler.dev"]);
    assert_eq!(selections[0].compat_pkgs, ["app.dev", "app.2"]);
}

#[test]
fn directories_name_packages() {
    let repository = Repository::new();
    repository.commit(&COMPILERS);
    for (file, text) in [("wrong/other.1/opam", opam("")), ("empty/empty.1/README", "none".to_owned())] {
        let file = repository.path().join("packages").join(file);
        fs_err::create_dir_all(file.parent().unwrap()).unwrap();
        fs_err::write(file, text).unwrap();
    }
    let head = repository.commit(&[]);
    let repositories = [(&repository, head.as_str())];
    assert_eq!(solved(&repositories, "depends: [\"ocaml\" \"wrong\"]").0, "wrong.1");
    let ask = |root: &str| answered(&repositories, &request(&repositories, root), &Stop::new()).0;
    assert_eq!(ask("depends: [\"ocaml\" \"other\"]"), SolveResponse::Ok(vec![]));
    let missing = Refusal::Msg("opam file not found for empty.1".to_owned());
    assert_eq!(ask("depends: [\"ocaml\" \"empty\"]"), SolveResponse::Error(missing));
}

#[test]
fn pins_and_development_releases() {
    let repository = Repository::new();
    let head = repository.commit(
        &[
            &COMPILERS[..],
            &[
                ("lib.1.0", ""),
                ("lib.2.0", ""),
                ("ocaml-base-compiler.5.1.0~beta1", "flags: [compiler avoid-version]\ndepends: \"ocaml-beta\""),
            ],
        ]
        .concat(),
    );
    let repositories = [(&repository, head.as_str())];
    let mut asked = request(&repositories, "depends: [\"lib\" \"tool\" {with-test}]");
    asked.pinned_pkgs = vec![
        ("lib.1.5".to_owned(), OpamText(opam("").into_bytes())),
        ("tool.dev".to_owned(), OpamText(opam("depends: \"absent\" {with-test}").into_bytes())),
    ];
    // Only the roots are tested.
    assert_eq!(only(&answered(&repositories, &asked, &Stop::new()).0).0, "lib.1.5 tool.dev");
    asked.platforms = vec![("beta".to_owned(), vars("5.1.0~beta1"))];
    let SolveResponse::Ok(selections) = answered(&repositories, &asked, &Stop::new()).0 else { panic!("refused") };
    assert!(selections[0].packages.contains(&"ocaml-beta.enabled".to_owned()), "{selections:?}");
}

#[test]
fn cancelled() {
    let repository = Repository::new();
    let head = repository.commit(&COMPILERS);
    let repositories = [(&repository, head.as_str())];
    let stop = Stop::new();
    stop.cancel();
    let (response, _) = answered(&repositories, &request(&repositories, "depends: \"ocaml\""), &stop);
    assert_eq!(serde_json::to_value(&response).unwrap(), serde_json::json!(["Error", ["Cancelled"]]));
}

#[test]
fn requests_are_read_as_the_ocaml_service_does() {
    let repository = Repository::new();
    let id = "0123456789abcdef0123456789ABCDEF01234567";
    let good = serde_json::to_string(&request(&[(&repository, id)], "")).unwrap();
    let read = |text: &str| {
        let read = SolveRequest::from_ocaml(text.as_bytes());
        read.map(|(request, text)| (request, text.into_owned())).map_err(|error| error.to_string())
    };
    let (plain, text) = read(&good).unwrap();
    assert_eq!(text, good.as_bytes());
    // Comments, and members twice: the last one counts. Workers get JSON that everybody reads.
    let twice = good.replace("\"root_pkgs\"", "/* none */ \"pinned_pkgs\": [[\"x.1\", \"\"]], \"root_pkgs\"");
    let (odd, text) = read(&twice).unwrap();
    assert_eq!(odd, plain);
    assert_eq!(serde_json::from_slice::<SolveRequest>(&text).unwrap(), plain);
    for (from, to, exception) in [
        ("\"platforms\"", "\"others\"", "Bad JSON in request: Worker.Solve_request.t"),
        ("\"lower_bound\":false", "\"lower_bound\":0", "Bad JSON in request: Worker.Vars.t.lower_bound"),
        ("\"os\":\"linux\",", "", "Bad JSON in request: Worker.Vars.t.os"),
        ("\"root_pkgs\":[[", "\"root_pkgs\":[[1,", "Bad JSON in request: Worker.Solve_request.t.root_pkgs"),
        ("app.dev", "app", "Internal error"),
        ("0123456789abcdef", "", "Internal error"),
        ("\"ocaml_version\":\"5.0.0\"", "\"ocaml_version\":\"foo\"", "Internal error"),
        ("}", "", "Internal error"),
    ] {
        assert!(good.contains(from), "{from}");
        assert_eq!(read(&good.replace(from, to)).unwrap_err(), exception, "{from}");
    }
}

#[test]
fn requests_are_read_strictly() {
    let repository = Repository::new();
    let good = serde_json::to_value(request(&[(&repository, "c0ffee")], "")).unwrap();
    assert!(serde_json::from_value::<SolveRequest>(good.clone()).is_ok());
    let changed = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut changed = good.clone();
        change(&mut changed);
        serde_json::from_slice::<SolveRequest>(&serde_json::to_vec(&changed).unwrap()).is_err()
    };
    assert!(changed(&|json| drop(json.as_object_mut().unwrap().remove("pinned_pkgs"))));
    assert!(changed(&|json| json["more"] = 1.into()));
    assert!(changed(&|json| json["platforms"][0][1]["more"] = 1.into()));
    assert!(changed(&|json| drop(json["platforms"][0][1].as_object_mut().unwrap().remove("lower_bound"))));
    assert!(changed(&|json| json["root_pkgs"][0] = serde_json::json!(["app.dev"])));
    assert!(changed(&|json| json["root_pkgs"][0] = serde_json::json!(["app.dev", "", ""])));
    assert!(changed(&|json| json["opam_repository_commits"] = serde_json::json!({})));
    // Opam files need not be UTF-8.
    let text = serde_json::to_string(&good).unwrap();
    let mut bytes = text.into_bytes();
    let place = bytes.windows(12).position(|window| window == b"opam-version").unwrap();
    bytes.splice(place..place, [0xff]);
    let read: SolveRequest = serde_json::from_slice(&bytes).unwrap();
    assert!(read.root_pkgs[0].1.0.contains(&0xff));
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn the_real_repository_with_tests_as_solver_service_answers() {
    let text = caravan_tests::shared_gz("oracle/installable.tsv.gz");
    let path = caravan_tests::shared_repository("opam-repository.bundle");
    let source = GitSource::open(&path, "main").unwrap();
    let mut opened = Opened::default();
    let name = RepositoryName { url: "main".to_owned(), commit: "main".to_owned() };
    let repository = opened.open(name, &path);
    let index = repository.index();
    let mut compared = 0;
    for row in text.lines().filter(|line| line.starts_with("svc-test\t")).step_by(23) {
        let columns: Vec<&str> = row.split('\t').collect();
        let (name, version) = columns[2].split_once('.').unwrap();
        let package = index.find_package(index.find_name(name).unwrap(), version).unwrap();
        let file = source.fetch(&index.file(index.package_file(package)).path).unwrap();
        let mut vars = vars(columns[1]);
        // The oracle's root is `ocaml`, of which any compiler may be.
        vars.ocaml_package = "ocaml".to_owned();
        vars.opam_version = "2.6.1".to_owned();
        let request = SolveRequest {
            opam_repository_commits: vec![("main".to_owned(), "main".to_owned())],
            root_pkgs: vec![(columns[2].to_owned(), OpamText(file))],
            pinned_pkgs: vec![],
            platforms: vec![("here".to_owned(), vars)],
        };
        let (response, _) = asked(&mut opened, &request, &Stop::new());
        let SolveResponse::Ok(selections) = response else { panic!("{row}: {response:?}") };
        let mut ours: Vec<&str> =
            selections.first().map(|found| found.packages.iter().map(String::as_str).collect()).unwrap_or_default();
        let mut theirs: Vec<&str> = if columns[3] == "OK" { columns[4].split(' ').collect() } else { vec![] };
        ours.sort_unstable();
        theirs.sort_unstable();
        assert_eq!(ours, theirs, "{row}");
        compared += 1;
    }
    assert!(compared > 90, "{compared}");
}
