//! Durable jobs against two floors of our own, same PostgreSQL, same Redis, interleaved runs.
//!
//! Prints one JSON line per measurement; `api/dev/bench-jobs.sh` runs the peers beside it and compares.
//! Needs `DATABASE_URL` and `REDIS_URL` of servers that hold nothing of value.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod floor;
mod ours;

use std::time::Duration;

use serde_json::json;

/// Jobs written in one transaction, read in one go.
pub const GROUP: usize = 100;

#[tokio::main]
async fn main() {
    // `cargo test` builds and starts benches too; without servers there is nothing to measure.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let number = |name: &str, default: usize| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    let (jobs, rounds, lone) = (number("JOBS", 10_000), number("ROUNDS", 1), number("LONE", 200));
    let mut ours = ours::Ours::start().await;
    let mut floor = floor::Floor::start().await;
    for _ in 0..rounds {
        let (enqueue, drain) = floor.streams(jobs).await;
        report("floor_streams", jobs, enqueue, drain);
        let (enqueue, drain) = floor.outbox(jobs).await;
        report("floor_outbox", jobs, enqueue, drain);
        let (enqueue, drain) = ours.throughput(jobs).await;
        report("keroxio", jobs, enqueue, drain);
        if lone == 0 {
            continue;
        }
        let mut starts = ours.lone(lone).await;
        starts.sort();
        let at = |share: f64| starts[((starts.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
        println!("{}", json!({ "what": "keroxio", "lone_start_p50_ms": at(0.5), "lone_start_p99_ms": at(0.99) }));
    }
}

/// Memory of this process, in mebibytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn report(what: &str, jobs: usize, enqueue: Duration, drain: Duration) {
    let rate = |time: Duration| (jobs as f64 / time.as_secs_f64()).round();
    let total = rate(enqueue + drain);
    println!(
        "{}",
        json!({ "what": what, "jobs": jobs, "enqueue": rate(enqueue), "drain": rate(drain), "total": total,
            "rss_mib": resident() })
    );
}
