//! Names, help texts and buckets of the kernel's metrics, and the exporter.
//!
//! Names and units follow the conventions of Prometheus. Every label has a closed set of values that comes from the code:
//! nothing a client writes becomes a series.

use std::time::{Duration, Instant};

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::Instrument as _;

use crate::App;

pub const HTTP_SECONDS: &str = "keroxio_http_request_duration_seconds";
pub const REQUEST_SECONDS: &str = "keroxio_graphql_request_seconds";
pub const FIELD_SECONDS: &str = "keroxio_graphql_root_field_seconds";
pub const FIELD_ERRORS: &str = "keroxio_graphql_root_field_errors_total";
pub const COST: &str = "keroxio_graphql_cost_points";
pub const REFUSALS: &str = "keroxio_refusals_total";
pub const SOCKETS: &str = "keroxio_websocket_connections";
pub const SOCKET_CLOSES: &str = "keroxio_websocket_closes_total";
pub const SUBSCRIPTIONS: &str = "keroxio_graphql_subscriptions";
pub const JOB_SECONDS: &str = "keroxio_job_attempt_seconds";
pub const JOBS: &str = "keroxio_jobs";
pub const OLDEST_JOB: &str = "keroxio_jobs_oldest_age_seconds";
pub const EVENTS: &str = "keroxio_events_total";
pub const INFERENCE_SECONDS: &str = "keroxio_inference_seconds";
const BATCH_SIZE: &str = "keroxio_inference_batch_size";
pub const PREPARATION_SECONDS: &str = "keroxio_listing_preparation_seconds";
pub const QUERY_SECONDS: &str = "keroxio_database_query_seconds";
pub const OUTBOX_LAG: &str = "keroxio_outbox_lag_seconds";
pub const RELAY_LEADING: &str = "keroxio_relay_leading";
pub const RECOVERED: &str = "keroxio_jobs_recovered_total";
const OUTBOUND_SECONDS: &str = "keroxio_outbound_seconds";
const CONNECTIONS: &str = "keroxio_database_connections";
const POOL_LIMIT: &str = "keroxio_database_pool_limit";
const WAITS: &str = "keroxio_database_pool_waits_total";
const TIMEOUTS: &str = "keroxio_database_pool_timeouts_total";
const REDIS_SECONDS: &str = "keroxio_redis_command_seconds";
const REDIS_UP: &str = "keroxio_redis_up";
const BUILD: &str = "keroxio_build_info";

/// From a cached read (1 ms) to a slow inference (one minute).
const BUCKETS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];
/// One statement: from a row by its key to the timeout.
const QUERY_BUCKETS: [f64; 10] = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.025, 0.1, 0.5, 2.5, 30.0];
/// From a photo to an ad: what is promised is a minute.
const PREPARATION_BUCKETS: [f64; 9] = [2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 900.0];
const SIZE_BUCKETS: [f64; 6] = [1.0, 2.0, 5.0, 20.0, 50.0, 200.0];
const COST_BUCKETS: [f64; 8] = [1.0, 5.0, 20.0, 50.0, 100.0, 250.0, 500.0, 2_000.0];
/// Probabilities: what matters lies near 1.
const SHARE_BUCKETS: [f64; 9] = [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 1.0];

/// Services that somebody else runs, and what may come of a call to one.
const SERVICES: [&str; 5] = ["email", "registry", "rewriter", "stripe", "webhook"];
const CALLS: [Call; 3] = [Call::Ok, Call::Refused, Call::Failed];

/// What came of a call to a service outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Ok,
    /// It answered that it will not, and would not if asked again.
    Refused,
    /// No answer, or one that another attempt may better.
    Failed,
}

impl Call {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// Installs the recorder of this process. Call once.
///
/// # Errors
/// When a recorder is already installed.
pub fn install() -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(QUERY_SECONDS.to_owned()), &QUERY_BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(PREPARATION_SECONDS.to_owned()), &PREPARATION_BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(BATCH_SIZE.to_owned()), &SIZE_BUCKETS)?
        .set_buckets_for_metric(Matcher::Suffix("_points".to_owned()), &COST_BUCKETS)?
        .set_buckets_for_metric(Matcher::Suffix("_confidence".to_owned()), &SHARE_BUCKETS)?
        .install_recorder()?;
    describe();
    gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    // Known from the start, so that a rate over them is 0 and not nothing.
    gauge!(SOCKETS).set(0.0);
    gauge!(SUBSCRIPTIONS).set(0.0);
    for by in ["door", "cost"] {
        counter!(REFUSALS, "by" => by).absolute(0);
    }
    for transport in ["http", "websocket"] {
        for outcome in ["ok", "refused", "failed"] {
            let _ = histogram!(REQUEST_SECONDS, "transport" => transport, "outcome" => outcome);
        }
    }
    for outcome in ["ok", "error"] {
        let _ = histogram!(QUERY_SECONDS, "outcome" => outcome);
    }
    for service in SERVICES {
        for call in CALLS {
            let _ = histogram!(OUTBOUND_SECONDS, "service" => service, "outcome" => call.name());
        }
    }
    counter!(RECOVERED).absolute(0);
    gauge!(RELAY_LEADING).set(0.0);
    gauge!(OUTBOX_LAG).set(0.0);
    Ok(handle)
}

fn describe() {
    describe_histogram!(HTTP_SECONDS, "Duration of HTTP requests, by route and class of their status.");
    describe_histogram!(
        REQUEST_SECONDS,
        "Duration of GraphQL requests, by transport and outcome (ok, refused: the client's fault, failed: ours)."
    );
    describe_histogram!(FIELD_SECONDS, "Duration of root fields, by type and field.");
    describe_counter!(FIELD_ERRORS, "Root fields that answered an error, by field and code.");
    describe_histogram!(COST, "Points of the documents that were executed.");
    describe_counter!(REFUSALS, "Requests of those who asked too much, by what refused them (door, cost).");
    describe_gauge!(SOCKETS, "WebSocket connections that are open.");
    describe_counter!(SOCKET_CLOSES, "WebSocket connections that we closed, by code.");
    describe_gauge!(SUBSCRIPTIONS, "GraphQL subscriptions that are open.");
    describe_histogram!(JOB_SECONDS, "Duration of job attempts, by job, queue and outcome.");
    describe_gauge!(
        JOBS,
        "Jobs that wait for a worker, run or were given up, by queue and state; 0 where no relay leads."
    );
    describe_gauge!(OLDEST_JOB, "Age of the oldest job that is due and not begun, by queue; 0 when there is none.");
    describe_gauge!(
        OUTBOX_LAG,
        "Age of the oldest due work that was committed and nobody called up; 0 when there is none."
    );
    describe_gauge!(RELAY_LEADING, "Whether this process leads the relays: exactly one does.");
    describe_counter!(RECOVERED, "Jobs taken back from workers that fell silent.");
    describe_histogram!(
        OUTBOUND_SECONDS,
        "Duration of calls to services outside, by service and outcome (ok, refused: lastingly, failed: may be tried again)."
    );
    describe_gauge!(POOL_LIMIT, "Connections to PostgreSQL that this process may have, by pool.");
    describe_counter!(EVENTS, "Facts that were committed, by event.");
    describe_histogram!(INFERENCE_SECONDS, "Duration of one inference, by port, plugin and outcome (ok, failed).");
    describe_histogram!(BATCH_SIZE, "Inputs of one inference, by port.");
    describe_histogram!(QUERY_SECONDS, "Duration of SQL statements, by outcome (ok, error).");
    describe_gauge!(CONNECTIONS, "Connections to PostgreSQL of this process, by pool and state (used, idle).");
    describe_counter!(WAITS, "Times somebody waited for a connection to PostgreSQL, by pool.");
    describe_counter!(TIMEOUTS, "Times nobody could wait longer for a connection to PostgreSQL, by pool.");
    describe_histogram!(REDIS_SECONDS, "Time until Redis answered; those between two looks count with their mean.");
    describe_gauge!(REDIS_UP, "Whether this process is connected to Redis.");
    describe_gauge!(BUILD, "1, with the version of the program.");
}

/// Times an inference under the name of its port and plugin, and hands its answer on.
pub async fn inference<T, E>(
    port: &'static str,
    plugin: &str,
    work: impl Future<Output = std::result::Result<T, E>>,
) -> std::result::Result<T, E> {
    let begun = Instant::now();
    let answer = work.instrument(tracing::info_span!("inference", port, plugin)).await;
    inferred(port, plugin, answer.is_ok(), begun.elapsed());
    answer
}

/// Notes how many were looked at in one inference.
pub fn batch(port: &'static str, size: usize) {
    histogram!(BATCH_SIZE, "port" => port).record(size as f64);
}

/// Notes an inference that was timed elsewhere.
pub fn inferred(port: &'static str, plugin: &str, is_ok: bool, took: Duration) {
    let outcome = if is_ok { "ok" } else { "failed" };
    histogram!(INFERENCE_SECONDS, "port" => port, "plugin" => plugin.to_owned(), "outcome" => outcome)
        .record(took.as_secs_f64());
}

/// Times a call to a service outside, and hands its answer on. `service` is one of [`SERVICES`].
pub async fn outbound<T>(service: &'static str, call: impl Future<Output = T>, judge: impl FnOnce(&T) -> Call) -> T {
    debug_assert!(SERVICES.contains(&service), "{service} is not known from the start");
    let begun = Instant::now();
    let answer = call.instrument(tracing::info_span!("outbound", service)).await;
    histogram!(OUTBOUND_SECONDS, "service" => service, "outcome" => judge(&answer).name())
        .record(begun.elapsed().as_secs_f64());
    answer
}

/// Makes facts known from the start, so that the first of one is an increase.
pub fn know_events(names: &[&'static str]) {
    for name in names {
        counter!(EVENTS, "event" => *name).absolute(0);
    }
}

/// Looks at what is only known when somebody asks: pools and Redis.
pub fn observe(app: &App) {
    for (name, pool) in app.pools().all() {
        let state = pool.state();
        let used = state.connections.saturating_sub(state.idle_connections);
        gauge!(CONNECTIONS, "pool" => name, "state" => "used").set(used);
        gauge!(CONNECTIONS, "pool" => name, "state" => "idle").set(state.idle_connections);
        gauge!(POOL_LIMIT, "pool" => name).set(app.pools().size);
        counter!(WAITS, "pool" => name).absolute(state.statistics.get_waited);
        counter!(TIMEOUTS, "pool" => name).absolute(state.statistics.get_timed_out);
    }
    let (is_connected, answered, milliseconds) = app.redis().take_latency();
    gauge!(REDIS_UP).set(if is_connected { 1.0 } else { 0.0 });
    if answered > 0 {
        let mean = milliseconds / 1_000.0 / answered as f64;
        histogram!(REDIS_SECONDS).record_many(mean, usize::try_from(answered).unwrap_or(usize::MAX));
    }
}
