//! A worker's sign of life, and what happens to the jobs of one that gives none.
//!
//! Liveness is judged by PostgreSQL's clock alone: the clocks of machines disagree.

use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::{Array, Double, Jsonb, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl};
use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::end::{Found, history_entry};
use super::running::Running;
use crate::tables::{core_jobs, core_workers};
use crate::{App, Result};

/// Topic on which cancellations are announced to every worker.
pub(crate) const CANCELLATIONS: &str = "core.cancellations";

/// Makes a new worker known; it may claim from now on.
pub(crate) async fn register(app: &App) -> Result<Uuid> {
    let id = Uuid::now_v7();
    let mut conn = app.conn().await?;
    diesel::insert_into(core_workers::table).values(core_workers::id.eq(id)).execute(&mut conn).await?;
    Ok(id)
}

/// Says "still here" and looks for cancellations, until the end. Cancels `lost` when the others have
/// taken this worker for dead: its jobs are theirs now.
pub(crate) async fn keep_alive(
    app: App,
    worker: Uuid,
    running: Running,
    lost: CancellationToken,
    end: CancellationToken,
) {
    let every = app.job_settings().lease / 6;
    let hints = async {
        loop {
            match app.live().subscribe(CANCELLATIONS).await {
                Ok(hints) => {
                    hints
                        .for_each(|hint| {
                            if let Some(id) = hint.get("id").and_then(|id| id.as_str()).and_then(|id| id.parse().ok()) {
                                running.cancel(id);
                            }
                            std::future::ready(())
                        })
                        .await
                }
                Err(e) => tracing::warn!("cancellations are noticed late: {e}"),
            }
            tokio::time::sleep(every).await;
        }
    };
    let beats = async {
        loop {
            tokio::time::sleep(every).await;
            match beat(&app, worker, &running).await {
                Ok(true) => {}
                Ok(false) => {
                    tracing::error!(%worker, "taken for dead; starting anew");
                    lost.cancel();
                    return;
                }
                Err(e) => tracing::warn!(%worker, "no sign of life possible: {e}"),
            }
        }
    };
    tokio::select! {
        () = end.cancelled() => {}
        () = beats => {}
        () = hints => {}
    }
}

/// Answers whether the worker is still known.
async fn beat(app: &App, worker: Uuid, running: &Running) -> Result<bool> {
    let mut conn = app.conn().await?;
    let me = diesel::update(core_workers::table.find(worker)).set(core_workers::seen_at.eq(diesel::dsl::now));
    let known = me.execute(&mut conn).await? == 1;
    let cancelled = core_jobs::table
        .filter(core_jobs::id.eq_any(running.ids()).and(core_jobs::cancelled_at.is_not_null()))
        .select(core_jobs::id)
        .load::<Uuid>(&mut conn)
        .await?;
    cancelled.into_iter().for_each(|id| running.cancel(id));
    let doubts = running.doubts();
    if !doubts.is_empty() {
        let left: Vec<Found> = hand_back(&mut conn, worker, &doubts).await?;
        drop(conn);
        // Once back it may be claimed again, and then rightly be in this worker's name.
        running.settle(&left.iter().map(Found::id).collect::<Vec<_>>());
        app.call_up(&Found::tickets(&left)).await;
    }
    Ok(known)
}

/// Gives rows back that were written in this worker's name and will not be begun.
async fn hand_back(conn: &mut AsyncPgConnection, worker: Uuid, ids: &[Uuid]) -> QueryResult<Vec<Found>> {
    diesel::sql_query(
        "UPDATE core_jobs SET worker = NULL, attempt = 0 WHERE id = ANY($1) AND worker = $2 AND attempt = 1 \
         RETURNING id, queue, priority, org_id",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<SqlUuid, _>(worker)
    .load(conn)
    .await
}

/// Gives back rows in the name of workers that are not there any more: written at the very moment at
/// which they left.
pub(crate) async fn recover_orphans(app: &App) -> Result<()> {
    let found: Vec<Found> = {
        let mut conn = app.conn().await?;
        diesel::sql_query(
            "UPDATE core_jobs SET worker = NULL, attempt = attempt - 1 WHERE worker IS NOT NULL \
               AND NOT EXISTS (SELECT FROM core_workers w WHERE w.id = core_jobs.worker) \
             RETURNING id, queue, priority, org_id",
        )
        .load(&mut conn)
        .await?
    };
    app.call_up(&Found::tickets(&found)).await;
    Ok(())
}

/// Leaves, and hands back whatever is still in this worker's name.
pub(crate) async fn leave(app: &App, worker: Uuid) -> Result<()> {
    let mut conn = app.conn().await?;
    let left: Vec<Found> = conn
        .transaction(async |conn| {
            diesel::delete(core_workers::table.find(worker)).execute(conn).await?;
            diesel::sql_query(
                "UPDATE core_jobs SET worker = NULL, attempt = attempt - 1 WHERE worker = $1 \
                 RETURNING id, queue, priority, org_id",
            )
            .bind::<SqlUuid, _>(worker)
            .load(conn)
            .await
        })
        .await?;
    drop(conn);
    app.call_up(&Found::tickets(&left)).await;
    Ok(())
}

/// Takes the jobs of silent workers back. `steady_since`: when this process last had trouble with
/// PostgreSQL; right after an outage everybody has been silent, and nobody is dead.
pub(crate) async fn recover(app: &App, steady_since: Instant) -> Result<()> {
    let lease = app.job_settings().lease;
    if steady_since.elapsed() < lease {
        return Ok(());
    }
    recover_silent(app, lease).await
}

async fn recover_silent(app: &App, lease: Duration) -> Result<()> {
    let now = app.now();
    let mut conn = app.conn().await?;
    let recovered = conn
        .transaction(async |conn| {
            let dead: Vec<Uuid> = diesel::delete(
                core_workers::table.filter(
                    core_workers::seen_at.lt(diesel::dsl::sql::<Timestamptz>("now() - make_interval(secs => ")
                        .bind::<Double, _>(lease.as_secs_f64())
                        .sql(")")),
                ),
            )
            .returning(core_workers::id)
            .get_results(conn)
            .await?;
            if dead.is_empty() {
                return Ok(Vec::new());
            }
            tracing::warn!(workers = dead.len(), "workers have fallen silent");
            diesel::sql_query(
                "UPDATE core_jobs SET worker = NULL, run_at = $1, dispatched_at = $1, history = history || \
                   jsonb_set($2, '{0,attempt}', to_jsonb(attempt)) \
                 WHERE worker = ANY($3) RETURNING id, queue, priority, org_id",
            )
            .bind::<Timestamptz, _>(now)
            .bind::<Jsonb, _>(history_entry(0, now, "the worker stopped without an answer"))
            .bind::<Array<SqlUuid>, _>(dead)
            .load::<Found>(conn)
            .await
        })
        .await
        .map_err(|e: diesel::result::Error| crate::Error::from(e))?;
    drop(conn);
    if !recovered.is_empty() {
        metrics::counter!(crate::metrics::RECOVERED).increment(recovered.len() as u64);
        tracing::warn!(jobs = recovered.len(), "jobs taken back from silent workers");
        app.call_up(&Found::tickets(&recovered)).await;
    }
    Ok(())
}
