//! How well each model version does in production.

use serde_json::Value;

pub const READINGS: &str = "keroxio_plate_readings_total";
const CONFIDENCE: &str = "keroxio_plate_confidence";
pub const CORRECTIONS: &str = "keroxio_plate_corrections_total";

pub fn describe() {
    metrics::describe_counter!(
        READINGS,
        "Photos whose plates were looked for, by model and outcome (accepted, asked, none)."
    );
    metrics::describe_histogram!(CONFIDENCE, "Probability that a plate was read right, as its model says, by model.");
    metrics::describe_counter!(
        CORRECTIONS,
        "Readings that sellers looked at, by model and verdict (confirmed, changed)."
    );
}

/// Name and version of whoever read: a closed set, that of the configured readers.
fn model(manifest: Option<&Value>) -> String {
    let field = |name: &str| manifest.and_then(|m| m.get(name)).and_then(Value::as_str).unwrap_or("unknown").to_owned();
    format!("{}@{}", field("id"), field("version"))
}

pub fn read(manifest: Option<&Value>, outcome: &'static str, confidence: Option<f64>) {
    if let Some(confidence) = confidence {
        metrics::histogram!(CONFIDENCE, "model" => model(manifest)).record(confidence);
    }
    metrics::counter!(READINGS, "model" => model(manifest), "outcome" => outcome).increment(1);
}

pub fn corrected(manifest: Option<&Value>, changed: bool) {
    let verdict = if changed { "changed" } else { "confirmed" };
    metrics::counter!(CORRECTIONS, "model" => model(manifest), "verdict" => verdict).increment(1);
}
