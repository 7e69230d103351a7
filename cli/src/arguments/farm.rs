//! The arguments of services and workers.

use super::shared::seconds;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// A kind of URL that can be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scheme {
    Https,
    Http,
    Ssh,
    Git,
    File,
}

/// What all services have.
#[derive(Args)]
#[command(next_help_heading = "Service")]
pub(crate) struct Farm {
    /// How many worker processes; without it, one for each processor
    #[arg(long, visible_alias = "internal-workers", visible_alias = "jobs", value_name = "N", env = "CARAVAN_WORKERS")]
    pub(crate) workers: Option<usize>,
    /// How many requests may wait for a worker
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) queue: usize,
    /// How long a request may wait and be worked at, in seconds; fetching, and the index of a new commit, aside
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = seconds)]
    pub(crate) time_limit: u64,
    /// How much memory of its own a worker may take, in MiB; beyond that it dies, and its request with it
    #[arg(long, value_name = "MIB", default_value_t = 2048)]
    pub(crate) memory_limit: u64,
    /// How much memory a worker's repository states may take, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 128)]
    pub(crate) states: usize,
    /// How much memory answers that are kept may take, in MiB; 0: none is kept
    #[arg(long, value_name = "MIB", default_value_t = 64)]
    pub(crate) remember: usize,
    /// A kind of URL that repositories may be fetched from (https, http, ssh, git, file); may be repeated.
    /// `file` allows local paths
    #[arg(long = "allow-scheme", value_name = "SCHEME", default_values = ["https", "http", "git"], env = "CARAVAN_SCHEMES", value_delimiter = ',', value_enum)]
    pub(crate) schemes: Vec<Scheme>,
    /// Also fetch from a host whose addresses are of this machine or of a private network; without HOST, from all such
    /// hosts. May be repeated
    #[arg(long, value_name = "HOST", num_args = 0..=1, require_equals = true, default_missing_value = "*", env = "CARAVAN_PRIVATE_HOSTS", value_delimiter = ',')]
    pub(crate) allow_private: Vec<String>,
    /// How many different repositories a request may name
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub(crate) max_repositories: usize,
    /// How many fetches there may be at once
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(crate) fetches: usize,
    /// How many fetches may wait for their turn
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub(crate) fetch_queue: usize,
    /// How long a fetch may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "1800", value_parser = seconds)]
    pub(crate) fetch_limit: u64,
    /// How large the clone of a repository may be, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 4096)]
    pub(crate) clone_limit: u64,
    /// Also answer HTTP there: HOST:PORT
    #[arg(long, value_name = "ADDRESS", env = "CARAVAN_HTTP")]
    pub(crate) http: Option<String>,
    /// A file with a bearer token on each line; without it everybody who reaches the HTTP server may ask
    #[arg(long, value_name = "FILE", env = "CARAVAN_TOKENS")]
    pub(crate) token_file: Option<PathBuf>,
    /// How large the body of an HTTP request may be, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 32)]
    pub(crate) max_request: usize,
    /// A name that HTTP requests may be for, beside addresses and `localhost`; may be repeated; `*`: any. Without it a web
    /// page whose name was made to lead here could ask
    #[arg(long = "allow-host", value_name = "NAME", env = "CARAVAN_HOSTS", value_delimiter = ',')]
    pub(crate) hosts: Vec<String>,
    /// How many connections there may be at once; a peer may have three quarters of them
    #[arg(long, value_name = "N", default_value_t = 1024)]
    pub(crate) connections: usize,
    /// How many bytes of requests and answers may be in memory at once, in MiB; a peer may have three quarters of them
    #[arg(long, value_name = "MIB", default_value_t = 256)]
    pub(crate) in_flight: usize,
    /// How long a peer may take to send a request, to read on in its answer, or to ask for anything, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(crate) peer_limit: u64,
    /// How long to wait for requests that are being answered when the service is to end, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "90", value_parser = seconds)]
    pub(crate) drain_limit: u64,
    #[command(flatten)]
    pub(crate) logs: Logs,
}

/// What is written to stderr.
#[derive(Args)]
#[command(next_help_heading = "Logs")]
pub(crate) struct Logs {
    /// How much to say
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(crate) verbosity: Option<Verbosity>,
    /// Say more; may be repeated
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Say nothing but errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Lines for people, or objects for programs
    #[arg(long, value_enum, default_value = "text", env = "CARAVAN_LOG_FORMAT")]
    pub(crate) log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Verbosity {
    Quiet,
    Error,
    Warning,
    /// The same as `warning`
    App,
    Info,
    Debug,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Args)]
pub(crate) struct Serve {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", env = "CARAVAN_LISTEN")]
    pub(crate) listen: String,
    #[command(flatten)]
    pub(crate) farm: Farm,
}

#[derive(Args)]
pub(crate) struct Worker {
    /// How much memory of its own it may take, in bytes; 0: as much as it gets
    #[arg(long, default_value_t = 0)]
    pub(crate) memory_limit: u64,
    /// How much memory repository states may take, in bytes
    #[arg(long, default_value_t = 128 << 20)]
    pub(crate) states: usize,
    /// How many threads to solve on
    #[arg(long, default_value_t = 1)]
    pub(crate) threads: usize,
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct SolverService {
    /// Answer requests on standard input, as the earlier generation did; the argument is a list of
    /// `{"repo": URL, "hash": COMMIT}` in JSON
    #[arg(long, value_name = "JSON", required = true)]
    pub(crate) worker: Option<String>,
    #[command(flatten)]
    pub(crate) farm: Farm,
    #[command(subcommand)]
    pub(crate) command: Option<SolverServiceCommand>,
}

#[derive(Subcommand)]
pub(crate) enum SolverServiceCommand {
    /// Serve clients over Cap'n Proto
    #[command(name = "run-service")]
    Service(Box<RunService>),
    /// Serve one client over standard input, which is a socket
    #[command(name = "run-child")]
    Child(Box<RunChild>),
    /// Take jobs from an OCluster scheduler
    #[command(name = "run-cluster")]
    Cluster(Box<RunCluster>),
}

#[derive(Args)]
pub(crate) struct RunService {
    /// Where to listen: tcp:HOST:PORT or unix:/PATH
    #[arg(long, value_name = "ADDRESS", default_value = "tcp:127.0.0.1:0")]
    pub(crate) capnp_listen_address: String,
    /// The address that clients are told; without it, the one that is listened at
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) capnp_public_address: Option<String>,
    /// The file with the secret key, made if it is not there; empty: a new key that is not kept
    #[arg(long, value_name = "PEM", default_value = "")]
    pub(crate) capnp_secret_key_file: String,
    /// Talk without TLS
    #[arg(long)]
    pub(crate) capnp_disable_tls: bool,
    /// Where to write the capability that clients connect with
    #[arg(long, value_name = "FILE")]
    pub(crate) cap_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) farm: Farm,
}

#[derive(Args)]
pub(crate) struct RunChild {
    #[command(flatten)]
    pub(crate) farm: Farm,
}

#[derive(Args)]
pub(crate) struct RunCluster {
    /// The pool's registration capability: a file, or the URI itself
    #[arg(short, long, value_name = "CAP")]
    pub(crate) connect: String,
    /// What the worker is called
    #[arg(long, value_name = "ID")]
    pub(crate) name: String,
    /// How many jobs to take at once
    #[arg(long, value_name = "N", default_value_t = 15)]
    pub(crate) capacity: u16,
    #[command(flatten)]
    pub(crate) farm: Farm,
}

#[derive(Args)]
pub(crate) struct DocsCiSolver {
    /// The repository whose commits requests name, as a URL or the folder of a clone; as ocaml-docs-ci's own solver,
    /// ./opam-repository if it is there, otherwise https://github.com/ocaml/opam-repository.git
    #[arg(long, value_name = "URL|DIR")]
    pub(crate) repository: Option<String>,
    #[command(flatten)]
    pub(crate) farm: Farm,
}

#[derive(Args)]
pub(crate) struct MirageCiSolver {
    #[command(flatten)]
    pub(crate) farm: Farm,
}

#[derive(Args)]
pub(crate) struct Submit {
    /// Questions in JSON, one on each line; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) questions: PathBuf,
    /// The scheduler's submission capability: a file, or the URI itself
    #[arg(short, long, value_name = "CAP")]
    pub(crate) connect: String,
    /// The pool of workers
    #[arg(long, value_name = "POOL", default_value = "solver")]
    pub(crate) pool: String,
    /// `caravan` for questions of any kind, `solve` for requests of solver-service
    #[arg(long, value_name = "KIND", default_value = "caravan")]
    pub(crate) kind: String,
    /// Before the jobs of others
    #[arg(long)]
    pub(crate) urgent: bool,
    /// How many questions to put into one job
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) batch: usize,
    /// How many jobs to have under way at once
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub(crate) at_once: usize,
    /// How often to send a job that was lost, in all
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) attempts: usize,
    #[command(flatten)]
    pub(crate) logs: Logs,
}
