//! Figures of the services, from outside: requests of sixteen platforms each, like those of solver-service's stress
//! test, over Cap'n Proto and HTTP, with results remembered and not: `cargo run --profile dist -p caravan-benches --bin farm`. Exits with 1 if a
//! figure is missed.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "it prints figures, and a failure ends it")]

use caravan::protocols::solver_service::{OpamText, SolveRequest, Vars};
use caravan_farm::generated::solver_capnp::{log, solver};
use caravan_farm::vat::{Identity, SturdyRef, connect};
use caravan_tests::{shared_repository, workspace};
use opam_parser::source::Source;
use opam_parser::source::git::GitSource;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Projects whose opam files are asked about, as if they were being worked on.
const PROJECTS: [&str; 41] = [
    "alcotest",
    "angstrom",
    "bos",
    "cmdliner",
    "cohttp",
    "cstruct",
    "decompress",
    "digestif",
    "domain-name",
    "dune",
    "eio",
    "ezjsonm",
    "faraday",
    "fmt",
    "fpath",
    "git",
    "graphql",
    "httpaf",
    "index",
    "ipaddr",
    "irmin",
    "jsonm",
    "logs",
    "lwt",
    "mdx",
    "menhir",
    "merlin",
    "mirage-crypto",
    "ocaml-lsp-server",
    "ocamlformat",
    "ocurrent",
    "odoc",
    "ppxlib",
    "ptime",
    "re",
    "repr",
    "tls",
    "uri",
    "utop",
    "x509",
    "yojson",
];
/// How long each measurement takes.
const SPAN: Duration = Duration::from_secs(10);
/// How many clients ask at once.
const CLIENTS: usize = 8;

fn vars(os: &str, ocaml: &str) -> Vars {
    let (family, distribution, version) =
        if os == "linux" { ("debian", "debian", "12") } else { ("windows", "cygwin", "10") };
    let text = |text: &str| text.to_owned();
    Vars {
        arch: text("x86_64"),
        os: text(os),
        os_family: text(family),
        os_distribution: text(distribution),
        os_version: text(version),
        ocaml_package: text("ocaml-base-compiler"),
        ocaml_version: text(ocaml),
        opam_version: text("2.1.3"),
        lower_bound: false,
    }
}

/// The sixteen platforms of the stress test.
fn platforms() -> Vec<(String, Vars)> {
    let old = [
        "4.01.0", "4.02.3", "4.03.0", "4.04.2", "4.05.0", "4.06.1", "4.07.1", "4.08.1", "4.09.1", "4.10.2", "4.11.2",
        "4.12.1", "4.13.1", "4.14.2",
    ];
    let mut platforms: Vec<(String, Vars)> =
        old.iter().map(|ocaml| (format!("linux-{ocaml}"), vars("linux", ocaml))).collect();
    platforms.push(("linux-5.0".to_owned(), vars("linux", "5.0.0")));
    platforms.push(("windows".to_owned(), vars("win32", "5.0.0")));
    platforms
}

/// Sixteen platforms of today, on nearly all of which everything can be installed.
fn platforms_of_today() -> Vec<(String, Vars)> {
    let distributions = [
        ("debian", "debian", "13"),
        ("debian", "ubuntu", "24.04"),
        ("alpine", "alpine", "3.22"),
        ("fedora", "fedora", "42"),
    ];
    let mut platforms = Vec::new();
    for (family, distribution, version) in distributions {
        for ocaml in ["4.14.2", "5.2.1", "5.3.0", "5.4.1"] {
            let vars = Vars {
                os_family: family.to_owned(),
                os_distribution: distribution.to_owned(),
                os_version: version.to_owned(),
                ..vars("linux", ocaml)
            };
            platforms.push((format!("{distribution}-{ocaml}"), vars));
        }
    }
    platforms
}

/// A request for each project that the repository has.
fn requests(repository: &Path, commit: &str, platforms: &[(String, Vars)]) -> Vec<Vec<u8>> {
    let source = GitSource::open(repository, commit).unwrap();
    let index = caravan_tests::index_of(&source);
    let one = |name: &&str| {
        let package = index.package_range(index.find_name(name)?).last()?;
        let text = source.fetch(&index.file(index.package_file(package)).path).ok()?;
        let request = SolveRequest {
            opam_repository_commits: vec![(repository.display().to_string(), commit.to_owned())],
            root_pkgs: vec![(format!("{name}.dev"), OpamText(text))],
            pinned_pkgs: vec![],
            platforms: platforms.to_vec(),
        };
        serde_json::to_vec(&request).ok()
    };
    PROJECTS.iter().filter_map(one).collect()
}

/// A service that ends with this.
struct Running {
    child: Child,
    home: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    fn new(program: &Path, more: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = |part: &str| home.path().join(part).display().to_string();
        let child = Command::new(program)
            .args(["solver-service", "run-service", "--allow-scheme=file", "--http=127.0.0.1:0", "--queue=10000"])
            .arg(format!("--capnp-listen-address=unix:{}", path("socket")))
            .args([format!("--cap-file={}", path("cap")), format!("--cache-dir={}", path("cache"))])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(home.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let running = Self { child, home };
        while !running.home.path().join("cap").exists() {
            std::thread::sleep(Duration::from_millis(10));
        }
        running
    }

    fn capability(&self) -> SturdyRef {
        SturdyRef::load(&self.home.path().join("cap").display().to_string()).unwrap()
    }

    fn http(&self) -> String {
        let log = std::fs::read_to_string(self.home.path().join("log")).unwrap();
        let rest = log.split("answering HTTP at http://").nth(1).unwrap();
        rest[..rest.find(|c: char| !c.is_ascii_digit() && !".:".contains(c)).unwrap()].to_owned()
    }

    /// The service and its workers.
    fn processes(&self) -> Vec<u32> {
        let pid = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        std::iter::once(pid).chain(children.split_whitespace().map(|child| child.parse().unwrap())).collect()
    }

    /// What they take in all, in MiB: memory of their own and their shares of what they share; and what the system
    /// counts for each of them.
    fn memory(&self) -> (f64, f64) {
        let field = |pid: &u32, name: &str| {
            let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
            let line = text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
            line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
        };
        let processes = self.processes();
        let sum = |name: &str| processes.iter().map(|pid| field(pid, name)).sum();
        (sum("Pss:"), sum("Rss:"))
    }
}

/// What a measurement saw.
struct Seen {
    requests: usize,
    selections: usize,
    seconds: f64,
    times: Vec<f64>,
}

impl Seen {
    fn show(mut self, what: &str) -> f64 {
        self.times.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| self.times[((self.times.len() - 1) as f64 * share) as usize] * 1000.0;
        let solves = (self.requests * 16) as f64 / self.seconds;
        println!(
            "{what:<34} {solves:>8.0} solves/s  {:>6.0} requests/s  p50 {:>7.1} ms  p99 {:>7.1} ms  ({} requests, {} selections)",
            self.requests as f64 / self.seconds,
            at(0.5),
            at(0.99),
            self.requests,
            self.selections,
        );
        solves
    }
}

struct Quiet;

impl log::Server for Quiet {}

/// Asks over Cap'n Proto, with a log as clients have it.
fn over_capnp(service: &Running, requests: &[Vec<u8>]) -> Seen {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let seen = RefCell::new(Seen { requests: 0, selections: 0, seconds: 0.0, times: vec![] });
    let began = Instant::now();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let capability = service.capability();
        let client = async |number: usize| {
            let identity = Identity::ephemeral().unwrap();
            let connected = connect::<solver::Client>(&capability, &identity).await.unwrap();
            for request in requests.iter().cycle().skip(number * requests.len() / CLIENTS) {
                if began.elapsed() > SPAN {
                    break;
                }
                let asked = Instant::now();
                let mut call = connected.service.solve_request();
                call.get().set_request(capnp::text::Reader(request));
                call.get().set_log(capnp_rpc::new_client(Quiet));
                let answer = call.send().promise.await.unwrap();
                let text = answer.get().unwrap().get_response().unwrap().as_bytes();
                let mut seen = seen.borrow_mut();
                seen.times.push(asked.elapsed().as_secs_f64());
                seen.requests += 1;
                seen.selections += selections(text);
            }
        };
        futures::future::join_all((0..CLIENTS).map(client)).await;
    });
    Seen { seconds: began.elapsed().as_secs_f64(), ..seen.into_inner() }
}

/// Asks over HTTP, on connections that are kept.
fn over_http(service: &Running, requests: &[Vec<u8>]) -> Seen {
    let address = service.http();
    let began = Instant::now();
    let client = |number: usize| {
        let agent = ureq::Agent::new_with_defaults();
        let mut seen = Seen { requests: 0, selections: 0, seconds: 0.0, times: vec![] };
        for request in requests.iter().cycle().skip(number * requests.len() / CLIENTS) {
            if began.elapsed() > SPAN {
                break;
            }
            let asked = Instant::now();
            let call =
                agent.post(format!("http://{address}/v1/solver-service")).header("content-type", "application/json");
            let text = call.send(request.as_slice()).unwrap().body_mut().read_to_vec().unwrap();
            seen.times.push(asked.elapsed().as_secs_f64());
            seen.requests += 1;
            seen.selections += selections(&text);
        }
        seen
    };
    let mut all = Seen { requests: 0, selections: 0, seconds: 0.0, times: vec![] };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|number| scope.spawn(move || client(number))).collect();
        for seen in clients.into_iter().map(|client| client.join().unwrap()) {
            all.requests += seen.requests;
            all.selections += seen.selections;
            all.times.extend(seen.times);
        }
    });
    Seen { seconds: began.elapsed().as_secs_f64(), ..all }
}

/// How many platforms have a selection. Only a good answer counts.
fn selections(answer: &[u8]) -> usize {
    assert!(answer.starts_with(b"[\"Ok\","), "{}", String::from_utf8_lossy(answer));
    memchr::memmem::find_iter(answer, b"\"compat_pkgs\":").count()
}

fn program() -> PathBuf {
    let built = Command::new("cargo")
        .args(["build", "--profile", "dist", "--quiet", "-p", "caravan-cli", "--features", "full"])
        .status()
        .unwrap();
    assert!(built.success());
    workspace().join("target/dist/caravan")
}

fn main() -> ExitCode {
    let repository = shared_repository("opam-repository.bundle");
    let program = program();
    let head = GitSource::open(&repository, "HEAD").unwrap().commit();
    let today = requests(&repository, &head, &platforms_of_today());
    let requests = requests(&repository, &head, &platforms());
    println!(
        "{} projects, 16 platforms each, {CLIENTS} clients; solver-service publishes 8.95 solves/s\n",
        requests.len()
    );
    let service = Running::new(&program, &["--workers=2", "--remember=0"]);
    // Clones, makes the index and follows the history once.
    let began = Instant::now();
    over_capnp(&service, &requests).show("the first requests");
    println!("{:34} ({:.1} s with the clone and the first look at everything)", "", began.elapsed().as_secs_f64());
    let capnp = over_capnp(&service, &requests).show("Cap'n Proto, not remembered");
    let http = over_http(&service, &requests).show("HTTP, not remembered");
    println!("sixteen platforms of today, most of which have a selection:");
    over_capnp(&service, &today);
    let today_capnp = over_capnp(&service, &today).show("Cap'n Proto, not remembered");
    let today_http = over_http(&service, &today).show("HTTP, not remembered");
    drop(service);
    println!("the first sixteen again:");
    let service = Running::new(&program, &["--workers=2"]);
    over_capnp(&service, &requests);
    over_capnp(&service, &requests).show("Cap'n Proto, remembered");
    over_http(&service, &requests).show("HTTP, remembered");
    drop(service);
    let service = Running::new(&program, &["--workers=4", "--remember=0"]);
    over_capnp(&service, &requests);
    let (pss, rss) = service.memory();
    let slowest = [capnp, http, today_capnp, today_http].into_iter().fold(f64::INFINITY, f64::min);
    println!("\nlimit 2000 solves/s not remembered; the slowest of the four: {slowest:.0}");
    println!(
        "memory of the service and 4 workers, limit 300 MiB: {pss:.0} MiB (resident, shared pages counted again for each: {rss:.0} MiB)"
    );
    assert_eq!(service.processes().len(), 5);
    if slowest >= 2000.0 && pss <= 300.0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
