//! Moves due job rows to Redis Streams.
//!
//! The row in PostgreSQL is the truth; an entry in Redis only says "look at this row now".
//! An entry lost (Redis restarted empty, a crash between commit and XADD) is repeated from the row;
//! an entry repeated is harmless, because a worker claims the row before it works.

use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use fred::prelude::StreamsInterface as _;
use fred::types::streams::{XID, XPendingArgs};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::job::{Queue, QueuedJob};
use crate::worker::GROUP;
use crate::{App, Result};

/// How often due retries are looked for.
const TICK: Duration = Duration::from_millis(250);
/// A dispatched row nobody has claimed after this long is dispatched again.
const REPEAT_AFTER: chrono::Duration = chrono::Duration::seconds(10);
/// With more entries than this waiting in a stream, unclaimed rows are late, not lost.
const BUSY: u64 = 1_000;
const BATCH: i64 = 500;
const SWEEP_EVERY: Duration = Duration::from_secs(15);
/// A worker acknowledges an entry within milliseconds; one it has held this long, it died with.
const ABANDONED_AFTER: Duration = Duration::from_secs(60);

pub(crate) fn stream_key(app: &App, queue: &str) -> String {
    app.redis().key(&format!("jobs:{queue}"))
}

/// Adds entries for rows just committed. A failure is only logged: the relay repeats it.
pub(crate) async fn dispatch(app: &App, jobs: &[QueuedJob]) {
    if let Err(e) = add_entries(app, jobs.iter().map(|job| (job.queue, job.id))).await {
        tracing::warn!(jobs = jobs.len(), "dispatch left to the relay: {e}");
    }
}

/// One round trip, however many.
async fn add_entries(app: &App, jobs: impl Iterator<Item = (&str, Uuid)>) -> Result<(), fred::error::Error> {
    let entries = app.redis().commands().pipeline();
    let mut any = false;
    for (queue, id) in jobs {
        let stream = stream_key(app, queue);
        entries.xadd::<(), _, _, _, _>(stream, false, None::<()>, "*", vec![("id", id.to_string())]).await?;
        any = true;
    }
    if any { entries.all().await } else { Ok(()) }
}

/// Runs until cancelled.
pub async fn run(app: App, stop: CancellationToken) {
    let mut swept = Instant::now();
    while !stop.is_cancelled() {
        if let Err(e) = tick(&app).await {
            tracing::warn!("relay: {e}");
        }
        if swept.elapsed() >= SWEEP_EVERY {
            swept = Instant::now();
            if let Err(e) = sweep(&app).await {
                tracing::warn!("relay: {e}");
            }
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    queue: String,
}

/// One look: takes over abandoned jobs, dispatches what is due, reports queue gauges.
pub(crate) async fn tick(app: &App) -> Result<()> {
    recover_abandoned(app).await?;
    let mut quiet = Vec::new();
    for queue in Queue::ALL {
        let waiting: u64 = app.redis().commands().xlen(stream_key(app, queue.name())).await?;
        metrics::gauge!(crate::metrics::QUEUE_ENTRIES, "queue" => queue.name()).set(waiting as f64);
        if waiting < BUSY {
            quiet.push(queue.name());
        }
    }
    let due = claim_due(app, &quiet).await?;
    add_entries(app, due.iter().map(|due| (due.queue.as_str(), due.id))).await?;
    report_depth(app).await
}

/// Removes entries that a dead worker took along; their rows are dispatched again like any unclaimed
/// one. Left alone they would count as waiting for ever, and a stream that looks busy gets no repeats.
///
/// # Errors
/// When Redis fails.
pub async fn sweep(app: &App) -> Result<()> {
    let redis = app.redis().commands();
    for queue in Queue::ALL {
        let stream = stream_key(app, queue.name());
        let abandoned = XPendingArgs {
            idle: u64::try_from(ABANDONED_AFTER.as_millis()).ok(),
            start: Some(XID::Manual("-".into())),
            end: Some(XID::Manual("+".into())),
            count: Some(1_000),
            consumer: None,
        };
        let pending: Result<Vec<(String, String, u64, u64)>, _> = redis.xpending(&stream, GROUP, abandoned).await;
        let entries: Vec<String> = match pending {
            Ok(pending) => pending.into_iter().map(|(entry, ..)| entry).collect(),
            // No worker has ever read this queue.
            Err(e) if e.details().contains("NOGROUP") => continue,
            Err(e) => return Err(e.into()),
        };
        if !entries.is_empty() {
            tracing::warn!(queue = queue.name(), entries = entries.len(), "entries of dead workers removed");
            forget(app, &stream, entries).await?;
        }
    }
    Ok(())
}

/// Acknowledges and deletes entries that have done their duty.
pub(crate) async fn forget(app: &App, stream: &str, entries: Vec<String>) -> Result<(), fred::error::Error> {
    let done = app.redis().commands().pipeline();
    done.xack::<(), _, _, _>(stream, GROUP, entries.clone()).await?;
    done.xdel::<(), _, _>(stream, entries).await?;
    done.all().await
}

async fn claim_due(app: &App, queues: &[&str]) -> Result<Vec<Due>> {
    let now = app.now();
    let mut conn = app.conn().await?;
    let due = diesel::sql_query(
        "UPDATE core_jobs SET dispatched_at = $1 WHERE id IN ( \
           SELECT id FROM core_jobs WHERE state = 'queued' AND run_at <= $1 AND queue = ANY($4) \
             AND (dispatched_at IS NULL OR dispatched_at < $2) \
           ORDER BY run_at LIMIT $3 FOR UPDATE SKIP LOCKED) RETURNING id, queue",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now - REPEAT_AFTER)
    .bind::<BigInt, _>(BATCH)
    .bind::<Array<Text>, _>(queues)
    .load(&mut conn)
    .await?;
    Ok(due)
}

/// A running job whose worker fell silent goes back to its queue; its attempt is already counted.
async fn recover_abandoned(app: &App) -> Result<()> {
    let now = app.now();
    let mut conn = app.conn().await?;
    let recovered = diesel::sql_query(
        "UPDATE core_jobs SET state = 'queued', run_at = $1, dispatched_at = NULL, lease_until = NULL, \
           last_error = 'the worker stopped without an answer' \
         WHERE state = 'running' AND lease_until < $1",
    )
    .bind::<Timestamptz, _>(now)
    .execute(&mut conn)
    .await?;
    if recovered > 0 {
        tracing::warn!(recovered, "jobs taken back from silent workers");
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Depth {
    #[diesel(sql_type = Text)]
    queue: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = BigInt)]
    jobs: i64,
}

/// Gauges come from the table, and report 0 when drained instead of vanishing.
async fn report_depth(app: &App) -> Result<()> {
    let mut conn = app.conn().await?;
    let rows: Vec<Depth> = diesel::sql_query(
        "SELECT queue, 'queued' AS state, count(*) AS jobs FROM core_jobs WHERE state = 'queued' GROUP BY queue \
         UNION ALL SELECT queue, 'running', count(*) FROM core_jobs WHERE state = 'running' GROUP BY queue \
         UNION ALL SELECT queue, 'dead', count(*) FROM core_jobs WHERE state = 'dead' GROUP BY queue",
    )
    .load(&mut conn)
    .await?;
    for queue in Queue::ALL {
        for state in ["queued", "running", "dead"] {
            let jobs = rows.iter().find(|r| r.queue == queue.name() && r.state == state).map_or(0, |r| r.jobs);
            metrics::gauge!(crate::metrics::JOBS, "queue" => queue.name(), "state" => state).set(jobs as f64);
        }
    }
    Ok(())
}
