//! Claims job rows and runs them, through Redis Streams and one consumer group per queue.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use fred::prelude::{Client, ClientLike as _, StreamsInterface as _};
use fred::types::Value as RedisValue;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::job::{ClaimedJob, Handler, JobError, LEASE, Queue};
use crate::{App, Result, relay};

const GROUP: &str = "workers";
const BLOCK_MS: u64 = 1_000;

/// How many jobs of each queue run at once in this process.
#[derive(Debug, Clone, Copy)]
pub struct Concurrency {
    pub default: usize,
    pub inference: usize,
}

impl Concurrency {
    fn of(self, queue: Queue) -> usize {
        match queue {
            Queue::Default => self.default,
            Queue::Inference => self.inference,
        }
        .max(1)
    }
}

/// Runs relay and workers until cancelled, then lets running jobs finish.
pub async fn run(app: App, concurrency: Concurrency, stop: CancellationToken) {
    let relay = tokio::spawn(relay::run(app.clone(), stop.clone()));
    let running = TaskTracker::new();
    let readers: Vec<_> = Queue::ALL
        .into_iter()
        .map(|queue| {
            let (app, stop, running) = (app.clone(), stop.clone(), running.clone());
            tokio::spawn(async move {
                while !stop.is_cancelled() {
                    if let Err(e) = read_queue(&app, queue, concurrency.of(queue), &stop, &running).await {
                        tracing::warn!(queue = queue.name(), "reader restarts: {e:#}");
                        tokio::time::sleep(Duration::from_millis(500)).await;
                    }
                }
            })
        })
        .collect();
    for reader in readers {
        let _ = reader.await;
    }
    running.close();
    running.wait().await;
    let _ = relay.await;
}

async fn read_queue(
    app: &App,
    queue: Queue,
    slots: usize,
    stop: &CancellationToken,
    running: &TaskTracker,
) -> anyhow::Result<()> {
    let client = app.redis().blocking().await?;
    let stream = relay::stream_key(app, queue.name());
    let consumer = Uuid::now_v7().to_string();
    let slots = Arc::new(Semaphore::new(slots));
    while !stop.is_cancelled() {
        let permit = Arc::clone(&slots).acquire_owned().await?;
        let Some((entry, job)) = next_entry(&client, &stream, &consumer).await? else { continue };
        let claimed = match job {
            Some(id) => claim(app, id).await?,
            None => None,
        };
        // The row is ours from here on (or was never valid), so the entry has done its duty.
        let commands = app.redis().commands();
        commands.xack::<i64, _, _, _>(&stream, GROUP, entry.as_str()).await?;
        commands.xdel::<i64, _, _>(&stream, entry.as_str()).await?;
        if let Some(job) = claimed {
            let app = app.clone();
            running.spawn(async move {
                execute(&app, job).await;
                drop(permit);
            });
        }
    }
    client.quit().await?;
    Ok(())
}

/// Waits for the next entry; creates stream and group when Redis has forgotten them.
async fn next_entry(client: &Client, stream: &str, consumer: &str) -> anyhow::Result<Option<(String, Option<Uuid>)>> {
    let read: Result<RedisValue, _> =
        client.xreadgroup(GROUP, consumer, Some(1), Some(BLOCK_MS), false, stream, ">").await;
    let value = match read {
        Ok(value) => value,
        Err(e) if e.details().contains("NOGROUP") => {
            let _: () = client.xgroup_create(stream, GROUP, "0", true).await?;
            return Ok(None);
        }
        Err(e) => return Err(e.into()),
    };
    if value.is_null() {
        return Ok(None);
    }
    let response = value.into_xread_response::<String, String, String, String>()?;
    let entry = response.into_iter().next().and_then(|(_, mut entries)| entries.pop());
    Ok(entry.map(|(entry, fields)| (entry, fields.get("id").and_then(|id| id.parse().ok()))))
}

async fn claim(app: &App, id: Uuid) -> Result<Option<ClaimedJob>> {
    let now = app.now();
    let mut conn = app.conn().await?;
    let job = diesel::sql_query(
        "UPDATE core_jobs SET state = 'running', attempt = attempt + 1, lease_until = $2 \
         WHERE id = $1 AND state = 'queued' AND run_at <= $3 \
         RETURNING id, name, args, attempt, max_attempts",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(now + LEASE)
    .bind::<Timestamptz, _>(now)
    .get_result(&mut conn)
    .await
    .optional()?;
    Ok(job)
}

/// Runs every due job in order until none is left, in this task and without Redis: for tests,
/// where the order must be the same every time.
///
/// # Errors
/// When the database fails; a failing job is not an error here.
pub async fn drain(app: &App) -> Result<usize> {
    let mut done = 0;
    loop {
        let next: Option<NextJob> = {
            let mut conn = app.conn().await?;
            diesel::sql_query(
                "SELECT id FROM core_jobs WHERE state = 'queued' AND run_at <= $1 ORDER BY run_at, id LIMIT 1",
            )
            .bind::<Timestamptz, _>(app.now())
            .get_result(&mut conn)
            .await
            .optional()?
        };
        let Some(next) = next else { return Ok(done) };
        if let Some(job) = claim(app, next.id).await? {
            execute(app, job).await;
            done += 1;
        }
    }
}

#[derive(QueryableByName)]
struct NextJob {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

async fn execute(app: &App, job: ClaimedJob) {
    let started = Instant::now();
    let outcome = match app.jobs().handler(&job.name) {
        None => Err(JobError::Discard(anyhow::anyhow!("this executable knows no job of that name"))),
        Some(handler) => attempt(app, &job, handler).await,
    };
    let (label, finish) = match outcome {
        Ok(()) => ("done", finish(app, job.id, "done", None, None).await),
        Err(JobError::Retry(e)) if job.attempt < job.max_attempts => {
            tracing::warn!(job.id = %job.id, job.name, job.attempt, "job will be tried again: {e:#}");
            let at = app.now() + backoff(job.attempt);
            ("retry", finish(app, job.id, "queued", Some(format!("{e:#}")), Some(at)).await)
        }
        Err(JobError::Retry(e) | JobError::Discard(e)) => ("dead", give_up(app, &job, &format!("{e:#}")).await),
    };
    if let Err(e) = finish {
        // The lease runs out and another worker repeats the job.
        tracing::error!(job.id = %job.id, job.name, "outcome not saved: {e}");
    }
    metrics::histogram!(crate::metrics::JOB_SECONDS, "job" => known(app, &job.name), "outcome" => label)
        .record(started.elapsed().as_secs_f64());
}

/// Labels come from the registry, never from a row.
fn known(app: &App, name: &str) -> &'static str {
    app.jobs().names().into_iter().find(|n| *n == name).unwrap_or("unknown")
}

async fn give_up(app: &App, job: &ClaimedJob, reason: &str) -> Result<()> {
    tracing::error!(job.id = %job.id, job.name, job.attempt, "job given up: {reason}");
    if let Some(handler) = app.jobs().handler(&job.name) {
        (handler.gave_up)(app.clone(), job.args.clone(), reason.to_owned()).await?;
    }
    finish(app, job.id, "dead", Some(reason.to_owned()), None).await
}

/// One attempt in a task of its own: a panic or a timeout ends the attempt, not the worker.
async fn attempt(app: &App, job: &ClaimedJob, handler: &Handler) -> Result<(), JobError> {
    let mut work = tokio::spawn((handler.run)(app.clone(), job.args.clone()));
    let deadline = tokio::time::sleep(handler.timeout);
    tokio::pin!(deadline);
    let mut heartbeat = tokio::time::interval(LEASE / 3);
    heartbeat.tick().await;
    loop {
        tokio::select! {
            done = &mut work => return done
                .unwrap_or_else(|e| Err(JobError::Retry(anyhow::anyhow!("the job crashed: {e}")))),
            () = &mut deadline => {
                work.abort();
                return Err(JobError::Retry(anyhow::anyhow!("no answer within {:?}", handler.timeout)));
            }
            _ = heartbeat.tick() => {
                if let Err(e) = extend_lease(app, job.id).await {
                    tracing::warn!(job.id = %job.id, "heartbeat: {e}");
                }
            }
        }
    }
}

async fn extend_lease(app: &App, id: Uuid) -> Result<()> {
    let mut conn = app.conn().await?;
    diesel::sql_query("UPDATE core_jobs SET lease_until = $2 WHERE id = $1 AND state = 'running'")
        .bind::<SqlUuid, _>(id)
        .bind::<Timestamptz, _>(app.now() + LEASE)
        .execute(&mut conn)
        .await?;
    Ok(())
}

async fn finish(
    app: &App,
    id: Uuid,
    state: &str,
    error: Option<String>,
    again_at: Option<DateTime<Utc>>,
) -> Result<()> {
    let now = app.now();
    let mut conn = app.conn().await?;
    diesel::sql_query(
        "UPDATE core_jobs SET state = $2, last_error = coalesce($3, last_error), lease_until = NULL, \
           run_at = coalesce($4, run_at), \
           dispatched_at = CASE WHEN $2 = 'queued' THEN NULL ELSE dispatched_at END, \
           finished_at = CASE WHEN $2 = 'queued' THEN NULL ELSE $5 END \
         WHERE id = $1 AND state = 'running'",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(state)
    .bind::<Nullable<Text>, _>(error)
    .bind::<Nullable<Timestamptz>, _>(again_at)
    .bind::<Timestamptz, _>(now)
    .execute(&mut conn)
    .await?;
    Ok(())
}

/// 1, 4, 9, 16 … seconds with up to half as much again at random, so that retries do not march in step.
fn backoff(attempt: i32) -> chrono::Duration {
    let base = i64::from(attempt).pow(2) * 1_000;
    chrono::Duration::milliseconds(base + rand::random_range(0..=base / 2))
}
