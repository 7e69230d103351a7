//! The life of an OCluster worker, seen by its scheduler; and sending work to several.

use crate::running::{Running, caravan, local, own_packages, puzzle, request, url};
use crate::scheduler::{Registered, Scheduler, Work};
use caravan_farm::generated::ocluster_capnp::{MetricsSource, job};
use caravan_tests::git::{COMPILERS, Repository};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// A worker process of a scheduler.
pub(crate) fn worker(scheduler: &Scheduler, name: &str, capacity: u16) -> Running {
    worker_with(scheduler, name, capacity, &[])
}

fn worker_with(scheduler: &Scheduler, name: &str, capacity: u16, more: &[&str]) -> Running {
    Running::start(|home| {
        scheduler.registration.save(&home.join("pool.cap")).unwrap();
        let connect = home.join("pool.cap").display().to_string();
        let arguments =
            ["solver-service", "run-cluster", "--connect", &connect, "--name", name, "--allow-scheme=file", "-v"];
        let capacity = format!("--capacity={capacity}");
        let more = more.iter().map(|argument| (*argument).to_owned());
        arguments.map(str::to_owned).into_iter().chain([capacity, "--workers=1".to_owned()]).chain(more).collect()
    })
}

pub(crate) async fn registered(scheduler: &Scheduler, count: usize) -> Registered {
    scheduler.inner.until("a registration", |inner| inner.registered.borrow().len() >= count).await;
    scheduler.inner.registered.borrow()[count - 1].clone()
}

async fn result(job: &job::Client) -> Result<Value, String> {
    let answer = job.result_request().send().promise.await.map_err(|error| error.extra)?;
    Ok(serde_json::from_slice(answer.get().unwrap().get_output().unwrap().as_bytes()).unwrap())
}

/// The part of the log after a place, and the next place.
async fn log(job: &job::Client, start: i64) -> (String, i64) {
    let mut call = job.log_request();
    call.get().set_start(start);
    let answer = call.send().promise.await.unwrap();
    let answer = answer.get().unwrap();
    (String::from_utf8(answer.get_log().unwrap().to_vec()).unwrap(), answer.get_next())
}

fn repository() -> (Repository, String) {
    let repository = Repository::new();
    repository.commit(&COMPILERS);
    let commit = repository.commit(&[("lib.1.0", "depends: \"ocaml\"")]);
    (repository, commit)
}

fn solve(repository: &(Repository, String), root: &str) -> Vec<u8> {
    serde_json::to_vec(&request(&[(&repository.0, &repository.1)], root)).unwrap()
}

#[test]
fn jobs_of_every_kind() {
    let repository = repository();
    let folder = tempfile::tempdir().unwrap();
    local(async {
        let scheduler = Scheduler::start(folder.path()).await;
        let _worker = worker(&scheduler, "solver-1", 3);
        let known = registered(&scheduler, 1).await;
        assert_eq!((known.name.as_str(), known.capacity, known.active.get()), ("solver-1", 3, true));
        let job = scheduler.inner.solve(&solve(&repository, "depends: \"lib\"")).await;
        assert_eq!(own_packages(&result(&job).await.unwrap()), "lib.1.0");
        // The log in pieces, from the start and from the end.
        let (mut text, mut next) = log(&job, 0).await;
        loop {
            let (more, after) = log(&job, next).await;
            if more.is_empty() {
                break;
            }
            text.push_str(&more);
            next = after;
        }
        assert!(text.starts_with("Building on solver-1\n"), "{text}");
        assert!(text.contains("[INFO] five: found solution in 0."), "{text}");
        assert!(text.ends_with("\nJob succeeded\n"), "{text}");
        assert_eq!(log(&job, -14).await.0, "Job succeeded\n");
        // JSON of another shape is an answer, not a failure.
        let job = scheduler.inner.solve(b"{}").await;
        let answer = result(&job).await.unwrap();
        let text = answer[1][1].as_str().unwrap();
        assert_eq!(text, "Bad request: Worker.Solve_request.t.platforms");
        let job = scheduler.inner.give(Work::Docker).await.unwrap();
        let error = result(&job).await.unwrap_err();
        assert!(error.contains("Only custom builds are supported"), "{error}");
        // Our own kind, several in one.
        let at = json!([{ "url": url(&repository.0), "commit": repository.1 }]);
        let one = |root: &str| {
            let problem = json!({ "request": { "roots": [{ "name": root }] } });
            json!({ "solve": { "repositories": at, "problem": problem, "ocaml": "5.0" } })
        };
        let batch = json!({ "batch": [one("lib"), one("unknown"), { "revdeps": { "repositories": at, "packages": ["ocaml"] } }] });
        let job = scheduler.inner.custom("caravan", batch.to_string().as_bytes()).await;
        let answer = result(&job).await.unwrap();
        let [solved, unknown, dependents] = answer["answers"].as_array().unwrap().as_slice() else {
            panic!("{answer}")
        };
        assert_eq!(answer["schema"], "caravan.batch/1");
        let names = |packages: &Value| {
            let names = packages.as_array().unwrap().iter().map(|package| package["name"].as_str().unwrap().to_owned());
            names.collect::<Vec<_>>()
        };
        assert_eq!(names(&solved["answer"]["answers"][0]["packages"]), ["lib", "ocaml", "ocaml-base-compiler"]);
        assert_eq!(unknown["error"], "there is no package `unknown`");
        assert_eq!(names(&dependents["answer"]["packages"]), ["lib"]);
        // A long log comes in pieces of a limited size.
        let job =
            scheduler.inner.custom("caravan", json!({ "batch": vec![one("lib"); 300] }).to_string().as_bytes()).await;
        result(&job).await.unwrap();
        let (text, next) = log(&job, 0).await;
        assert_eq!((text.len(), next), (10_240, 10_240));
    });
}

#[test]
fn metrics_and_updates() {
    let repository = repository();
    let folder = tempfile::tempdir().unwrap();
    local(async {
        let scheduler = Scheduler::start(folder.path()).await;
        let _worker = worker(&scheduler, "solver-1", 2);
        let known = registered(&scheduler, 1).await;
        let job = scheduler.inner.solve(&solve(&repository, "depends: \"lib\"")).await;
        result(&job).await.unwrap();
        let metrics = async |source| {
            let mut call = known.worker.metrics_request();
            call.get().set_source(source);
            let answer = call.send().promise.await.map_err(|error| error.extra)?;
            let answer = answer.get().unwrap();
            let kind = answer.get_content_type().unwrap().to_string().unwrap();
            Ok::<_, String>((kind, answer.get_data().unwrap().to_string().unwrap()))
        };
        let (kind, text) = metrics(MetricsSource::Agent).await.unwrap();
        assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
        for line in [
            "# TYPE ocluster_worker_jobs_accepted_total counter",
            "ocluster_worker_jobs_accepted_total 1",
            "ocluster_worker_running_jobs 0",
            "ocluster_worker_job_time_seconds_count{result=\"ok\"} 1",
            "caravan_worker_restarts_total 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(!text.contains("# EOF"));
        assert!(metrics(MetricsSource::Host).await.is_err());
        // An update does not return; the worker finishes, goes, and comes back.
        let update = known.worker.self_update_request().send().promise;
        let ended = tokio::time::timeout(Duration::from_secs(30), update).await.expect("the connection ends");
        assert!(ended.is_err());
        assert!(!known.active.get(), "it takes nothing while it finishes");
        let again = registered(&scheduler, 2).await;
        assert_eq!(again.name, "solver-1");
        let job = scheduler.inner.solve(&solve(&repository, "depends: \"lib\"")).await;
        assert_eq!(own_packages(&result(&job).await.unwrap()), "lib.1.0");
    });
}

#[test]
fn cancelled_jobs_make_way() {
    let (hard, commit) = puzzle();
    let hard = (hard, commit);
    let folder = tempfile::tempdir().unwrap();
    local(async {
        let scheduler = Scheduler::start(folder.path()).await;
        let _worker = worker(&scheduler, "solver-1", 1);
        registered(&scheduler, 1).await;
        let job = scheduler.inner.solve(&solve(&hard, "depends: \"flock\"")).await;
        assert!(log(&job, 0).await.0.starts_with("Building on solver-1\n"));
        tokio::time::sleep(Duration::from_millis(500)).await;
        // None at capacity.
        assert_eq!(scheduler.inner.popping.get(), 0);
        job.cancel_request().send().promise.await.unwrap();
        assert_eq!(result(&job).await.unwrap(), json!(["Error", ["Cancelled"]]));
        // Letting go is as good.
        let job = scheduler.inner.solve(&solve(&hard, "depends: \"flock\"")).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        drop(job);
        let job = scheduler.inner.solve(&solve(&hard, "depends: \"ocaml\"")).await;
        assert_eq!(own_packages(&result(&job).await.unwrap()), "");
    });
}

#[test]
fn a_long_fetch_pauses_the_queue() {
    let repository = repository();
    let (_silent, url) = crate::http::silent_host();
    let folder = tempfile::tempdir().unwrap();
    local(async {
        let scheduler = Scheduler::start(folder.path()).await;
        let _worker =
            worker_with(&scheduler, "solver-1", 4, &["--allow-scheme=http", "--allow-private", "--fetch-limit=3"]);
        let known = registered(&scheduler, 1).await;
        let mut slow = request(&[(&repository.0, &repository.1)], "depends: \"lib\"");
        slow.opam_repository_commits[0].0 = url;
        let job = scheduler.inner.solve(&serde_json::to_vec(&slow).unwrap()).await;
        scheduler.inner.until("a pause", |_| !known.active.get()).await;
        let answer = result(&job).await.unwrap();
        assert!(answer[1][1].as_str().unwrap().contains("it took longer than 3 s"), "{answer}");
        scheduler.inner.until("the end of the pause", |_| known.active.get()).await;
        let job = scheduler.inner.solve(&solve(&repository, "depends: \"lib\"")).await;
        assert_eq!(own_packages(&result(&job).await.unwrap()), "lib.1.0");
    });
}

#[test]
fn a_worker_that_is_to_end_finishes_first() {
    let repository = repository();
    let (hard, commit) = puzzle();
    let hard = (hard, commit);
    let folder = tempfile::tempdir().unwrap();
    local(async {
        let scheduler = Scheduler::start(folder.path()).await;
        let mut worker = worker(&scheduler, "solver-1", 2);
        let known = registered(&scheduler, 1).await;
        let job = scheduler.inner.solve(&solve(&hard, "depends: \"flock\"")).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        worker.signal(Signal::SIGTERM);
        scheduler.inner.until("a pause", |_| !known.active.get()).await;
        // What comes now is for others; what it has, it finishes.
        let mut waiting = scheduler.inner.give(Work::Custom { kind: "solve".into(), request: solve(&repository, "") });
        job.cancel_request().send().promise.await.unwrap();
        assert_eq!(result(&job).await.unwrap(), json!(["Error", ["Cancelled"]]));
        let status = tokio::task::spawn_blocking(move || worker.wait()).await.unwrap();
        assert!(status.success(), "{status}");
        assert!(waiting.try_recv().is_err(), "nobody took it");
    });
}

#[test]
fn a_scheduler_that_comes_back_is_found_again() {
    let repository = repository();
    let folder = tempfile::tempdir().unwrap();
    local(async {
        let scheduler = Scheduler::start(folder.path()).await;
        let worker = worker(&scheduler, "solver-1", 2);
        registered(&scheduler, 1).await;
        drop(scheduler);
        // Connections end with whatever served them.
        let scheduler = Scheduler::start(folder.path()).await;
        // Before or after it was told that it is registered.
        let noticed = |_: &_| {
            let log = worker.log();
            ["the connection to the scheduler ended", "no connection to the scheduler"]
                .iter()
                .any(|text| log.contains(text))
        };
        scheduler.inner.until("the end of the connection", noticed).await;
        registered(&scheduler, 1).await;
        let job = scheduler.inner.solve(&solve(&repository, "depends: \"lib\"")).await;
        assert_eq!(own_packages(&result(&job).await.unwrap()), "lib.1.0");
        // That a scheduler is started anew is nothing to be warned of, least of all with a library's documentation.
        let log = worker.log();
        assert!(!log.contains("http://") && !log.contains("https://"), "{log}");
        assert!(!log.lines().any(|line| line.contains("WARN") && line.contains("ended")), "{log}");
    });
}

fn write_questions(file: &Path, repository: &(Repository, String), count: usize) {
    let question = |number: usize| {
        let at = json!([{ "url": url(&repository.0), "commit": repository.1 }]);
        // Each one is another question.
        let setting = json!({ "platform": { "os": "linux", "arch": format!("arch-{number}") } });
        let problem = json!({ "setting": setting, "request": { "roots": [{ "name": "lib" }] } });
        json!({ "solve": { "repositories": at, "problem": problem } }).to_string()
    };
    fs_err::write(file, (0..count).map(question).collect::<Vec<_>>().join("\n")).unwrap();
}

#[test]
fn work_for_several_workers_of_which_one_dies() {
    let repository = repository();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("questions");
    write_questions(&file, &repository, 300);
    local(async {
        let scheduler = Scheduler::start(folder.path()).await;
        let (first, second) = (worker(&scheduler, "solver-1", 4), worker(&scheduler, "solver-2", 4));
        registered(&scheduler, 2).await;
        let mut command = caravan(folder.path());
        command.arg("submit").arg(&file).args(["--connect", &scheduler.submission.to_string(), "--batch=3"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let submit = command.spawn().unwrap();
        let output = tokio::task::spawn_blocking(|| submit.wait_with_output().unwrap());
        // In the middle of it, whichever got work first: the other may have done all of it before one was ready.
        let answered = |worker: &Running| worker.log().matches("answered").count();
        let busier = || if answered(&first) > answered(&second) { &first } else { &second };
        scheduler.inner.until("some work", |_| answered(busier()) > 5).await;
        kill(Pid::from_raw(-(busier().child.id() as i32)), Signal::SIGKILL).unwrap();
        let output = output.await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines: Vec<Value> = output
            .stdout
            .split(|byte| *byte == b'\n')
            .filter(|l| !l.is_empty())
            .map(|l| serde_json::from_slice(l).unwrap())
            .collect();
        // A line for each question, however many were put into one job.
        assert_eq!(lines.len(), 300);
        // Nothing is lost, nothing is there twice, and the order is that of the questions.
        for (number, answer) in lines.iter().enumerate() {
            let platform = &answer["answers"][0]["platform"];
            assert_eq!(platform["arch"], format!("arch-{number}"), "{answer}");
        }
    });
}

#[test]
fn questions_without_an_answer_are_seen_in_the_exit_code() {
    let (repository, commit) = repository();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("questions");
    write_questions(&file, &(repository, "0123456789".repeat(4)), 1);
    local(async {
        let scheduler = Scheduler::start(folder.path()).await;
        let _worker = worker(&scheduler, "solver-1", 4);
        registered(&scheduler, 1).await;
        let mut command = caravan(folder.path());
        command.arg("submit").arg(&file).args(["--connect", &scheduler.submission.to_string()]);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let line: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((output.status.code(), &line["schema"]), (Some(1), &json!("caravan.error/1")), "{line} {commit}");
    });
}

/// A question that has no answer costs the others of its batch nothing, and has a line of its own.
#[test]
fn each_question_of_a_batch_has_its_line() {
    let repository = repository();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("questions");
    write_questions(&file, &repository, 5);
    let questions = fs_err::read_to_string(&file).unwrap();
    let at = json!([{ "url": url(&repository.0), "commit": repository.1 }]);
    let unknown =
        json!({ "solve": { "repositories": at, "problem": { "request": { "roots": [{ "name": "lub" }] } } } });
    fs_err::write(&file, format!("{unknown}\n{questions}\n{unknown}\n")).unwrap();
    local(async {
        let scheduler = Scheduler::start(folder.path()).await;
        let _worker = worker(&scheduler, "solver-1", 4);
        registered(&scheduler, 1).await;
        for batch in ["--batch=1", "--batch=3", "--batch=100"] {
            let mut command = caravan(folder.path());
            command.arg("submit").arg(&file).args(["--connect", &scheduler.submission.to_string(), batch]);
            let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
            assert_eq!(output.status.code(), Some(1), "{batch}");
            let text = String::from_utf8(output.stdout).unwrap();
            let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(lines.len(), 7, "{batch}: {text}");
            for (number, line) in lines.iter().enumerate() {
                if number == 0 || number == 6 {
                    assert_eq!(line["schema"], "caravan.error/1", "{batch}");
                    assert_eq!(line["error"], "there is no package `lub`", "{batch}");
                } else {
                    assert_eq!(line["answers"][0]["platform"]["arch"], format!("arch-{}", number - 1), "{batch}");
                }
            }
        }
    });
}
