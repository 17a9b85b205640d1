//! Measures the configured models through the code production uses.

pub mod images;
pub mod plates;
pub mod pricing;

use std::path::Path;

use keroxio_core::Env;
use keroxio_core::telemetry::Telemetry;

use crate::cli::EvalWhat;
use crate::plugins;

pub async fn run(what: EvalWhat, data: &Path, json: bool, details: bool) -> anyhow::Result<()> {
    let env = Env::from_process();
    let _traces = Telemetry::read(&env).start();
    let report = match what {
        EvalWhat::Plates => plates::run(data, &plugins::plates(&env)?, details).await?,
        EvalWhat::Images => images::run(data, &plugins::images(&env)?, details).await?,
        EvalWhat::Pricing => pricing::run(data, &*plugins::pricing(&env)?).await?,
    };
    if json {
        println!("{report}");
    } else {
        println!("{}", serde_json::to_string_pretty(&report)?);
    }
    Ok(())
}

/// Largest memory of this process so far, in megabytes; only Linux tells.
fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some((kilobytes / 1_024.0).round())
}
