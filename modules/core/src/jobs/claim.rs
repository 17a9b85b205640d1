//! Making rows this worker's own.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::job::Provider;
use super::statement::ClaimJobs;
use crate::{App, Result};

/// A job that is this worker's until it ends or the worker falls silent.
#[derive(Debug, Clone)]
pub(crate) struct ClaimedJob {
    pub worker: Uuid,
    pub id: Uuid,
    pub name: String,
    pub args: Value,
    /// The number of this attempt, from 1.
    pub attempt: i32,
    pub max_attempts: i32,
    pub org_id: Option<Uuid>,
    pub ordering_key: Option<String>,
    pub provider: Option<String>,
    pub batch: Option<Uuid>,
    /// Called off before it began.
    pub cancelled: bool,
    /// The span in which it was written.
    pub trace: Option<String>,
}

impl ClaimedJob {
    /// Whether somebody outside may be watching it: only kinds that are kept show their ids.
    pub fn followed(&self, app: &App) -> bool {
        self.org_id.is_some() && app.jobs().handler(&self.name).is_some_and(|handler| !handler.keep.is_zero())
    }
}

#[derive(Queryable, QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Jsonb)]
    args: Value,
    #[diesel(sql_type = Integer)]
    attempt: i32,
    #[diesel(sql_type = Integer)]
    max_attempts: i32,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    org_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    ordering_key: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    provider: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    batch_id: Option<Uuid>,
    #[diesel(sql_type = Bool)]
    cancelled: bool,
    #[diesel(sql_type = Nullable<Text>)]
    trace: Option<String>,
}

impl Row {
    fn claimed_by(self, worker: Uuid) -> ClaimedJob {
        ClaimedJob {
            worker,
            id: self.id,
            name: self.name,
            args: self.args,
            attempt: self.attempt,
            max_attempts: self.max_attempts,
            org_id: self.org_id,
            ordering_key: self.ordering_key,
            provider: self.provider,
            batch: self.batch_id,
            cancelled: self.cancelled,
            trace: self.trace,
        }
    }
}

/// Claims what is dispatched and free of these rows. `again`: an earlier claim of the same rows may have
/// succeeded without our learning of it.
///
/// # Errors
/// When PostgreSQL fails; the rows may then be ours or not.
pub(crate) async fn claim(app: &App, worker: Uuid, ids: &[Uuid], again: bool) -> Result<Vec<ClaimedJob>> {
    let now = app.now();
    let mine = again.then_some(worker);
    let mut conn = app.conn().await?;
    let statement = ClaimJobs { worker, now, ids: ids.to_vec(), mine };
    let mut rows: Vec<Row> = statement.load(&mut conn).await?;
    if rows.len() < ids.len() {
        let left = |rows: &[Row]| -> Vec<Uuid> {
            ids.iter().copied().filter(|id| !rows.iter().any(|row| row.id == *id)).collect()
        };
        rows.extend(claim_unique(&mut conn, app, worker, &left(&rows)).await?);
        let left: Vec<Uuid> = left(&rows);
        for provider in app.jobs().providers() {
            rows.extend(claim_of(&mut conn, app, worker, &left, mine, provider).await?);
        }
    }
    Ok(rows.into_iter().map(|row| row.claimed_by(worker)).collect())
}

/// Those that are unique while they wait. One that is just being enqueued again is locked: it is passed
/// over, because that transaction calls it up at its commit.
async fn claim_unique(conn: &mut AsyncPgConnection, app: &App, worker: Uuid, ids: &[Uuid]) -> Result<Vec<Row>> {
    let rows = diesel::sql_query(
        "UPDATE core_jobs SET worker = $1, started_at = $2, unique_key = NULL, attempt = attempt + 1 \
         WHERE id IN (SELECT id FROM core_jobs j WHERE id = ANY($3) AND unique_key IS NOT NULL AND provider IS NULL \
             AND worker IS NULL AND dispatched_at IS NOT NULL AND (ordering_key IS NULL OR NOT EXISTS \
               (SELECT FROM core_jobs e WHERE e.ordering_key = j.ordering_key AND e.seq < j.seq)) \
           FOR UPDATE SKIP LOCKED) \
         RETURNING id, name, args, attempt, max_attempts, org_id, ordering_key, provider, batch_id, \
           cancelled_at IS NOT NULL AS cancelled, trace",
    )
    .bind::<SqlUuid, _>(worker)
    .bind::<Timestamptz, _>(app.now())
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)
    .await?;
    Ok(rows)
}

/// Those of one provider, as far as it has places left. Claims of one provider go one at a time, because
/// each must count what the one before it took.
async fn claim_of(
    conn: &mut AsyncPgConnection,
    app: &App,
    worker: Uuid,
    ids: &[Uuid],
    mine: Option<Uuid>,
    provider: Provider,
) -> Result<Vec<Row>> {
    let now = app.now();
    let rows = conn
        .transaction(async |conn| {
            diesel::sql_query("SELECT pg_advisory_xact_lock(hashtext('core_jobs'), hashtext($1))")
                .bind::<Text, _>(provider.name)
                .execute(conn)
                .await?;
            diesel::sql_query(
                "UPDATE core_jobs SET worker = $1, started_at = $2, unique_key = NULL, \
                   attempt = attempt + CASE WHEN worker IS NULL THEN 1 ELSE 0 END \
                 WHERE id IN (SELECT id FROM core_jobs j WHERE id = ANY($3) AND provider = $4 AND dispatched_at IS NOT NULL \
                     AND (worker IS NULL OR worker = $5) AND (ordering_key IS NULL OR NOT EXISTS \
                       (SELECT FROM core_jobs e WHERE e.ordering_key = j.ordering_key AND e.seq < j.seq)) \
                   ORDER BY worker NULLS LAST, seq LIMIT greatest(0, $6 - (SELECT count(*) FROM core_jobs r \
                     WHERE r.provider = $4 AND r.worker IS NOT NULL \
                       AND (r.id = ANY($3) AND r.worker = $5) IS NOT TRUE)) \
                   FOR UPDATE SKIP LOCKED) \
                 RETURNING id, name, args, attempt, max_attempts, org_id, ordering_key, provider, batch_id, \
                   cancelled_at IS NOT NULL AS cancelled, trace",
            )
            .bind::<SqlUuid, _>(worker)
            .bind::<Timestamptz, _>(now)
            .bind::<Array<SqlUuid>, _>(ids)
            .bind::<Text, _>(provider.name)
            .bind::<Nullable<SqlUuid>, _>(mine)
            .bind::<BigInt, _>(provider.at_once)
            .load::<Row>(conn)
            .await
        })
        .await?;
    Ok(rows)
}

/// Claims, through failures of PostgreSQL, until it is known what is ours, or the worker has to end: what
/// it may have claimed then goes back with everything else it holds.
pub(crate) async fn claim_patiently(app: &App, worker: Uuid, ids: &[Uuid], end: &CancellationToken) -> Vec<ClaimedJob> {
    let mut again = false;
    loop {
        match claim(app, worker, ids, again).await {
            Ok(claimed) => return claimed,
            Err(e) => tracing::warn!(jobs = ids.len(), "claim is repeated: {e}"),
        }
        again = true;
        tokio::select! {
            () = end.cancelled() => return Vec::new(),
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
        }
    }
}
