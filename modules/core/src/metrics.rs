//! Names, help texts and buckets of the kernel's metrics, and the exporter.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

pub const REQUEST_SECONDS: &str = "keroxio_graphql_request_seconds";
pub const FIELD_SECONDS: &str = "keroxio_graphql_root_field_seconds";
pub const FIELD_ERRORS: &str = "keroxio_graphql_root_field_errors_total";
pub const JOB_SECONDS: &str = "keroxio_job_attempt_seconds";
pub const JOBS: &str = "keroxio_jobs";
pub const INFERENCE_SECONDS: &str = "keroxio_inference_seconds";

/// From a cached read (1 ms) to a slow inference (one minute).
const BUCKETS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

/// Installs the recorder of this process. Call once.
///
/// # Errors
/// When a recorder is already installed.
pub fn install() -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)?
        .install_recorder()?;
    describe();
    Ok(handle)
}

fn describe() {
    metrics::describe_histogram!(REQUEST_SECONDS, "Duration of GraphQL requests, by kind and outcome.");
    metrics::describe_histogram!(FIELD_SECONDS, "Duration of root fields, by operation type and field.");
    metrics::describe_counter!(FIELD_ERRORS, "Root fields that answered an error, by field and code.");
    metrics::describe_histogram!(JOB_SECONDS, "Duration of job attempts, by job and outcome.");
    metrics::describe_gauge!(JOBS, "Jobs that wait for a worker or were given up, by queue and state.");
    metrics::describe_histogram!(INFERENCE_SECONDS, "Duration of one inference, by port and plugin.");
}

/// Times an inference under the name of its port and plugin.
pub fn inference(port: &'static str, plugin: &str, seconds: f64) {
    metrics::histogram!(INFERENCE_SECONDS, "port" => port, "plugin" => plugin.to_owned()).record(seconds);
}
