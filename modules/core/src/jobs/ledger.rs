//! The rows of the job runner for operators: look, try again, throw away.
//!
//! Works on a plain connection, so that it helps when nothing else starts.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Jsonb, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::waiting::Ticket;
use crate::tables::core_jobs_ended::dsl;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Until its time comes: a later moment it was enqueued for, or its next attempt.
    Scheduled,
    Waiting,
    Running,
    Done,
    /// Given up; its history says why.
    Dead,
    Cancelled,
}

impl JobState {
    pub const ALL: [Self; 6] = [Self::Scheduled, Self::Waiting, Self::Running, Self::Done, Self::Dead, Self::Cancelled];

    pub fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    /// How a job may have ended.
    pub const ENDED: [Self; 3] = [Self::Done, Self::Dead, Self::Cancelled];

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A job as its row tells it.
#[derive(Debug, Clone, Serialize)]
pub struct JobRow {
    pub id: Uuid,
    pub name: String,
    pub queue: String,
    pub priority: i16,
    pub org_id: Option<Uuid>,
    pub state: JobState,
    /// How often it was begun.
    pub attempt: i32,
    pub max_attempts: i32,
    pub args: Value,
    /// Failed attempts, oldest first: a list of `{attempt, at, error}`.
    pub history: Value,
    pub created_at: DateTime<Utc>,
    /// Not before this moment.
    pub run_at: Option<DateTime<Utc>>,
    pub started_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
}

impl JobRow {
    pub fn is_ended(&self) -> bool {
        self.ended_at.is_some()
    }

    /// Number of the state it is in. It grows with every change, also when a dead job is tried again: failed
    /// attempts are never forgotten, while `attempt` begins anew. Only a job that its worker hands back shows a
    /// number it has had.
    pub fn event(&self) -> i32 {
        let failures = self.history.as_array().map_or(0, Vec::len);
        let within = match self.state {
            // Its last failure is among those counted.
            JobState::Dead => 0,
            JobState::Scheduled | JobState::Waiting => 1,
            JobState::Running => 2,
            JobState::Done | JobState::Cancelled => 3,
        };
        i32::try_from(failures).unwrap_or(i32::MAX / 4).saturating_mul(3) + within
    }

    /// The reason of the last failed attempt.
    pub fn last_error(&self) -> Option<&str> {
        self.history.as_array()?.last()?.get("error")?.as_str()
    }

    pub(crate) fn ticket(&self) -> Option<Ticket> {
        Ticket::of(self.id, &self.queue, self.priority, self.org_id)
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    queue: String,
    #[diesel(sql_type = SmallInt)]
    priority: i16,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    org_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Integer)]
    attempt: i32,
    #[diesel(sql_type = Integer)]
    max_attempts: i32,
    #[diesel(sql_type = Jsonb)]
    args: Value,
    #[diesel(sql_type = Jsonb)]
    history: Value,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    run_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    started_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ended_at: Option<DateTime<Utc>>,
}

impl From<Row> for JobRow {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            name: row.name,
            queue: row.queue,
            priority: row.priority,
            org_id: row.org_id,
            // Of names that the query itself gives.
            state: JobState::named(&row.state).unwrap_or(JobState::Waiting),
            attempt: row.attempt,
            max_attempts: row.max_attempts,
            args: row.args,
            history: row.history,
            created_at: row.created_at,
            run_at: row.run_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
        }
    }
}

/// Open and ended jobs under the same names.
const JOBS: &str = "SELECT * FROM ( \
    SELECT id, name, queue, priority, org_id, CASE WHEN worker IS NOT NULL THEN 'running' \
        WHEN dispatched_at IS NULL THEN 'scheduled' ELSE 'waiting' END AS state, \
      attempt, max_attempts, args, history, created_at, run_at, started_at, NULL AS ended_at FROM core_jobs \
    UNION ALL \
    SELECT id, name, queue, priority, org_id, outcome, attempt, max_attempts, args, history, created_at, \
      NULL, started_at, ended_at FROM core_jobs_ended) jobs";

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    pub state: Option<JobState>,
    pub name: Option<String>,
    pub org_id: Option<Uuid>,
}

/// Jobs, newest first, after one of them.
pub async fn list(
    conn: &mut AsyncPgConnection,
    filter: &JobFilter,
    after: Option<Uuid>,
    most: i64,
) -> QueryResult<Vec<JobRow>> {
    let query = format!(
        "{JOBS} WHERE ($1 IS NULL OR state = $1) AND ($2 IS NULL OR name = $2) AND ($3 IS NULL OR org_id = $3) \
           AND ($4 IS NULL OR id < $4) ORDER BY id DESC LIMIT $5"
    );
    let rows: Vec<Row> = diesel::sql_query(query)
        .bind::<Nullable<Text>, _>(filter.state.map(JobState::name))
        .bind::<Nullable<Text>, _>(&filter.name)
        .bind::<Nullable<SqlUuid>, _>(filter.org_id)
        .bind::<Nullable<SqlUuid>, _>(after)
        .bind::<BigInt, _>(most)
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(JobRow::from).collect())
}

pub async fn show(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<Option<JobRow>> {
    let query = diesel::sql_query(format!("{JOBS} WHERE id = $1")).bind::<SqlUuid, _>(id);
    Ok(query.get_result::<Row>(conn).await.optional()?.map(JobRow::from))
}

/// Gives dead jobs all their attempts again; all of them when no ids are given. The relay calls them up.
/// Answers how many.
pub async fn retry(conn: &mut AsyncPgConnection, ids: &[Uuid], now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::sql_query(
        "WITH dead AS (DELETE FROM core_jobs_ended WHERE outcome = 'dead' AND ($1 OR id = ANY($2)) RETURNING *) \
         INSERT INTO core_jobs (id, name, queue, priority, org_id, args, max_attempts, ordering_key, provider, \
           history, created_at, run_at) \
         SELECT id, name, queue, priority, org_id, args, max_attempts, ordering_key, provider, history, created_at, $3 \
         FROM dead",
    )
    .bind::<Bool, _>(ids.is_empty())
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await
}

/// Deletes jobs that ended so before a moment. Answers how many.
pub async fn purge(conn: &mut AsyncPgConnection, state: JobState, before: DateTime<Utc>) -> QueryResult<usize> {
    let ended = dsl::core_jobs_ended.filter(dsl::outcome.eq(state.name()).and(dsl::ended_at.lt(before)));
    diesel::delete(ended).execute(conn).await
}

/// Deletes ended jobs whose time of keeping is over, a few at a time so that nobody waits. Answers how many.
pub(crate) async fn sweep(conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> QueryResult<usize> {
    const GROUP_OF: i64 = 5_000;
    let mut swept = 0;
    loop {
        let over = dsl::core_jobs_ended.filter(dsl::keep_until.lt(now)).select(dsl::id).limit(GROUP_OF);
        let ids: Vec<Uuid> = over.load(conn).await?;
        if ids.is_empty() {
            return Ok(swept);
        }
        swept += diesel::delete(dsl::core_jobs_ended.filter(dsl::id.eq_any(ids))).execute(conn).await?;
    }
}
