//! Saves what became of jobs, many in one commit: while one commit is under way the next group gathers.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::{App, Result};

const GROUP_OF: usize = 200;

/// What is to become of a row after an attempt.
pub(crate) enum Verdict {
    Done,
    Again { at: DateTime<Utc>, reason: String },
    Dead { reason: String },
}

impl Verdict {
    /// Label of the metric.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Again { .. } => "retry",
            Self::Dead { .. } => "dead",
        }
    }
}

pub(crate) struct Outcome {
    pub id: Uuid,
    /// The attempt that ended: a worker whose lease ran out has nothing to say about the next one.
    pub attempt: i32,
    pub verdict: Verdict,
}

/// Hands outcomes to the task that saves them.
#[derive(Clone)]
pub(crate) struct Finisher(mpsc::Sender<Outcome>);

impl Finisher {
    /// The task ends when every clone is gone and everything handed over is saved.
    pub fn start(app: App) -> (Self, JoinHandle<()>) {
        let (sender, mut outcomes) = mpsc::channel(GROUP_OF);
        let task = tokio::spawn(async move {
            let mut group = Vec::with_capacity(GROUP_OF);
            while outcomes.recv_many(&mut group, GROUP_OF).await > 0 {
                if let Err(e) = save(&app, &group).await {
                    // The leases run out and the jobs are repeated.
                    tracing::error!(jobs = group.len(), "outcomes not saved: {e}");
                }
                group.clear();
            }
        });
        (Self(sender), task)
    }

    pub async fn save(&self, outcome: Outcome) {
        // The receiver outlives every sender.
        let _ = self.0.send(outcome).await;
    }
}

/// # Errors
/// When PostgreSQL fails; nothing of the group is saved then.
pub(crate) async fn save(app: &App, outcomes: &[Outcome]) -> Result<()> {
    let now = app.now();
    let (mut ids, mut attempts) = (Vec::new(), Vec::new());
    let (mut states, mut errors, mut again) = (Vec::new(), Vec::new(), Vec::new());
    for outcome in outcomes {
        let (state, error, at) = match &outcome.verdict {
            Verdict::Done => ("done", None, None),
            Verdict::Again { at, reason } => ("queued", Some(reason.as_str()), Some(*at)),
            Verdict::Dead { reason } => ("dead", Some(reason.as_str()), None),
        };
        ids.push(outcome.id);
        attempts.push(outcome.attempt);
        states.push(state);
        errors.push(error);
        again.push(at);
    }
    let mut conn = app.conn().await?;
    diesel::sql_query(
        "UPDATE core_jobs j SET state = o.state, last_error = coalesce(o.error, j.last_error), lease_until = NULL, \
           run_at = coalesce(o.again, j.run_at), \
           dispatched_at = CASE WHEN o.state = 'queued' THEN NULL ELSE j.dispatched_at END, \
           finished_at = CASE WHEN o.state = 'queued' THEN NULL ELSE $6 END \
         FROM unnest($1, $2, $3, $4, $5) AS o (id, attempt, state, error, again) \
         WHERE j.id = o.id AND j.state = 'running' AND j.attempt = o.attempt",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Integer>, _>(attempts)
    .bind::<Array<Text>, _>(states)
    .bind::<Array<Nullable<Text>>, _>(errors)
    .bind::<Array<Nullable<Timestamptz>>, _>(again)
    .bind::<Timestamptz, _>(now)
    .execute(&mut conn)
    .await?;
    Ok(())
}
