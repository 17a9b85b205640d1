//! apalis-redis: push_bulk by 500 with no worker, then drain by batches of 100 with its leases off.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use apalis::prelude::*;
use apalis_redis::{Config, RedisStorage};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

#[derive(Debug, Serialize, Deserialize)]
struct Empty {
    number: usize,
}

#[derive(Clone, Default)]
struct Count {
    ran: Arc<AtomicUsize>,
    all: Arc<Notify>,
    jobs: usize,
}

async fn run(_job: Empty, count: Data<Count>) -> Result<(), BoxDynError> {
    if count.ran.fetch_add(1, Ordering::AcqRel) + 1 == count.jobs {
        count.all.notify_one();
    }
    Ok(())
}

#[tokio::main]
async fn main() {
    let number = |name: &str, default: usize| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    // A backlog of 10,000 stalls its worker for good, so it is measured below that.
    let jobs = number("APALIS_JOBS", 6_000);
    let url = std::env::var("REDIS_URL").expect("REDIS_URL");
    let connection = apalis_redis::connect(url).await.expect("Redis");
    let queue = format!("bench-{}", std::process::id());
    let config = Config::default().queue(&queue).batch_size(100).lock_tasks(false);
    let mut storage = RedisStorage::<Empty, _>::new(connection).with_config(config);
    let begun = Instant::now();
    for first in (0..jobs).step_by(500) {
        let bulk = (first..jobs.min(first + 500)).map(|number| Empty { number }).collect();
        storage.push_bulk(bulk).await.expect("push");
    }
    let enqueue = begun.elapsed();
    let count = Count { jobs, ..Count::default() };
    let begun = Instant::now();
    let worker = WorkerBuilder::new("bench").backend(storage).data(count.clone()).concurrency(100).build(run);
    let worker = tokio::spawn(async move { worker.run().await });
    count.all.notified().await;
    let drain = begun.elapsed();
    worker.abort();
    let rate = |time: Duration| (jobs as f64 / time.as_secs_f64()).round();
    let line = serde_json::json!({ "what": "apalis", "jobs": jobs, "enqueue": rate(enqueue), "drain": rate(drain),
        "total": rate(enqueue + drain) });
    println!("{line}");
}
