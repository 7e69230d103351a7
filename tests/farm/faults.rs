//! What goes wrong in the life of a service: workers die, hang and grow; disks are full; it has to end.

use crate::http::{JSON, said};
use crate::running::{Asker, Running, local, own_packages, puzzle, request, until};
use caravan::protocols::solver_service::{OpamText, SolveRequest};
use caravan_tests::git::{COMPILERS, Repository, opam};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

fn repository() -> (Repository, String) {
    let repository = Repository::new();
    repository.commit(&COMPILERS);
    let commit = repository.commit(&[("lib.1.0", "depends: \"ocaml\"")]);
    (repository, commit)
}

/// A question that nobody asked before.
fn another(repository: &(Repository, String), number: usize) -> SolveRequest {
    let mut asked = request(&[(&repository.0, &repository.1)], "depends: \"lib\"");
    asked.platforms[0].1.os_version = number.to_string();
    // The answer says which question it is for.
    asked.platforms[0].0 = number.to_string();
    asked
}

fn message(answer: &Value) -> String {
    assert_eq!((answer[0].as_str(), answer[1][0].as_str()), (Some("Error"), Some("Msg")), "{answer}");
    answer[1][1].as_str().unwrap().to_owned()
}

const DIED: &str = "the worker process died while it was at this request (signal 9)";

/// The descriptors and the memory of its own of a process, in KiB.
pub(crate) fn weight(pid: u32) -> (usize, usize) {
    let descriptors = fs_err::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    let status = fs_err::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    (descriptors, line.split_whitespace().nth(1).unwrap().parse().unwrap())
}

/// The children of a process that ended and that nobody asked about.
fn zombies(pid: u32) -> usize {
    let children = fs_err::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    let state = |child: &str| fs_err::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
    children.split_whitespace().filter(|child| state(child).contains(") Z ")).count()
}

#[test]
fn workers_are_killed_for_a_minute_under_the_load_of_64_clients() {
    let repository = repository();
    let service = Running::service(&["--workers=4", "--remember=1", "--http=127.0.0.1:0", "--quiet"]);
    let pid = service.child.id();
    let over = Arc::new(AtomicBool::new(false));
    let asked = Rc::new(Cell::new(0));
    let (died, solved) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let early = Rc::new(RefCell::new(None));
    let mut killed = 0_usize;
    local(async {
        // The first one makes the clone.
        let first = Asker::new(&service.capability()).await;
        assert_eq!(own_packages(&first.ask(&another(&repository, 0)).await), "lib.1.0");
        asked.set(1);
        let capability = service.capability();
        let client = |number: usize| {
            let (over, asked, died, solved) = (over.clone(), asked.clone(), died.clone(), solved.clone());
            let (capability, repository) = (&capability, &repository);
            async move {
                let asker = Asker::new(capability).await;
                while !over.load(Ordering::Relaxed) {
                    asked.set(asked.get() + 1);
                    let question = asked.get();
                    let answer = asker.ask(&another(repository, question)).await;
                    asker.log.0.borrow_mut().clear();
                    if answer[0] == "Ok" {
                        assert_eq!(own_packages(&answer), "lib.1.0", "client {number}");
                        assert_eq!(answer[1][0]["id"], question.to_string(), "another one's answer");
                        solved.set(solved.get() + 1);
                    } else {
                        assert!(message(&answer).starts_with(DIED), "client {number}: {answer}");
                        died.set(died.get() + 1);
                    }
                }
            }
        };
        let killer = async {
            let began = Instant::now();
            let mut random = 88_172_645_463_325_252_u64;
            while began.elapsed() < Duration::from_secs(60) {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                tokio::time::sleep(Duration::from_millis(random % 300)).await;
                let workers = service.workers();
                if let Some(worker) = workers.get(random as usize % workers.len().max(1)) {
                    killed += usize::from(kill(Pid::from_raw(*worker), Signal::SIGKILL).is_ok());
                }
                if began.elapsed() > Duration::from_secs(10) && early.borrow().is_none() {
                    *early.borrow_mut() = Some(weight(pid));
                }
            }
            over.store(true, Ordering::Relaxed);
        };
        futures::join!(futures::future::join_all((0..64).map(client)), killer);
        assert_eq!(own_packages(&first.ask(&another(&repository, usize::MAX)).await), "lib.1.0");
        asked.set(asked.get() + 1);
    });
    // Every question has exactly one answer, on both sides.
    assert_eq!(solved.get() + died.get() + 2, asked.get());
    assert!(killed > 50 && died.get() > 10 && solved.get() > 2000, "{killed} {died:?} {solved:?}");
    let ((descriptors, memory), (early_descriptors, early_memory)) = (weight(pid), early.borrow().unwrap());
    // Those of the 64 clients are gone.
    assert!(descriptors <= early_descriptors, "{early_descriptors} descriptors became {descriptors}");
    assert!(memory < early_memory + 8 * 1024, "{early_memory} KiB became {memory}");
    until("the end of all dead workers", || (zombies(pid) == 0).then_some(()));
    until("all workers", || (service.workers().len() == 4).then_some(()));
}

#[test]
fn what_was_taken_is_answered_before_the_end() {
    let repository = repository();
    let mut service = Running::service(&["--workers=2"]);
    local(async {
        let capability = service.capability();
        let first = Asker::new(&capability).await;
        first.ask(&another(&repository, 0)).await;
        let signalled = Rc::new(Cell::new(false));
        let next = Rc::new(Cell::new(1));
        let client = |_| {
            let (signalled, next) = (signalled.clone(), next.clone());
            let (capability, repository) = (&capability, &repository);
            async move {
                let asker = Asker::new(capability).await;
                let mut answered = 0;
                loop {
                    next.set(next.get() + 1);
                    let before = !signalled.get();
                    let body = serde_json::to_vec(&another(repository, next.get())).unwrap();
                    match asker.raw(&body).await {
                        Ok(answer) if answer[0] == "Ok" => answered += 1,
                        Ok(answer) => {
                            assert!(message(&answer).starts_with("the service is shutting down"), "{answer}");
                            return answered;
                        }
                        // What was asked after the end began may find nobody.
                        Err(error) => {
                            assert!(!before, "{error}");
                            return answered;
                        }
                    }
                }
            }
        };
        let end = async {
            tokio::time::sleep(Duration::from_millis(1500)).await;
            service.signal(Signal::SIGTERM);
            signalled.set(true);
        };
        let (answered, ()) = futures::join!(futures::future::join_all((0..32).map(client)), end);
        assert!(answered.iter().sum::<usize>() > 100, "{answered:?}");
    });
    let status = service.wait();
    assert!(status.success(), "{status}");
    assert!(!service.path("socket").exists(), "the socket is gone, too");
}

/// Ctrl-C, and what ends a group of processes: the service and its workers get the signal at the same time. Meanwhile
/// workers are killed at random, as above.
#[test]
fn a_signal_to_the_whole_group_loses_nothing_that_was_taken() {
    let repository = repository();
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut service = Running::service(&["--workers=4", "--remember=1", "--quiet"]);
        let group = Pid::from_raw(-(service.child.id() as i32));
        let (solved, died, late) = (Cell::new(0), Cell::new(0), Cell::new(0));
        local(async {
            let capability = service.capability();
            let first = Asker::new(&capability).await;
            first.ask(&another(&repository, 0)).await;
            let (signalled, next) = (Cell::new(false), Cell::new(1));
            let client = async |_| {
                let asker = Asker::new(&capability).await;
                loop {
                    next.set(next.get() + 1);
                    let before = !signalled.get();
                    let body = serde_json::to_vec(&another(&repository, next.get())).unwrap();
                    match asker.raw(&body).await {
                        Ok(answer) if answer[0] == "Ok" => solved.set(solved.get() + 1),
                        Ok(answer) if message(&answer).starts_with(DIED) => died.set(died.get() + 1),
                        Ok(answer) => {
                            assert!(message(&answer).starts_with("the service is shutting down"), "{answer}");
                            return late.set(late.get() + 1);
                        }
                        // What was asked after the end began may find nobody.
                        Err(error) => {
                            assert!(!before, "{signal}: {error}");
                            return late.set(late.get() + 1);
                        }
                    }
                }
            };
            let end = async {
                let began = Instant::now();
                let mut random = 88_172_645_463_325_252_u64;
                while began.elapsed() < Duration::from_secs(4) {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    tokio::time::sleep(Duration::from_millis(random % 300)).await;
                    let workers = service.workers();
                    if let Some(worker) = workers.get(random as usize % workers.len().max(1)) {
                        let _ = kill(Pid::from_raw(*worker), Signal::SIGKILL);
                    }
                }
                kill(group, signal).unwrap();
                signalled.set(true);
            };
            futures::join!(futures::future::join_all((0..64).map(client)), end);
        });
        let status = service.wait();
        assert!(status.success(), "{signal}: {status}");
        assert!(solved.get() > 100 && late.get() == 64, "{solved:?} {died:?} {late:?}");
        assert!(!service.log().contains("panicked"), "{}", service.log());
    }
}

#[test]
fn a_worker_heeds_only_its_service() {
    let (hard, commit) = puzzle();
    let mut service = Running::service(&["--workers=1", "--time-limit=3"]);
    local(async {
        let asker = Asker::new(&service.capability()).await;
        let question = request(&[(&hard, &commit)], "depends: \"flock\"");
        let signals = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let [worker] = service.workers().try_into().unwrap();
            for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGINT] {
                kill(Pid::from_raw(worker), signal).unwrap();
            }
            worker
        };
        let (answer, worker) = futures::join!(asker.ask(&question), signals);
        assert!(message(&answer).contains("limit"), "{answer}");
        assert_eq!(service.workers(), [worker]);
    });
    let workers = service.workers();
    service.signal(Signal::SIGKILL);
    service.wait();
    until("the end of the worker", || {
        let gone =
            |pid: &i32| !fs_err::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
        workers.iter().all(gone).then_some(())
    });
}

#[test]
fn probes_see_the_end_before_it_comes() {
    let (hard, commit) = puzzle();
    let (mut service, address) = Running::serve(&["--workers=1", "--time-limit=4"]);
    let question = request(&[(&hard, &commit)], "depends: \"flock\"");
    let question = serde_json::to_vec(&question).unwrap();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| said(&address, "POST", "/v1/solver-service", &[JSON], &question));
        until("a busy worker", || {
            let status = said(&address, "GET", "/v1/status", &[], b"").json();
            (status["workers"][0]["state"] == "busy" && status["recent"][0]["kind"] == "solver-service").then_some(())
        });
        assert_eq!(said(&address, "GET", "/readyz", &[], b"").status, 200);
        service.signal(Signal::SIGTERM);
        let ready = until("the announcement of the end", || {
            let ready = said(&address, "GET", "/readyz", &[], b"");
            (ready.status == 503).then_some(ready)
        });
        assert_eq!(ready.body, "it is ending\n");
        assert_eq!(said(&address, "GET", "/healthz", &[], b"").status, 200);
        assert!(said(&address, "GET", "/metrics", &[], b"").body.contains("caravan_workers 1"));
        let late = said(&address, "POST", "/v1/solver-service", &[JSON], &question);
        assert_eq!((late.status, &late.json()["kind"]), (503, &"shutting-down".into()));
        let answer = asked.join().unwrap();
        assert!(answer.body.contains("limit"), "{} {}", answer.status, answer.body);
    });
    assert!(service.wait().success());
}

#[test]
fn a_request_that_waits_for_a_fetch_is_not_lost_either() {
    let (_silent, url) = crate::http::silent_host();
    let mut service = Running::service(&["--workers=1", "--allow-scheme=http", "--allow-private", "--fetch-limit=3"]);
    let repository = repository();
    local(async {
        let (asker, other) = (Asker::new(&service.capability()).await, Asker::new(&service.capability()).await);
        let mut slow = another(&repository, 1);
        slow.opam_repository_commits[0].0 = url;
        let end = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            service.signal(Signal::SIGTERM);
            tokio::time::sleep(Duration::from_millis(500)).await;
            // Who comes now is told so.
            let late = message(&other.ask(&another(&repository, 2)).await);
            assert!(late.starts_with("the service is shutting down"), "{late}");
        };
        let (answer, ()) = futures::join!(asker.ask(&slow), end);
        assert!(message(&answer).contains("it took longer than 3 s"), "{answer}");
    });
    assert!(service.wait().success());
}

#[test]
fn a_request_that_takes_too_long_is_ended() {
    let (hard, commit) = puzzle();
    let service = Running::service(&["--workers=1", "--time-limit=1"]);
    local(async {
        let asker = Asker::new(&service.capability()).await;
        let began = Instant::now();
        let answer = asker.ask(&request(&[(&hard, &commit)], "depends: \"flock\"")).await;
        assert!(message(&answer).contains("time limit") || message(&answer).contains("its limit of 1 s"), "{answer}");
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        let easy = asker.ask(&request(&[(&hard, &commit)], "depends: \"ocaml\"")).await;
        assert_eq!(own_packages(&easy), "");
    });
    assert!(!service.log().contains("killed"), "the worker ended it by itself");
}

#[test]
fn a_worker_that_hangs_is_killed_and_its_request_not_tried_again() {
    let (hard, commit) = puzzle();
    let service = Running::service(&["--workers=1", "--time-limit=2"]);
    local(async {
        let asker = Asker::new(&service.capability()).await;
        let question = request(&[(&hard, &commit)], "depends: \"flock\"");
        let hang = async {
            tokio::time::sleep(Duration::from_millis(1000)).await;
            // As one that loops for ever without looking up.
            let [worker] = service.workers().try_into().unwrap();
            kill(Pid::from_raw(worker), Signal::SIGSTOP).unwrap();
            worker
        };
        let began = Instant::now();
        let (answer, worker) = futures::join!(asker.ask(&question), hang);
        assert!(message(&answer).contains("its limit of 2 s"), "{answer}");
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
        let easy = request(&[(&hard, &commit)], "depends: \"ocaml\"");
        assert_eq!(own_packages(&asker.ask(&easy).await), "");
        assert!(!service.workers().contains(&worker));
        let began = Instant::now();
        let again = asker.ask(&question).await;
        assert!(message(&again).contains("so it is not tried again yet"), "{again}");
        assert!(began.elapsed() < Duration::from_secs(1));
    });
}

#[test]
fn a_crash_costs_one_request() {
    let (hard, commit) = puzzle();
    let service = Running::service(&["--workers=2"]);
    local(async {
        let asker = Asker::new(&service.capability()).await;
        let easy = request(&[(&hard, &commit)], "depends: \"ocaml\"");
        asker.ask(&easy).await;
        let question = request(&[(&hard, &commit)], "depends: \"flock\"");
        let crash = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let busy = |pid: &i32| {
                let stat = fs_err::read_to_string(format!("/proc/{pid}/stat")).unwrap();
                stat.split_whitespace().nth(13).unwrap().parse::<u64>().unwrap()
            };
            let worker = service.workers().into_iter().max_by_key(busy).unwrap();
            // As an abort does, after a failed assertion of the allocator for instance.
            kill(Pid::from_raw(worker), Signal::SIGABRT).unwrap();
        };
        let (answer, ()) = futures::join!(asker.ask(&question), crash);
        assert!(message(&answer).contains("died while it was at this request (signal 6"), "{answer}");
        assert_eq!(own_packages(&asker.ask(&easy).await), "");
        let again = message(&asker.ask(&question).await);
        assert!(again.contains("so it is not tried again yet"), "{again}");
    });
    until("another worker", || (service.workers().len() == 2).then_some(()));
}

#[test]
fn a_worker_that_takes_too_much_memory_dies() {
    let repository = repository();
    let service = Running::service(&["--workers=1", "--memory-limit=96"]);
    local(async {
        let asker = Asker::new(&service.capability()).await;
        let small = another(&repository, 1);
        assert_eq!(own_packages(&asker.ask(&small).await), "lib.1.0");
        let mut large = small.clone();
        let pin = |number: usize| {
            (format!("pin-{number}.1"), OpamText(opam(&format!("description: \"{}\"", "x".repeat(2000))).into_bytes()))
        };
        large.pinned_pkgs = (0..25_000).map(pin).collect();
        let answer = asker.ask(&large).await;
        let text = message(&answer);
        assert!(text.contains("died while it was at this request (signal 6"), "{text}");
        assert!(text.contains("memory allocation of"), "{text}");
        assert_eq!(own_packages(&asker.ask(&another(&repository, 2)).await), "lib.1.0");
    });
}

#[test]
fn workers_get_nothing_that_they_do_not_need() {
    let repository = repository();
    let service = Running::service(&["--workers=2", "--capnp-secret-key-file="]);
    local(async {
        let asker = Asker::new(&service.capability()).await;
        asker.ask(&another(&repository, 1)).await;
    });
    let open = |pid: i32| -> BTreeSet<String> {
        let entries = fs_err::read_dir(format!("/proc/{pid}/fd")).unwrap();
        let target = |entry: std::io::Result<fs_err::DirEntry>| std::fs::read_link(entry.unwrap().path()).ok();
        entries.filter_map(target).map(|path| path.display().to_string()).collect()
    };
    let of_the_service = open(service.child.id() as i32);
    for worker in service.workers() {
        let shared: Vec<String> = open(worker).intersection(&of_the_service).cloned().collect();
        // Its socket's other end has another number; what it writes goes through a pipe of its own.
        let expected =
            |path: &String| path == "/dev/null" || path.starts_with("pipe:") || path.starts_with("anon_inode:");
        assert!(shared.iter().all(expected), "{shared:?}");
        let environment = fs_err::read_to_string(format!("/proc/{worker}/environ")).unwrap();
        assert_eq!(environment, "MIMALLOC_ARENA_EAGER_COMMIT=0\0");
        let limits = fs_err::read_to_string(format!("/proc/{worker}/limits")).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    }
    // They go with the service, however it goes.
    let workers = service.workers();
    kill(Pid::from_raw(service.child.id() as i32), Signal::SIGKILL).unwrap();
    until("the end of the workers", || {
        let gone =
            |pid: &i32| !fs_err::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
        workers.iter().all(gone).then_some(())
    });
}

#[test]
fn too_many_requests_are_refused_and_clients_take_turns() {
    let (hard, commit) = puzzle();
    let service = Running::service(&["--workers=1", "--queue=8", "--capnp-listen-address=tcp:127.0.0.1:0"]);
    local(async {
        let capability = service.capability();
        let (greedy, modest) = (Asker::new(&capability).await, Asker::new(&capability).await);
        let easy = |number: usize| {
            let mut asked = request(&[(&hard, &commit)], "depends: \"ocaml\"");
            asked.platforms[0].1.os_version = number.to_string();
            asked
        };
        greedy.ask(&easy(0)).await;
        // The worker is at something, and the greedy client asks on and on.
        let flock = serde_json::to_vec(&request(&[(&hard, &commit)], "depends: \"flock\"")).unwrap();
        let blocking = tokio::time::timeout(Duration::from_secs(2), greedy.raw(&flock));
        let order = RefCell::new(Vec::new());
        let many = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let one = async |number: usize| {
                let answer = greedy.ask(&easy(number)).await;
                order.borrow_mut().push(format!("greedy {}", answer[0].as_str().unwrap()));
                answer
            };
            futures::future::join_all((1..=12).map(one)).await
        };
        let single = async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            let answer = modest.ask(&easy(100)).await;
            order.borrow_mut().push("modest".to_owned());
            answer
        };
        let (_, answers, answer) = futures::join!(blocking, many, single);
        assert_eq!(own_packages(&answer), "");
        let refused: Vec<String> = answers.iter().filter(|answer| answer[0] == "Error").map(message).collect();
        // Three quarters of the room are one client's share.
        assert_eq!(refused.len(), 6);
        assert!(refused.iter().all(|text| text.starts_with("busy: ")), "{refused:?}");
        let order = order.borrow();
        let place = order.iter().filter(|who| *who != "greedy Error").position(|who| who == "modest").unwrap();
        assert!(place <= 1, "the modest client's turn comes second: {order:?}");
    });
}

#[test]
fn a_full_disk_costs_speed_or_a_clear_error() {
    let repository = repository();
    let folder = tempfile::tempdir().unwrap();
    // A file system of its own, with room for the clone but not for an index.
    let command = format!(
        "mount -t tmpfs -o size=600k tmpfs {0} && head -c 200k /dev/zero > {0}/ballast; exec \"$@\"",
        folder.path().display()
    );
    let service = Running::inside(
        &["unshare", "--mount", "--map-root-user", "sh", "-c", &command, "sh"],
        folder.path(),
        &["solver-service", "run-service", "--allow-scheme=file", "--workers=1"],
    );
    let Some(service) = service else { return };
    local(async {
        let asker = Asker::new(&service.capability()).await;
        // Clones that are too large fail clearly.
        let noise = Repository::new();
        let body = format!(
            "description: \"{}\"",
            (0..40_000).map(|n| char::from(b'a' + (n * n % 26) as u8)).collect::<String>()
        );
        let packages: Vec<String> = (0..60).map(|number| format!("noise-{number}.1")).collect();
        let bodies: Vec<String> =
            (0..60).map(|number| body.replace('q', &format!("{:x}", number * 7_654_321))).collect();
        let packages: Vec<(&str, &str)> =
            packages.iter().map(String::as_str).zip(bodies.iter().map(String::as_str)).collect();
        let commit = noise.commit(&packages);
        let text = message(&asker.ask(&request(&[(&noise, &commit)], "depends: \"noise-1\"")).await);
        assert!(text.contains("cloning ") && text.contains("failed: "), "{text}");
        // Others are answered.
        assert_eq!(own_packages(&asker.ask(&another(&repository, 1)).await), "lib.1.0");
        // A commit that is in the clone, but has no index yet, when there is no room at all.
        let earlier = repository.0.git(&["rev-parse", "HEAD~1"]);
        // What is mounted there only the service and its workers see.
        let inside = format!("/proc/{}/root{}/more-ballast", service.child.id(), folder.path().display());
        assert!(fs_err::write(&inside, vec![0_u8; 1 << 20]).is_err(), "the disk is full");
        let mut early = another(&repository, 2);
        early.opam_repository_commits[0].1 = earlier;
        early.root_pkgs[0].1 = OpamText(opam("depends: \"ocaml\"").into_bytes());
        assert_eq!(own_packages(&asker.ask(&early).await), "");
        let warned = "cannot write to the cache directory";
        assert!(service.log().contains(warned), "{}", service.log());
    });
}
