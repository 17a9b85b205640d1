//! The rows of the job runner for operators: look, try again, throw away.
//!
//! Works on a plain connection, so that it helps when nothing else starts.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::tables::core_jobs::{self, dsl};

/// A job as its row tells it.
#[derive(Debug, Serialize, Queryable, Selectable)]
#[diesel(table_name = core_jobs)]
pub struct JobRow {
    pub id: Uuid,
    pub name: String,
    pub queue: String,
    /// `queued`, `running`, `done` or `dead`.
    pub state: String,
    pub attempt: i32,
    pub max_attempts: i32,
    pub args: Value,
    pub run_at: DateTime<Utc>,
    pub lease_until: Option<DateTime<Utc>>,
    pub last_error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// Jobs in a state, oldest first.
pub async fn list(conn: &mut AsyncPgConnection, state: &str, most: i64) -> QueryResult<Vec<JobRow>> {
    let jobs = dsl::core_jobs.filter(dsl::state.eq(state)).order((dsl::run_at, dsl::id)).limit(most);
    jobs.select(JobRow::as_select()).load(conn).await
}

pub async fn show(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<Option<JobRow>> {
    dsl::core_jobs.find(id).select(JobRow::as_select()).first(conn).await.optional()
}

/// Gives dead jobs all their attempts again; all of them when no ids are given. Answers how many.
pub async fn retry(conn: &mut AsyncPgConnection, ids: &[Uuid], now: DateTime<Utc>) -> QueryResult<usize> {
    let mut dead = diesel::update(dsl::core_jobs.filter(dsl::state.eq("dead"))).into_boxed();
    if !ids.is_empty() {
        dead = dead.filter(dsl::id.eq_any(ids));
    }
    let fresh = (
        dsl::state.eq("queued"),
        dsl::attempt.eq(0),
        dsl::run_at.eq(now),
        dsl::dispatched_at.eq(None::<DateTime<Utc>>),
        dsl::finished_at.eq(None::<DateTime<Utc>>),
    );
    dead.set(fresh).execute(conn).await
}

/// Deletes ended jobs (`done` or `dead`) that ended before a moment. Answers how many.
pub async fn purge(conn: &mut AsyncPgConnection, state: &str, before: DateTime<Utc>) -> QueryResult<usize> {
    let ended = dsl::state.eq(state).and(dsl::state.eq_any(["done", "dead"])).and(dsl::finished_at.lt(before));
    diesel::delete(dsl::core_jobs.filter(ended)).execute(conn).await
}
