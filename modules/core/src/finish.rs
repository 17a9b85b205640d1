//! Saves what became of jobs, many in one commit: while one commit is under way the next group gathers.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use diesel_async::RunQueryDsl;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::job::LEASE;
use crate::statement::FinishJobs;
use crate::{App, Result};

const GROUP_OF: usize = 200;
/// In characters.
const LONGEST_REASON: usize = 2_000;

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
                save_patiently(&app, &group).await;
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

/// Keeps trying for half a lease: work that is done should not be done again because PostgreSQL was
/// away for a moment.
async fn save_patiently(app: &App, group: &[Outcome]) {
    let begun = Instant::now();
    while let Err(e) = save(app, group).await {
        if begun.elapsed() > LEASE / 2 {
            // The leases run out and the jobs are repeated.
            tracing::error!(jobs = group.len(), "outcomes not saved: {e}");
            return;
        }
        tracing::warn!(jobs = group.len(), "outcomes not saved yet: {e}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// One reason that PostgreSQL refuses would keep the whole group from being saved: it takes no NUL, and
/// an error may quote whatever a client sent.
fn storable(reason: &str) -> String {
    reason.chars().filter(|c| *c != '\0').take(LONGEST_REASON).collect()
}

/// # Errors
/// When PostgreSQL fails; nothing of the group is saved then.
pub(crate) async fn save(app: &App, outcomes: &[Outcome]) -> Result<()> {
    let mut finish = FinishJobs {
        now: app.now(),
        ids: Vec::new(),
        attempts: Vec::new(),
        states: Vec::new(),
        errors: Vec::new(),
        again: Vec::new(),
    };
    for outcome in outcomes {
        let (state, error, at) = match &outcome.verdict {
            Verdict::Done => ("done", None, None),
            Verdict::Again { at, reason } => ("queued", Some(storable(reason)), Some(*at)),
            Verdict::Dead { reason } => ("dead", Some(storable(reason)), None),
        };
        finish.ids.push(outcome.id);
        finish.attempts.push(outcome.attempt);
        finish.states.push(state);
        finish.errors.push(error);
        finish.again.push(at);
    }
    let mut conn = app.conn().await?;
    finish.execute(&mut conn).await?;
    Ok(())
}
