//! Claims job rows and runs them, through Redis Streams and one consumer group per queue.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::{Integer, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use fred::prelude::{Client, ClientLike as _, StreamsInterface as _};
use fred::types::Value as RedisValue;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::finish::{self, Finisher, Outcome, Verdict};
use crate::job::{ClaimedJob, Handler, JobError, LEASE, Queue};
use crate::statement::ClaimJobs;
use crate::tables::core_jobs;
use crate::{App, Result, relay};

pub(crate) const GROUP: &str = "workers";
const BLOCK_MS: u64 = 1_000;
/// Most jobs claimed in one statement: a commit costs the same for one row and for a hundred.
const GROUP_OF: usize = 100;

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
    let (finisher, saved) = Finisher::start(app.clone());
    let readers: Vec<_> = Queue::ALL
        .into_iter()
        .map(|queue| {
            let (app, stop, running, finisher) = (app.clone(), stop.clone(), running.clone(), finisher.clone());
            tokio::spawn(async move {
                while !stop.is_cancelled() {
                    if let Err(e) = read_queue(&app, queue, concurrency.of(queue), &stop, &running, &finisher).await {
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
    drop(finisher);
    let _ = saved.await;
    let _ = relay.await;
}

async fn read_queue(
    app: &App,
    queue: Queue,
    slots: usize,
    stop: &CancellationToken,
    running: &TaskTracker,
    finisher: &Finisher,
) -> anyhow::Result<()> {
    let client = app.redis().blocking().await?;
    let stream = relay::stream_key(app, queue.name());
    let consumer = Uuid::now_v7().to_string();
    let slots = Arc::new(Semaphore::new(slots));
    while !stop.is_cancelled() {
        let mut permits = vec![Arc::clone(&slots).acquire_owned().await?];
        while permits.len() < GROUP_OF
            && let Ok(permit) = Arc::clone(&slots).try_acquire_owned()
        {
            permits.push(permit);
        }
        let entries = next_entries(&client, &stream, &consumer, permits.len() as u64).await?;
        if entries.is_empty() {
            continue;
        }
        let ids: Vec<Uuid> = entries.iter().filter_map(|(_, job)| *job).collect();
        let claimed = claim(app, ids).await?;
        for (job, permit) in claimed.into_iter().zip(permits) {
            let (app, finisher) = (app.clone(), finisher.clone());
            running.spawn(async move {
                let outcome = execute(&app, job).await;
                // The next group may be claimed while this one is saved; the channel bounds how many wait.
                drop(permit);
                finisher.save(outcome).await;
            });
        }
        // The rows are ours now (or were never valid), so the entries have done their duty.
        let entries: Vec<String> = entries.into_iter().map(|(entry, _)| entry).collect();
        relay::forget(app, &stream, entries).await?;
    }
    client.quit().await?;
    Ok(())
}

/// Waits for entries; creates stream and group when Redis has forgotten them.
async fn next_entries(
    client: &Client,
    stream: &str,
    consumer: &str,
    most: u64,
) -> anyhow::Result<Vec<(String, Option<Uuid>)>> {
    let read: Result<RedisValue, _> =
        client.xreadgroup(GROUP, consumer, Some(most), Some(BLOCK_MS), false, stream, ">").await;
    let value = match read {
        Ok(value) => value,
        Err(e) if e.details().contains("NOGROUP") => {
            let _: () = client.xgroup_create(stream, GROUP, "0", true).await?;
            return Ok(Vec::new());
        }
        Err(e) => return Err(e.into()),
    };
    if value.is_null() {
        return Ok(Vec::new());
    }
    let response = value.into_xread_response::<String, String, String, String>()?;
    let entries = response.into_values().flatten();
    Ok(entries.map(|(entry, fields)| (entry, fields.get("id").and_then(|id| id.parse().ok()))).collect())
}

async fn claim(app: &App, ids: Vec<Uuid>) -> Result<Vec<ClaimedJob>> {
    let now = app.now();
    let mut conn = app.conn().await?;
    Ok(ClaimJobs { lease_until: now + LEASE, ids, now }.load(&mut conn).await?)
}

/// Runs every due job in order until none is left, in this task and without Redis: for tests,
/// where the order must be the same every time.
///
/// # Errors
/// When the database fails; a failing job is not an error here.
pub async fn drain(app: &App) -> Result<usize> {
    let mut done = 0;
    loop {
        let next: Option<Uuid> = {
            let mut conn = app.conn().await?;
            core_jobs::table
                .filter(core_jobs::state.eq("queued").and(core_jobs::run_at.le(app.now())))
                .order((core_jobs::run_at, core_jobs::id))
                .select(core_jobs::id)
                .first(&mut conn)
                .await
                .optional()?
        };
        let Some(next) = next else { return Ok(done) };
        for job in claim(app, vec![next]).await? {
            let outcome = execute(app, job).await;
            finish::save(app, &[outcome]).await?;
            done += 1;
        }
    }
}

/// Runs one attempt and says what is to become of the row.
async fn execute(app: &App, job: ClaimedJob) -> Outcome {
    let started = Instant::now();
    let result = match app.jobs().handler(&job.name) {
        None => Err(JobError::Discard(anyhow::anyhow!("this executable knows no job of that name"))),
        Some(handler) => attempt(app, &job, handler).await,
    };
    let verdict = match result {
        Ok(()) => Verdict::Done,
        Err(JobError::Retry(e)) if job.attempt < job.max_attempts => {
            tracing::warn!(job.id = %job.id, job.name, job.attempt, "job will be tried again: {e:#}");
            Verdict::Again { at: app.now() + backoff(job.attempt), reason: format!("{e:#}") }
        }
        Err(JobError::Retry(e) | JobError::Discard(e)) => give_up(app, &job, format!("{e:#}")).await,
    };
    metrics::histogram!(crate::metrics::JOB_SECONDS, "job" => known(app, &job.name), "outcome" => verdict.label())
        .record(started.elapsed().as_secs_f64());
    Outcome { id: job.id, attempt: job.attempt, verdict }
}

/// Labels come from the registry, never from a row.
fn known(app: &App, name: &str) -> &'static str {
    app.jobs().names().into_iter().find(|n| *n == name).unwrap_or("unknown")
}

/// The farewell comes first: a row is dead only once whoever waits for it has been told.
async fn give_up(app: &App, job: &ClaimedJob, reason: String) -> Verdict {
    tracing::error!(job.id = %job.id, job.name, job.attempt, "job given up: {reason}");
    if let Some(handler) = app.jobs().handler(&job.name)
        && let Err(e) = (handler.gave_up)(app.clone(), job.args.clone(), reason.clone()).await
    {
        tracing::error!(job.id = %job.id, job.name, "farewell failed and is repeated with the job: {e}");
        return Verdict::Again { at: app.now() + backoff(job.attempt), reason };
    }
    Verdict::Dead { reason }
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
                if let Err(e) = extend_lease(app, job).await {
                    tracing::warn!(job.id = %job.id, "heartbeat: {e}");
                }
            }
        }
    }
}

async fn extend_lease(app: &App, job: &ClaimedJob) -> Result<()> {
    let mut conn = app.conn().await?;
    diesel::sql_query("UPDATE core_jobs SET lease_until = $3 WHERE id = $1 AND attempt = $2 AND state = 'running'")
        .bind::<SqlUuid, _>(job.id)
        .bind::<Integer, _>(job.attempt)
        .bind::<Timestamptz, _>(app.now() + LEASE)
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// 1, 4, 9, 16 … seconds with up to half as much again at random, so that retries do not march in step.
fn backoff(attempt: i32) -> chrono::Duration {
    let base = i64::from(attempt).pow(2) * 1_000;
    chrono::Duration::milliseconds(base + rand::random_range(0..=base / 2))
}
