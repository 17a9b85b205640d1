//! Keeps Redis true to the rows: calls up what is due, what was forgotten and what was abandoned.
//!
//! Any number of relays may run; a lock in Redis only keeps them from all doing the same.

use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use fred::interfaces::KeysInterface as _;
use fred::prelude::LuaInterface as _;
use fred::types::{Expiration, SetOptions};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::end::Found;
use super::job::Queue;
use super::{presence, schedule};
use crate::metrics::{JOBS, OLDEST_JOB, OUTBOX_LAG, RELAY_LEADING};
use crate::tables::core_jobs_ended;
use crate::{App, Result};

/// How often due retries are looked for.
const TICK: Duration = Duration::from_millis(250);
/// A row dispatched this long ago that nobody has claimed may have lost its ticket.
const REPEAT_AFTER: chrono::Duration = chrono::Duration::seconds(10);
/// Rows are searched for lost tickets when fewer than this wait; with more, a late one is in good company.
const BUSY: u64 = 1_000;
const SEARCH_EVERY: Duration = Duration::from_secs(5);
/// And however many wait, once in a while.
const SEARCH_ANYWAY: Duration = Duration::from_secs(60);
const PAGE: i64 = 5_000;
const BATCH: i64 = 1_000;
const GAUGES_EVERY: Duration = Duration::from_secs(5);
/// A relay that has not renewed its lock for this long is replaced.
const LEAD: Duration = Duration::from_secs(2);

/// Runs until cancelled.
pub async fn run(app: App, stop: CancellationToken) {
    let mut relay = Relay::new(app);
    while !stop.is_cancelled() {
        if let Err(e) = relay.tick().await {
            tracing::warn!("relay: {e}");
            relay.steady_since = Instant::now();
            relay.fall_silent();
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }
    relay.resign().await;
    relay.fall_silent();
}

/// One look by a relay of its own, as if the last one had died long ago: for tests.
///
/// # Errors
/// When PostgreSQL or Redis fails.
pub async fn look(app: &App) -> Result<()> {
    schedule::install(app).await?;
    schedule::fire(app).await?;
    presence::recover(app, Instant::now() - app.job_settings().lease).await?;
    presence::recover_orphans(app).await?;
    call_due(app).await?;
    let mut after = Some(Uuid::nil());
    while let Some(from) = after {
        after = search(app, from).await?;
    }
    Ok(())
}

struct Relay {
    app: App,
    id: String,
    /// The last trouble, or the start.
    steady_since: Instant,
    leading: bool,
    scheduled: bool,
    searched: Instant,
    orphans_sought: Instant,
    /// Where the search for lost tickets goes on; none is under way otherwise.
    search_from: Option<Uuid>,
    /// When the gauges were last set; never while somebody else leads.
    reported: Option<Instant>,
}

impl Relay {
    fn new(app: App) -> Self {
        let now = Instant::now();
        let id = Uuid::now_v7().to_string();
        Self {
            app,
            id,
            steady_since: now,
            leading: false,
            scheduled: false,
            searched: now,
            orphans_sought: now,
            search_from: None,
            reported: None,
        }
    }

    fn lock(&self) -> String {
        self.app.redis().key("jobs:relay")
    }

    async fn tick(&mut self) -> Result<()> {
        let leads = self.leads().await?;
        let led = std::mem::replace(&mut self.leading, leads);
        if !self.leading {
            if led {
                self.fall_silent();
            }
            return Ok(());
        }
        if !led {
            // Until now it would not have noticed trouble.
            self.steady_since = Instant::now();
        }
        if !self.scheduled {
            schedule::install(&self.app).await?;
            self.scheduled = true;
        }
        schedule::fire(&self.app).await?;
        presence::recover(&self.app, self.steady_since).await?;
        call_due(&self.app).await?;
        self.search_on().await?;
        if self.reported.is_none_or(|at| at.elapsed() >= GAUGES_EVERY) {
            report(&self.app).await?;
            self.reported = Some(Instant::now());
        }
        metrics::gauge!(RELAY_LEADING).set(1.0);
        Ok(())
    }

    /// What is known of the queues is the leader's to tell: what was seen before must not stand for ever.
    fn fall_silent(&mut self) {
        self.reported = None;
        metrics::gauge!(RELAY_LEADING).set(0.0);
        metrics::gauge!(OUTBOX_LAG).set(0.0);
        for queue in Queue::ALL {
            tell(queue, &Depth::default());
        }
    }

    /// Takes or renews the lock.
    async fn leads(&self) -> Result<bool> {
        let redis = self.app.redis().commands();
        let for_ms = Some(Expiration::PX(i64::try_from(LEAD.as_millis()).unwrap_or(2_000)));
        let taken: Option<String> =
            redis.set(self.lock(), self.id.clone(), for_ms.clone(), Some(SetOptions::NX), false).await?;
        if taken.is_some() {
            return Ok(true);
        }
        let holder: Option<String> = redis.get(self.lock()).await?;
        if holder.as_ref() == Some(&self.id) {
            let _: Option<String> =
                redis.set(self.lock(), self.id.clone(), for_ms, Some(SetOptions::XX), false).await?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Lets the next relay begin at once.
    async fn resign(&self) {
        let release = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";
        let redis = self.app.redis().commands();
        let released: Result<i64, _> = redis.eval(release, vec![self.lock()], vec![self.id.clone()]).await;
        if let Err(e) = released {
            tracing::debug!("relay lock left to expire: {e}");
        }
    }

    /// Goes through the rows page by page, one page a tick.
    async fn search_on(&mut self) -> Result<()> {
        if self.search_from.is_none() && self.searched.elapsed() >= SEARCH_EVERY {
            let mut waiting = 0;
            for queue in Queue::ALL {
                waiting += self.app.waiting().len(queue).await?;
            }
            if waiting < BUSY || self.searched.elapsed() >= SEARCH_ANYWAY {
                if self.orphans_sought.elapsed() >= SEARCH_ANYWAY {
                    presence::recover_orphans(&self.app).await?;
                    self.orphans_sought = Instant::now();
                }
                self.searched = Instant::now();
                self.search_from = Some(Uuid::nil());
            }
        }
        if let Some(from) = self.search_from {
            self.search_from = search(&self.app, from).await?;
        }
        Ok(())
    }
}

/// Calls up rows whose time has come.
async fn call_due(app: &App) -> Result<()> {
    loop {
        let due: Vec<Found> = {
            let mut conn = app.conn().await?;
            diesel::sql_query(
                "UPDATE core_jobs SET dispatched_at = $1 WHERE id IN ( \
                   SELECT id FROM core_jobs WHERE dispatched_at IS NULL AND run_at <= $1 \
                   ORDER BY run_at LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING id, queue, priority, org_id",
            )
            .bind::<Timestamptz, _>(app.now())
            .bind::<BigInt, _>(BATCH)
            .load(&mut conn)
            .await?
        };
        app.call_up(&Found::tickets(&due)).await;
        if due.len() < usize::try_from(BATCH).unwrap_or(usize::MAX) {
            return Ok(());
        }
    }
}

/// Adds the tickets of a page of rows that should long have been claimed; most wait rightly, and for
/// those it changes nothing. Answers where the next page begins.
async fn search(app: &App, from: Uuid) -> Result<Option<Uuid>> {
    let page: Vec<Found> = {
        let mut conn = app.conn().await?;
        let queues: Vec<&str> = Queue::ALL.iter().map(|queue| queue.name()).collect();
        diesel::sql_query(
            "SELECT id, queue, priority, org_id FROM core_jobs j \
             WHERE id > $1 AND worker IS NULL AND dispatched_at < $2 AND queue = ANY($3) \
               AND (ordering_key IS NULL OR NOT EXISTS \
                 (SELECT FROM core_jobs e WHERE e.ordering_key = j.ordering_key AND e.seq < j.seq)) \
             ORDER BY id LIMIT $4",
        )
        .bind::<SqlUuid, _>(from)
        .bind::<Timestamptz, _>(app.now() - REPEAT_AFTER)
        .bind::<Array<Text>, _>(queues)
        .bind::<BigInt, _>(PAGE)
        .load(&mut conn)
        .await?
    };
    app.waiting().add(&Found::tickets(&page)).await?;
    let full = page.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX);
    Ok(page.last().filter(|_| full).map(Found::id))
}

/// What waits in a queue, runs and was given up; ages in seconds.
#[derive(Default)]
struct Depth {
    waiting: u64,
    running: i64,
    dead: i64,
    oldest: f64,
}

fn tell(queue: Queue, depth: &Depth) {
    let queue = queue.name();
    metrics::gauge!(JOBS, "queue" => queue, "state" => "waiting").set(depth.waiting as f64);
    metrics::gauge!(JOBS, "queue" => queue, "state" => "running").set(depth.running as f64);
    metrics::gauge!(JOBS, "queue" => queue, "state" => "dead").set(depth.dead as f64);
    metrics::gauge!(OLDEST_JOB, "queue" => queue).set(depth.oldest.max(0.0));
}

#[derive(diesel::QueryableByName)]
struct Rows {
    #[diesel(sql_type = Text)]
    queue: String,
    #[diesel(sql_type = BigInt)]
    running: i64,
    #[diesel(sql_type = diesel::sql_types::Double)]
    oldest: f64,
    /// Age of the oldest due one that nobody called up.
    #[diesel(sql_type = diesel::sql_types::Double)]
    lag: f64,
}

/// Gauges report 0 when drained instead of vanishing.
async fn report(app: &App) -> Result<()> {
    let mut conn = app.conn().await?;
    let dead: Vec<(String, i64)> = core_jobs_ended::table
        .filter(core_jobs_ended::outcome.eq("dead"))
        .group_by(core_jobs_ended::queue)
        .select((core_jobs_ended::queue, diesel::dsl::count_star()))
        .load(&mut conn)
        .await?;
    let rows: Vec<Rows> = diesel::sql_query(
        "SELECT queue, count(*) FILTER (WHERE worker IS NOT NULL) AS running, \
           coalesce(extract(epoch FROM $1 - min(run_at) FILTER (WHERE worker IS NULL)), 0)::float8 AS oldest, \
           coalesce(extract(epoch FROM $1 - min(run_at) FILTER (WHERE dispatched_at IS NULL)), 0)::float8 AS lag \
         FROM core_jobs WHERE worker IS NOT NULL OR run_at <= $1 GROUP BY queue",
    )
    .bind::<Timestamptz, _>(app.now())
    .load(&mut conn)
    .await?;
    drop(conn);
    metrics::gauge!(OUTBOX_LAG).set(rows.iter().map(|rows| rows.lag).fold(0.0, f64::max));
    for queue in Queue::ALL {
        let mut depth = Depth { waiting: app.waiting().len(queue).await?, ..Depth::default() };
        depth.dead = dead.iter().find(|(name, _)| name == queue.name()).map_or(0, |(_, jobs)| *jobs);
        if let Some(rows) = rows.iter().find(|rows| rows.queue == queue.name()) {
            (depth.running, depth.oldest) = (rows.running, rows.oldest);
        }
        tell(queue, &depth);
    }
    Ok(())
}
