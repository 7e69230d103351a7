//! What is counted, in Prometheus's format. The three `ocluster_worker_…` names are those of OCluster's workers.

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};
use std::sync::atomic::AtomicU64;

/// What a request was, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// The kind of question: `solve`, `impact`, …; `malformed`, if it could not be read.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was done.
    Ok,
    /// It failed.
    Error,
    /// Nobody waited for it any more.
    Cancelled,
    /// There was no room for it.
    Refused,
}

impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        let name = match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
        };
        EncodeLabelValue::encode(&name, encoder)
    }
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
    /// Repositories at a commit that can be opened without making an index.
    pub indexes: Gauge,
    /// Fetches, by how they ended.
    pub fetches: Family<JobLabels, Counter>,
    /// Requests whose answer was kept as a whole.
    pub answers_reused: Counter,
    /// Steps on the way to an answer that were kept, from another commit for instance.
    pub steps_reused: Counter,
    /// Bytes of answers that are kept.
    pub answer_cache_bytes: Gauge,
    /// Connections that are open.
    pub connections: Gauge,
    /// Connections that were refused, because all others were being answered.
    pub connections_refused: Counter,
    /// Bytes of requests and answers that are in memory because of a peer.
    pub bytes_in_flight: Gauge,
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

/// Gives what is counted its name.
struct Registration(Registry);

impl Registration {
    fn add<M: Metric + Clone>(&mut self, name: &str, help: &str, metric: M) -> M {
        self.0.register(name, help, metric.clone());
        metric
    }

    fn counter(&mut self, name: &str, help: &str) -> Counter {
        self.add(name, help, Counter::default())
    }

    fn gauge(&mut self, name: &str, help: &str) -> Gauge {
        self.add(name, help, Gauge::default())
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Nothing counted yet.
    pub fn new() -> Self {
        let mut all = Registration(Registry::default());
        Self {
            requests: all.add("caravan_requests", "Requests, by kind and how they ended", Family::default()),
            request_seconds: all.add("caravan_request_seconds", "How long requests took, waiting included", seconds()),
            solve_seconds: all.add("caravan_solve_seconds", "How long each solve took", seconds()),
            explored: all.counter("caravan_explored_packages", "Package versions that solves looked at"),
            refused: all.counter("caravan_refused", "Requests that were refused because there is no room"),
            queue: all.gauge("caravan_queue", "Requests that wait for a worker"),
            workers: all.gauge("caravan_workers", "Workers that are there"),
            restarts: all.counter("caravan_worker_restarts", "Workers that were started again"),
            indexes: all.gauge("caravan_repository_states", "Repository states with an index"),
            fetches: all.add("caravan_fetches", "Fetches of repositories, by how they ended", Family::default()),
            answers_reused: all.counter("caravan_remembered", "Requests whose answer was known"),
            steps_reused: all.counter("caravan_recalled", "Questions whose solutions were known from another commit"),
            answer_cache_bytes: all.gauge("caravan_memory_bytes", "Bytes of answers that are kept"),
            connections: all.gauge("caravan_connections", "Connections that are open"),
            connections_refused: all.counter("caravan_connections_refused", "Connections for which there was no room"),
            bytes_in_flight: all.gauge("caravan_in_flight_bytes", "Bytes of requests and answers under way"),
            up: all.add("caravan_up_seconds", "How long the service has been running", Seconds::default()),
            jobs_accepted: all.counter("ocluster_worker_jobs_accepted", "Jobs taken from a scheduler"),
            running_jobs: all.gauge("ocluster_worker_running_jobs", "Jobs of a scheduler that are being done"),
            job_seconds: all.add(
                "ocluster_worker_job_time_seconds",
                "How long jobs took",
                Family::new_with_constructor(seconds),
            ),
            registry: all.0,
        }
    }

    /// What is counted, for Prometheus.
    pub fn write(&self, format: Exposition) -> String {
        match format {
            Exposition::OpenMetrics => self.open_metrics(),
            Exposition::Text => self.text(),
        }
    }

    fn open_metrics(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// In the older format a counter's name ends in `_total` everywhere, and nothing is said of units.
    fn text(&self) -> String {
        let open = self.open_metrics();
        let counters: Vec<&str> =
            open.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
        let mut text = String::new();
        for line in open.lines().filter(|line| *line != "# EOF" && !line.starts_with("# UNIT ")) {
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

/// How what is counted is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposition {
    /// Prometheus's text format 0.0.4.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Exposition {
    /// What the header `Accept` asks for: text, unless OpenMetrics is named and nothing that text would do for is wanted
    /// more.
    pub fn wanted(accept: &str) -> Self {
        let weight = |is_wanted: fn(&str) -> bool| {
            let kinds = accept.split(',').filter_map(|part| {
                let mut parts = part.split(';').map(str::trim);
                let kind = parts.next().filter(|kind| is_wanted(&kind.to_ascii_lowercase()))?;
                let weight = parts.find_map(|parameter| parameter.strip_prefix("q=")?.trim().parse::<f32>().ok());
                (!kind.is_empty()).then_some(weight.unwrap_or(1.0))
            });
            kinds.fold(0.0, f32::max)
        };
        let open = weight(|kind| kind == "application/openmetrics-text");
        let text = weight(|kind| kind == "text/plain");
        if open > 0.0 && open >= text { Self::OpenMetrics } else { Self::Text }
    }

    /// The header `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_for_those_who_ask_for_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
            application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (accept, format) in [
            ("", Exposition::Text),
            ("*/*", Exposition::Text),
            ("text/html, */*;q=0.1", Exposition::Text),
            ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", Exposition::Text),
            ("text/plain;q=0.9, application/openmetrics-text;q=0.5", Exposition::Text),
            ("application/openmetrics-text;q=0", Exposition::Text),
            ("Application/OpenMetrics-Text", Exposition::OpenMetrics),
            (prometheus, Exposition::OpenMetrics),
        ] {
            assert_eq!(Exposition::wanted(accept), format, "{accept}");
        }
    }
}
