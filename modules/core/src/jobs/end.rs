//! How a job ends: its row and its effects become true in one transaction.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, SmallInt, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use uuid::Uuid;

use super::claim::ClaimedJob;
use super::enqueue::{self, NewJob, When};
use super::job::Effects;
use super::statement::{CountDown, EndJob};
use super::waiting::Ticket;
use crate::tables::core_batches;
use crate::{App, Result};

/// In characters.
const LONGEST_REASON: usize = 2_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    Done,
    Dead(String),
    Cancelled,
}

impl Ending {
    /// Value of the column and label of the metric.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Dead(_) => "dead",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A failed attempt as the history keeps it. PostgreSQL takes no NUL, and an error may quote whatever a
/// client sent.
pub(crate) fn history_entry(attempt: i32, at: DateTime<Utc>, reason: &str) -> Value {
    let reason: String = reason.chars().filter(|c| *c != '\0').take(LONGEST_REASON).collect();
    json!([{ "attempt": attempt, "at": at, "error": reason }])
}

/// Commits the effects together with the end of the job. When the attempt is no longer this worker's,
/// nothing of it becomes true, and the answer is `false`.
///
/// # Errors
/// When PostgreSQL fails; it may then have committed or not, which the row tells.
pub(crate) async fn conclude(app: &App, job: &ClaimedJob, effects: Effects, ending: &Ending) -> Result<bool> {
    let mut tx = match effects.0 {
        Some(tx) => *tx,
        None => app.begin().await?,
    };
    let now = app.now();
    let keep = app.jobs().handler(&job.name).map(|handler| handler.keep).unwrap_or_default();
    let entry = match ending {
        Ending::Dead(reason) => history_entry(job.attempt, now, reason),
        Ending::Done | Ending::Cancelled => json!([]),
    };
    let dead = matches!(ending, Ending::Dead(_));
    let end = EndJob {
        id: job.id,
        worker: job.worker,
        attempt: job.attempt,
        outcome: ending.name(),
        entry,
        now,
        keep_until: if dead { None } else { Some(now + keep) },
        keep: dead || !keep.is_zero(),
    };
    if end.get_result::<(i64,)>(&mut *tx).await?.0 == 0 {
        tracing::warn!(job.id = %job.id, job.name, job.attempt, "not this worker's any more; its effects are dropped");
        return Ok(false);
    }
    if let Some(batch) = job.batch {
        let tickets = count_down(&mut tx, batch, now).await?;
        tx.call_up(tickets);
    }
    if job.followed(app) {
        tx.publish(super::follow::topic(job.id), json!({}));
    }
    tx.commit().await?;
    Ok(true)
}

/// One member of a batch less; the last one enqueues what follows.
async fn count_down(
    conn: &mut diesel_async::AsyncPgConnection,
    batch: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Ticket>> {
    let count = CountDown { id: batch };
    let Some((open, callback)) = count.get_result::<(i32, Value)>(conn).await.optional()? else {
        return Ok(Vec::new());
    };
    if open > 0 {
        return Ok(Vec::new());
    }
    diesel::delete(core_batches::table.find(batch)).execute(conn).await?;
    let callback: NewJob = serde_json::from_value(callback)?;
    Ok(enqueue::insert(conn, vec![callback], When::at_once(now)).await?.1)
}

/// A row found by its place in a queue.
#[derive(QueryableByName)]
pub(crate) struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    queue: String,
    #[diesel(sql_type = SmallInt)]
    priority: i16,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    org_id: Option<Uuid>,
}

impl Found {
    pub fn id(&self) -> Uuid {
        self.id
    }

    fn ticket(&self) -> Option<Ticket> {
        Ticket::of(self.id, &self.queue, self.priority, self.org_id)
    }

    pub fn tickets(found: &[Self]) -> Vec<Ticket> {
        found.iter().filter_map(Self::ticket).collect()
    }
}

/// Calls up the jobs that waited for these to end: the next of an ordering key, and as many of a
/// provider as places became free.
///
/// # Errors
/// When PostgreSQL fails; the relay finds them later.
pub(crate) async fn call_successors(app: &App, ended: &[(Option<String>, Option<String>)]) -> Result<()> {
    let keys: Vec<&str> = ended.iter().filter_map(|(key, _)| key.as_deref()).collect();
    let providers: Vec<&str> = ended.iter().filter_map(|(_, provider)| provider.as_deref()).collect();
    if keys.is_empty() && providers.is_empty() {
        return Ok(());
    }
    let next: Vec<Found> = {
        let mut conn = app.conn().await?;
        diesel::sql_query(
            "(SELECT DISTINCT ON (ordering_key) id, queue, priority, org_id FROM core_jobs \
               WHERE ordering_key = ANY($1) AND dispatched_at IS NOT NULL ORDER BY ordering_key, seq) \
             UNION (SELECT id, queue, priority, org_id FROM core_jobs \
               WHERE provider = ANY($2) AND worker IS NULL AND dispatched_at IS NOT NULL ORDER BY seq LIMIT $3)",
        )
        .bind::<Array<Text>, _>(&keys)
        .bind::<Array<Text>, _>(&providers)
        .bind::<BigInt, _>(i64::try_from(providers.len()).unwrap_or(i64::MAX))
        .load(&mut conn)
        .await?
    };
    app.call_up(&Found::tickets(&next)).await;
    Ok(())
}
