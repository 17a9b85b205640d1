//! Looking at a job from outside, and calling it off.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt as _};
use serde_json::json;
use uuid::Uuid;

use super::ledger::{self, JobRow, JobState};
use super::presence::CANCELLATIONS;
use crate::tables::core_jobs::dsl;
use crate::{App, Error, ErrorCode, Result, Wake};

const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(5);

/// Topic of a job's changes.
pub(crate) fn topic(id: Uuid) -> String {
    format!("core.job.{id}")
}

fn not_found() -> Error {
    Error::not_found("Tâche", "Job")
}

/// A job of this organization, while its row is kept.
///
/// # Errors
/// `NOT_FOUND` for one that is unknown, another organization's, or ended long ago.
pub async fn get(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> Result<JobRow> {
    ledger::show(conn, id).await?.filter(|job| job.org_id == Some(org)).ok_or_else(not_found)
}

/// Calls a job off: one that waits never starts, one that runs is interrupted. Answers the job as it is;
/// it is cancelled once its farewell is said.
///
/// # Errors
/// `NOT_FOUND`, or `JOB_NOT_CANCELLABLE` for a kind that has to run.
pub async fn cancel(app: &App, org: Uuid, id: Uuid) -> Result<JobRow> {
    let mut tx = app.begin().await?;
    let job = get(&mut tx, org, id).await?;
    if job.is_ended() {
        return Ok(job);
    }
    if !app.jobs().handler(&job.name).is_some_and(|handler| handler.cancellable) {
        return Err(Error::new(
            ErrorCode::JOB_NOT_CANCELLABLE,
            "Cette tâche ne peut pas être annulée : elle se termine d'elle-même.",
            "This job cannot be called off: it ends by itself.",
        ));
    }
    let now: DateTime<Utc> = app.now();
    let open = dsl::core_jobs.filter(dsl::id.eq(id).and(dsl::cancelled_at.is_null()));
    // Should it wait for its next attempt, the farewell need not wait that long.
    let asked = (dsl::cancelled_at.eq(now), dsl::run_at.eq(now), dsl::dispatched_at.eq(now));
    diesel::update(open).set(asked).execute(&mut *tx).await?;
    tx.call_up(job.ticket().into_iter().collect());
    tx.publish(CANCELLATIONS.to_owned(), json!({ "id": id }));
    tx.commit().await?;
    Ok(job)
}

/// The states of a job after the one with this number, as they come, until it has ended. A slow reader
/// misses states in between, never the last.
///
/// # Errors
/// As for [`get`].
pub async fn follow(app: App, org: Uuid, id: Uuid, after: i32) -> Result<impl Stream<Item = JobRow> + Send + use<>> {
    // Nothing is listened to for somebody who may not; then listening begins before looking, so that nothing falls between.
    get(&mut *app.conn().await?, org, id).await?;
    let changes = app.live().subscribe(&topic(id)).await?.boxed();
    let last = get(&mut *app.conn().await?, org, id).await?;
    let following = Following { app, changes, last, after, looked: false };
    Ok(futures_util::stream::unfold(following, |mut following| async move {
        let job = following.next().await?;
        Some((job, following))
    }))
}

struct Following {
    app: App,
    changes: BoxStream<'static, Wake>,
    last: JobRow,
    /// Number of the last state delivered.
    after: i32,
    looked: bool,
}

impl Following {
    async fn next(&mut self) -> Option<JobRow> {
        loop {
            if self.last.is_ended() && self.after >= self.last.event() {
                return None;
            }
            if self.looked {
                // A message may be lost; looking now and then makes up for it.
                let _ = tokio::time::timeout(LOOK_EVERY, self.changes.next()).await;
                match Box::pin(look(&self.app, &self.last)).await {
                    Ok(job) => self.last = job,
                    Err(e) => tracing::warn!(job.id = %self.last.id, "job cannot be looked at: {e}"),
                }
            }
            self.looked = true;
            if self.last.event() > self.after {
                self.after = self.last.event();
                return Some(self.last.clone());
            }
        }
    }
}

async fn look(app: &App, last: &JobRow) -> Result<JobRow> {
    let mut conn = app.conn().await?;
    let job = ledger::show(&mut conn, last.id).await?;
    // No longer there: done, and of a kind that is not kept.
    Ok(job.unwrap_or_else(|| JobRow { state: JobState::Done, ended_at: Some(app.now()), ..last.clone() }))
}
