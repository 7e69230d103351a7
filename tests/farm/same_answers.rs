//! Every kind of question, asked in every way: the library, the command line, HTTP and a cluster's batch give the same bytes.

use crate::cluster::{registered, worker};
use crate::http::said;
use crate::running::{Running, caravan, local, vars};
use crate::scheduler::Scheduler;
use caravan::platform::{Description, described};
use caravan::vocabulary::Platform;
use caravan::{Context, Local, Options, Question, Silent, Stop};
use caravan_tests::git::{Repository, opam};
use caravan_tests::workspace;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// A repository with a change: where it is, and its commits before and after.
struct Changed<'r> {
    path: &'r Path,
    base: String,
    head: String,
}

/// Packages to ask about.
struct Packages {
    /// Something that is solved for.
    root: &'static str,
    /// Something that others depend on.
    library: &'static str,
    /// Names of a few packages.
    pattern: &'static str,
    /// A version that the change is said to have broken.
    broken: &'static str,
}

/// A question, and the command that asks the same.
struct Sample {
    question: Value,
    command: Option<Vec<String>>,
}

const ON_DEBIAN: [&str; 6] = ["--os", "linux", "--arch", "x86_64", "--distro", "debian-13"];

/// This machine but for what [`ON_DEBIAN`] says.
fn debian() -> Value {
    let text = |text: &str| Some(text.to_owned());
    let description =
        Description { os: text("linux"), arch: text("x86_64"), distro: text("debian-13"), variables: vec![] };
    serde_json::to_value(described(&description).unwrap()).unwrap()
}

/// `--platform linux/x86_64/debian-13`
fn full() -> Value {
    serde_json::to_value(Platform::linux_x86_64()).unwrap()
}

/// One question of each kind.
fn samples(changed: &Changed<'_>, packages: &Packages, project: &Path) -> Vec<Sample> {
    let Changed { path, base, head } = changed;
    let url = path.display().to_string();
    let at = |commit: &str| json!({ "url": url, "commit": commit });
    let here = json!([at(head)]);
    let repo = format!("{url}#{head}");
    let sample = |kind: &str, members: Value, arguments: &[&str]| {
        let command = ["--repo", &repo, kind].iter().chain(arguments).map(ToString::to_string).collect();
        Sample { question: json!({ kind: members }), command: Some(command) }
    };
    // Two states are named by the command's own options, of the repository without a revision.
    let between = |kind: &str, members: Value, arguments: &[&str]| {
        let command = ["--repo", &url, kind].iter().chain(arguments).map(ToString::to_string).collect();
        Sample { question: json!({ kind: members }), command: Some(command) }
    };
    let only_json = |kind: &str, members: Value| Sample { question: json!({ kind: members }), command: None };
    let Packages { root, library, pattern, broken } = packages;
    let setting = json!({ "platform": debian() });
    let on = |more: &[&'static str]| -> Vec<&'static str> { ON_DEBIAN.iter().chain(more).copied().collect() };
    let with = |first: &'static str, more: &[&'static str]| -> Vec<&'static str> {
        std::iter::once(first).chain(on(more)).collect()
    };
    let platform = ["--platform", "linux/x86_64/debian-13", "--ocaml", "5.4"];
    let root_request = json!({ "roots": [{ "name": root }] });
    let pin = json!({ "name": "mine", "version": "dev", "opam": opam(&format!("depends: \"{library}\"")) });
    fs_err::write(project.join("mine.opam"), opam(&format!("depends: \"{library}\""))).unwrap();
    let project = project.display().to_string();
    let locked = [&["lock", &project, "--ocaml", "5.4"], ON_DEBIAN.as_slice()].concat();
    let locked = locked.into_iter().map(str::to_owned);
    let request = json!({
        "opam_repository_commits": [[url, head]],
        "root_pkgs": [["app.dev", opam(&format!("depends: \"{library}\""))]],
        "pinned_pkgs": [],
        "platforms": [["five", vars("5.4.1")]],
    });
    let platform_vars = json!({ "arch": "x86_64", "os": "linux", "os_family": "debian", "os_distribution": "debian", "os_version": "13" });
    let mirage_ci = json!({
        "opam_repos_folders": [["main", url, head]],
        "pkgs": [library],
        "constraints": [],
        "platforms": [["debian", platform_vars]],
    });
    let docs_ci = json!({
        "opam_repository_commit": head,
        "pkgs": [library],
        "constraints": [["ocaml", ["Geq"], "5.0"]],
        "platforms": [["debian", platform_vars]],
    });
    vec![
        sample(
            "solve",
            json!({ "repositories": here, "problem": { "setting": { "platform": full() }, "request": root_request },
                "platforms": [full()], "ocaml": "5.4", "check": true }),
            &[&[*root, "--check"], platform.as_slice()].concat(),
        ),
        sample(
            "installable",
            json!({ "repositories": here, "setting": { "platform": full() }, "platforms": [full()], "ocaml": "5.4", "packages": [library],
                "all_versions": true }),
            &[&[*library, "-V"], platform.as_slice()].concat(),
        ),
        sample("list", json!({ "repositories": here, "setting": setting, "patterns": [pattern] }), &with(pattern, &[])),
        sample("show", json!({ "repositories": here, "setting": setting, "packages": [root] }), &with(root, &[])),
        sample(
            "revdeps",
            json!({ "repositories": here, "setting": setting, "packages": [library], "recursive": true, "edges": true }),
            &with(library, &["-r", "--tree"]),
        ),
        sample(
            "deps",
            json!({ "repositories": here, "setting": setting, "packages": [root], "all_versions": true }),
            &with(root, &["-V"]),
        ),
        between(
            "impact",
            json!({ "base": at(base), "head": at(head), "platforms": [full()], "ocaml": ["5.4"] }),
            &[&["--base", base.as_str(), "--head", head.as_str()], platform.as_slice()].concat(),
        ),
        between(
            "bounds",
            json!({ "base": at(base), "head": at(head), "platforms": [full()], "ocaml": ["5.4"], "broken": [broken] }),
            &[&["--base", base.as_str(), "--head", head.as_str(), "--broken", broken], platform.as_slice()].concat(),
        ),
        between(
            "bisect",
            json!({ "head": at(head), "base": base, "packages": [root], "sought": "solution", "platform": full(), "ocaml": "5.4" }),
            &[&[*root, "--head", head.as_str(), "--base", base.as_str(), "--for", "solution"], platform.as_slice()]
                .concat(),
        ),
        sample(
            "health",
            json!({ "repositories": here, "patterns": [pattern], "platforms": ["5.4", "4.14"] }),
            &[pattern, "--platform", "5.4,4.14"],
        ),
        sample(
            "builds",
            json!({ "repositories": here, "patterns": [pattern], "platforms": ["5.4"], "workers": 4 }),
            &[pattern, "--platform", "5.4", "--workers", "4"],
        ),
        sample(
            "docs",
            json!({ "repositories": here, "patterns": [pattern], "platform": "5.4", "base": at(base) }),
            &[pattern, "--platform", "5.4", "--base", base.as_str()],
        ),
        Sample {
            question: json!({ "lock": { "repositories": here, "setting": setting, "packages": [pin],
                "name": Path::new(&project).file_name().unwrap().to_str(), "ocaml": "5.4" } }),
            command: Some(["--repo".to_owned(), repo.clone()].into_iter().chain(locked).collect()),
        },
        sample("platforms", json!({ "repositories": here, "platforms": ["5.4"] }), &["5.4"]),
        only_json("solver-service", request.clone()),
        only_json("docs-ci", json!({ "repository": url, "request": docs_ci })),
        only_json("mirage-ci", mirage_ci),
        only_json(
            "batch",
            json!([{ "solver-service": request }, { "list": { "repositories": here, "patterns": [pattern] } }]),
        ),
    ]
}

fn check_answers(changed: &Changed<'_>, packages: &Packages) {
    let home = tempfile::tempdir().unwrap();
    let project = home.path().join("project");
    fs_err::create_dir(&project).unwrap();
    let samples = samples(changed, packages, &project);
    let kind = |sample: &Sample| sample.question.as_object().unwrap().keys().next().unwrap().clone();
    let mut kinds: Vec<String> = samples.iter().map(kind).collect();
    let mut known: Vec<&str> = Question::KINDS.to_vec();
    kinds.sort_unstable();
    known.sort_unstable();
    assert_eq!(kinds, known, "each kind is asked once");

    let expected: Vec<String> = samples.iter().map(|sample| by_library(&sample.question, home.path())).collect();
    let (service, address) = Running::serve(&["--workers=1"]);
    for (sample, expected) in samples.iter().zip(&expected) {
        let kind = kind(sample);
        let file = home.path().join("question.json");
        fs_err::write(&file, sample.question.to_string()).unwrap();
        let asked = commanded(home.path(), &["ask".to_owned(), file.display().to_string()]);
        assert_eq!(asked.trim_end_matches('\n'), expected, "{kind}: `caravan ask`");
        if let Some(command) = &sample.command {
            let format = ["--format", "json"].map(str::to_owned);
            let shown = commanded(home.path(), &[command.as_slice(), &format].concat());
            assert_eq!(compact(&shown), *expected, "{kind}: {command:?}");
        }
        let members = sample.question[&kind].to_string();
        let answer = said(&address, "POST", &format!("/v1/{kind}"), &[JSON], members.as_bytes());
        assert_eq!((answer.status, &answer.body), (200, expected), "{kind}: HTTP");
        let answer = said(&address, "POST", "/v1/ask", &[JSON], sample.question.to_string().as_bytes());
        assert_eq!((answer.status, &answer.body), (200, expected), "{kind}: HTTP, as a whole question");
    }
    drop(service);
    let batch = json!({ "batch": samples.iter().map(|sample| &sample.question).collect::<Vec<_>>() });
    for ((answer, sample), expected) in by_cluster(&batch, home.path()).iter().zip(&samples).zip(&expected) {
        assert_eq!(answer, expected, "{}: a cluster's batch", kind(sample));
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");

fn by_library(question: &Value, home: &Path) -> String {
    let read: Question = serde_json::from_value(question.clone()).unwrap_or_else(|error| panic!("{question}: {error}"));
    // What is written is the same question.
    let written = serde_json::to_value(&read).unwrap();
    let again: Question = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(&again).unwrap(), written);
    let options = Options { cache: Some(home.join("cache")), ..Options::default() };
    let mut local = Local::new(options).unwrap();
    let mut context = Context { repositories: &mut local, observer: &Silent, stop: &Stop::new() };
    let answer = caravan::ask(&read, &mut context).unwrap_or_else(|error| panic!("{question}: {error:?}"));
    String::from_utf8(answer.to_json().unwrap()).unwrap()
}

fn commanded(home: &Path, arguments: &[String]) -> String {
    let mut command: Command = caravan(home);
    command.args(arguments).arg(format!("--cache-dir={}", home.join("cache").display())).current_dir(home);
    let output = command.output().unwrap();
    let code = output.status.code();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(code, Some(0 | 1)), "{arguments:?}: {code:?} {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// JSON without white space, its members in their order.
fn compact(json: &str) -> String {
    let mut compact = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        if in_string || !c.is_ascii_whitespace() {
            compact.push(c);
        }
        match (in_string, escaped, c) {
            (true, false, '\\') => escaped = true,
            (_, false, '"') => in_string = !in_string,
            _ => escaped = false,
        }
    }
    compact
}

/// The answers to a batch, as a cluster's worker gives them.
fn by_cluster(batch: &Value, home: &Path) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Batch {
        answers: Vec<Part>,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Part {
        Answer(Box<RawValue>),
        Error(String),
    }
    local(async {
        let scheduler = Scheduler::start(home).await;
        let _worker = worker(&scheduler, "solver-1", 1);
        registered(&scheduler, 1).await;
        let job = scheduler.inner.custom("caravan", batch.to_string().as_bytes()).await;
        let answer = job.result_request().send().promise.await.unwrap();
        let answer: Batch = serde_json::from_slice(answer.get().unwrap().get_output().unwrap().as_bytes()).unwrap();
        let part = |part: Part| match part {
            Part::Answer(answer) => answer.get().to_owned(),
            Part::Error(error) => panic!("{error}"),
        };
        answer.answers.into_iter().map(part).collect()
    })
}

#[test]
fn every_question_in_every_way() {
    let repository = Repository::new();
    let copy = |from: &Path| {
        let copied = Command::new("cp").arg("-R").arg(from).arg(repository.path()).status().unwrap();
        assert!(copied.success());
        repository.commit(&[])
    };
    let base = copy(&workspace().join("examples/repository/packages"));
    let head = copy(&workspace().join("examples/change/packages"));
    let changed = Changed { path: repository.path(), base, head };
    let packages =
        Packages { root: "caravan-demo", library: "caravan-fmt", pattern: "caravan-*", broken: "caravan-check.0.2" };
    check_answers(&changed, &packages);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn every_question_in_every_way_about_opam_repository() {
    let path = caravan_tests::shared_repository("opam-repository.bundle");
    let commit = |revision: &str| {
        let mut git = Command::new("git");
        let output = git.arg("--git-dir").arg(&path).args(["rev-parse", revision]).output().unwrap();
        assert!(output.status.success(), "{revision}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let changed = Changed { path: &path, base: commit("main~3"), head: commit("main") };
    let packages = Packages { root: "utop", library: "zed", pattern: "lambda-*", broken: "utop.2.14.0" };
    check_answers(&changed, &packages);
}

/// A client of a service must not be able to look around in its machine.
#[test]
fn folders_are_refused_where_file_urls_are() {
    let repository = Repository::new();
    let commit = repository.commit(&caravan_tests::git::COMPILERS);
    let members = json!({
        "opam_repos_folders": [["main", repository.path(), commit]], "pkgs": ["ocaml"], "constraints": [], "platforms": [],
    });
    let service = Running::start(|_| ["serve", "--listen=127.0.0.1:0", "--workers=1"].map(str::to_owned).to_vec());
    let answer = said(&service.http(), "POST", "/v1/mirage-ci", &[JSON], members.to_string().as_bytes());
    assert_eq!(answer.status, 422, "{}", answer.body);
    assert!(answer.body.contains("this service allows https, http, git"), "{}", answer.body);
}
