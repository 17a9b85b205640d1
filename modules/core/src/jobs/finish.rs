//! Saves what became of jobs, many in one commit: while one commit is under way the next group gathers.

use std::collections::HashMap;
use std::time::Duration;

use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::attempt::{Outcome, Verdict};
use super::end::{call_successors, history_entry};
use super::pressure::count_ended;
use super::running::Running;
use super::statement::{FinishJobs, RepeatJob};
use crate::{App, Result};

const GROUP_OF: usize = 200;

/// Hands outcomes to the task that saves them.
#[derive(Clone)]
pub(crate) struct Finisher(mpsc::Sender<Outcome>);

impl Finisher {
    /// The task ends when every clone is gone and everything handed over is saved, or when `lost` says
    /// that the rows are not ours any more.
    pub fn start(app: App, running: Running, lost: CancellationToken) -> (Self, JoinHandle<()>) {
        let (sender, mut outcomes) = mpsc::channel(GROUP_OF);
        let task = tokio::spawn(async move {
            let mut group = Vec::with_capacity(GROUP_OF);
            while outcomes.recv_many(&mut group, GROUP_OF).await > 0 {
                save_patiently(&app, &group, &lost).await;
                running.remove(group.drain(..).map(|outcome| outcome.job.id));
            }
        });
        (Self(sender), task)
    }

    pub async fn save(&self, outcome: Outcome) {
        // The receiver outlives every sender.
        let _ = self.0.send(outcome).await;
    }
}

/// Work that is done should not be done again because PostgreSQL was away for a moment.
async fn save_patiently(app: &App, group: &[Outcome], lost: &CancellationToken) {
    while let Err(e) = save(app, group).await {
        tracing::warn!(jobs = group.len(), "outcomes not saved yet: {e}");
        tokio::select! {
            () = lost.cancelled() => return,
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
        }
    }
}

/// # Errors
/// When PostgreSQL fails; repeating the whole group does no harm.
pub(crate) async fn save(app: &App, outcomes: &[Outcome]) -> Result<()> {
    let mut done: Option<FinishJobs> = None;
    for Outcome { job, .. } in outcomes.iter().filter(|outcome| matches!(outcome.verdict, Verdict::Done)) {
        let group =
            done.get_or_insert_with(|| FinishJobs { ids: Vec::new(), attempts: Vec::new(), worker: job.worker });
        group.ids.push(job.id);
        group.attempts.push(job.attempt);
    }
    let put_back = outcomes.iter().filter(|o| matches!(o.verdict, Verdict::Again { .. } | Verdict::HandBack));
    let put_back: Vec<&Outcome> = put_back.collect();
    if done.is_some() || !put_back.is_empty() {
        let mut conn = app.conn().await?;
        if let Some(done) = done {
            done.execute(&mut conn).await?;
        }
        for outcome in put_back {
            repeat(app, &mut conn, outcome).await?;
        }
    }
    // A retry keeps its ordering key, but leaves its provider's place to others.
    let freed: Vec<_> = outcomes.iter().map(|o| (o.job.ordering_key.clone(), o.job.provider.clone())).collect();
    if let Err(e) = call_successors(app, &freed).await {
        tracing::warn!("successors are left to the relay: {e}");
    }
    let mut ended = HashMap::new();
    for outcome in outcomes.iter().filter(|o| matches!(o.verdict, Verdict::Done | Verdict::Settled)) {
        if let Some(handler) = app.jobs().handler(&outcome.job.name) {
            *ended.entry(handler.queue).or_insert(0) += 1;
        }
    }
    count_ended(app, &ended).await;
    Ok(())
}

async fn repeat(app: &App, conn: &mut AsyncPgConnection, outcome: &Outcome) -> Result<()> {
    let job = &outcome.job;
    let (run_at, entry, uncounted) = match &outcome.verdict {
        Verdict::Again { at, reason } => (*at, history_entry(job.attempt, app.now(), reason), 0),
        _ => (app.now(), json!([]), 1),
    };
    let repeat = RepeatJob { run_at, entry, uncounted, id: job.id, worker: job.worker, attempt: job.attempt };
    repeat.execute(conn).await?;
    if job.followed(app) {
        app.live().publish(&super::follow::topic(job.id), &json!({})).await;
    }
    Ok(())
}
