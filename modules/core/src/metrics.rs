//! Names, help texts and buckets of the kernel's metrics, and the exporter.
//!
//! Names and units follow the conventions of Prometheus. Every label has a closed set of values that comes from the code:
//! nothing a client writes becomes a series.

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

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
pub const QUERY_SECONDS: &str = "keroxio_database_query_seconds";
const CONNECTIONS: &str = "keroxio_database_connections";
const WAITS: &str = "keroxio_database_pool_waits_total";
const TIMEOUTS: &str = "keroxio_database_pool_timeouts_total";
const REDIS_SECONDS: &str = "keroxio_redis_command_seconds";
const REDIS_UP: &str = "keroxio_redis_up";
const BUILD: &str = "keroxio_build_info";

/// From a cached read (1 ms) to a slow inference (one minute).
const BUCKETS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];
/// One statement: from a row by its key to the timeout.
const QUERY_BUCKETS: [f64; 10] = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.025, 0.1, 0.5, 2.5, 30.0];
const COST_BUCKETS: [f64; 8] = [1.0, 5.0, 20.0, 50.0, 100.0, 250.0, 500.0, 2_000.0];
/// Probabilities: what matters lies near 1.
const SHARE_BUCKETS: [f64; 9] = [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 1.0];

/// Installs the recorder of this process. Call once.
///
/// # Errors
/// When a recorder is already installed.
pub fn install() -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(QUERY_SECONDS.to_owned()), &QUERY_BUCKETS)?
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
    describe_histogram!(JOB_SECONDS, "Duration of job attempts, by job and outcome.");
    describe_gauge!(JOBS, "Jobs that wait for a worker or were given up, by queue and state.");
    describe_gauge!(OLDEST_JOB, "Age of the oldest job that is due and not begun, by queue; 0 when there is none.");
    describe_counter!(EVENTS, "Facts that were committed, by event.");
    describe_histogram!(INFERENCE_SECONDS, "Duration of one inference, by port and plugin.");
    describe_histogram!(QUERY_SECONDS, "Duration of SQL statements, by outcome (ok, error).");
    describe_gauge!(CONNECTIONS, "Connections to PostgreSQL of this process, by pool and state (used, idle).");
    describe_counter!(WAITS, "Times somebody waited for a connection to PostgreSQL, by pool.");
    describe_counter!(TIMEOUTS, "Times nobody could wait longer for a connection to PostgreSQL, by pool.");
    describe_histogram!(REDIS_SECONDS, "Time until Redis answered; those between two looks count with their mean.");
    describe_gauge!(REDIS_UP, "Whether this process is connected to Redis.");
    describe_gauge!(BUILD, "1, with the version of the program.");
}

/// Times an inference under the name of its port and plugin.
pub fn inference(port: &'static str, plugin: &str, seconds: f64) {
    histogram!(INFERENCE_SECONDS, "port" => port, "plugin" => plugin.to_owned()).record(seconds);
}

/// Looks at what is only known when somebody asks: pools and Redis.
pub fn observe(app: &App) {
    for (name, pool) in app.pools().all() {
        let state = pool.state();
        let used = state.connections.saturating_sub(state.idle_connections);
        gauge!(CONNECTIONS, "pool" => name, "state" => "used").set(used);
        gauge!(CONNECTIONS, "pool" => name, "state" => "idle").set(state.idle_connections);
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
