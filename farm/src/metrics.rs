//! What is counted, in Prometheus's format. The three `ocluster_worker_…` names are those of OCluster's workers.

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

/// Which door a request came through, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// `solve`, `impact`, …
    pub kind: &'static str,
    /// How it ended.
    pub result: Outcome,
}

/// How a job of OCluster ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct JobLabels {
    /// `ok`, `error` or `cancelled`
    pub result: Outcome,
}

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(missing_docs)]
pub enum Outcome {
    #[allow(non_camel_case_types)]
    ok,
    #[allow(non_camel_case_types)]
    error,
    #[allow(non_camel_case_types)]
    cancelled,
    #[allow(non_camel_case_types)]
    refused,
}

type Seconds = Gauge<f64, AtomicU64>;

/// Everything that is counted.
pub struct Metrics {
    registry: Registry,
    /// Requests, by kind and how they ended.
    pub requests: Family<RequestLabels, Counter>,
    /// How long requests took, waiting included.
    pub request_seconds: Histogram,
    /// How long each solve took.
    pub solve_seconds: Histogram,
    /// Package versions that solves looked at.
    pub explored: Counter,
    /// Requests that were refused because there is no room.
    pub refused: Counter,
    /// Jobs that wait.
    pub queue: Gauge,
    /// Workers that are there.
    pub workers: Gauge,
    /// Workers that were started again.
    pub restarts: Counter,
    /// Repository states that can be opened without making an index.
    pub states: Gauge,
    /// Fetches, by how they ended.
    pub fetches: Family<JobLabels, Counter>,
    /// Requests whose answer was known as a whole.
    pub remembered: Counter,
    /// Questions whose solutions were known from another commit.
    pub recalled: Counter,
    /// Bytes of answers that are kept.
    pub memory_bytes: Gauge,
    /// Seconds since the service began.
    pub up: Seconds,
    /// Jobs taken from a scheduler.
    pub jobs_accepted: Counter,
    /// Jobs of a scheduler that are being done.
    pub running_jobs: Gauge,
    /// How long they took.
    pub job_seconds: Family<JobLabels, Histogram>,
}

/// From a tenth of a millisecond to two minutes.
fn seconds() -> Histogram {
    Histogram::new([0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 120.0])
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Nothing counted yet.
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let requests = Family::default();
        registry.register("caravan_requests", "Requests, by kind and how they ended", requests.clone());
        let request_seconds = seconds();
        registry.register(
            "caravan_request_seconds",
            "How long requests took, waiting included",
            request_seconds.clone(),
        );
        let solve_seconds = seconds();
        registry.register("caravan_solve_seconds", "How long each solve took", solve_seconds.clone());
        let job_seconds: Family<JobLabels, Histogram> = Family::new_with_constructor(seconds);
        registry.register("ocluster_worker_job_time_seconds", "How long jobs took", job_seconds.clone());
        let fetches = Family::default();
        registry.register("caravan_fetches", "Fetches of repositories, by how they ended", fetches.clone());
        let up = Seconds::default();
        registry.register("caravan_up_seconds", "How long the service has been running", up.clone());
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let explored = counter("caravan_explored_packages", "Package versions that solves looked at");
        let refused = counter("caravan_refused", "Requests that were refused because there is no room");
        let restarts = counter("caravan_worker_restarts", "Workers that were started again");
        let remembered = counter("caravan_remembered", "Requests whose answer was known");
        let recalled = counter("caravan_recalled", "Questions whose solutions were known from another commit");
        let jobs_accepted = counter("ocluster_worker_jobs_accepted", "Jobs taken from a scheduler");
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let queue = gauge("caravan_queue", "Requests that wait for a worker");
        let workers = gauge("caravan_workers", "Workers that are there");
        let states = gauge("caravan_repository_states", "Repository states with an index");
        let memory_bytes = gauge("caravan_memory_bytes", "Bytes of answers that are kept");
        let running_jobs = gauge("ocluster_worker_running_jobs", "Jobs of a scheduler that are being done");
        Self {
            registry,
            requests,
            request_seconds,
            solve_seconds,
            explored,
            refused,
            queue,
            workers,
            restarts,
            states,
            fetches,
            remembered,
            recalled,
            memory_bytes,
            up,
            jobs_accepted,
            running_jobs,
            job_seconds,
        }
    }

    /// The text for Prometheus, in the OpenMetrics format.
    pub fn open_metrics(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// The text in Prometheus's older format (0.0.4), in which a counter's name ends in `_total` everywhere.
    pub fn text(&self) -> String {
        let open = self.open_metrics();
        let counters: Vec<&str> =
            open.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
        let mut text = String::new();
        for line in open.lines().filter(|line| *line != "# EOF") {
            let mut words = line.splitn(4, ' ');
            let head = (words.next(), words.next(), words.next(), words.next());
            match head {
                (Some("#"), Some(what), Some(name), Some(rest)) if counters.contains(&name) => {
                    text.push_str(&format!("# {what} {name}_total {rest}\n"));
                }
                _ => {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
        text
    }
}
