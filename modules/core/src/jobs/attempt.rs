//! One attempt of one job, and what is to become of the row.

use std::time::Instant;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::claim::ClaimedJob;
use super::end::{Ending, conclude};
use super::job::{Effects, GivenUp, JobError};
use super::registry::Handler;
use crate::{App, telemetry};

/// What is left to do about a row after an attempt.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The work is done and had no effects: the row can go with others.
    Done,
    Again {
        at: DateTime<Utc>,
        reason: String,
    },
    /// Interrupted by the end of its worker; the attempt does not count.
    HandBack,
    /// Nothing: the row ended with the effects, or belongs to somebody else.
    Settled,
}

#[derive(Debug)]
pub(crate) struct Outcome {
    pub job: ClaimedJob,
    pub verdict: Verdict,
}

/// What may interrupt an attempt.
#[derive(Debug, Clone)]
pub(crate) struct Interrupts {
    /// Its organization called it off.
    pub cancelled: CancellationToken,
    /// The worker must end now.
    pub hurry: CancellationToken,
}

/// Runs one attempt. Whatever the job does, the answer comes; panics and timeouts end the attempt, not
/// the worker.
pub(crate) async fn execute(app: &App, job: ClaimedJob, interrupts: &Interrupts) -> Outcome {
    let started = Instant::now();
    // The work does not wait for Redis.
    let announced = async {
        if job.followed(app) {
            app.live().publish(&super::follow::topic(job.id), &serde_json::json!({})).await;
        }
    };
    let span = tracing::info_span!("job", %job.id, job.name, job.attempt, trace = tracing::field::Empty);
    if let Some(trace) = &job.trace {
        telemetry::join(&span, trace);
    }
    if let Some(trace) = telemetry::trace_id(&span) {
        span.record("trace", trace);
    }
    let ((), (label, verdict)) = tokio::join!(announced, decide(app, &job, interrupts).instrument(span));
    let (name, queue) = (app.jobs().label(&job.name), app.jobs().queue_label(&job.name));
    metrics::histogram!(crate::metrics::JOB_SECONDS, "job" => name, "queue" => queue, "outcome" => label)
        .record(started.elapsed().as_secs_f64());
    Outcome { job, verdict }
}

async fn decide(app: &App, job: &ClaimedJob, interrupts: &Interrupts) -> (&'static str, Verdict) {
    let Some(handler) = app.jobs().handler(&job.name).cloned() else {
        return park(app, job, "this executable knows no job of that name".to_owned()).await;
    };
    if job.cancelled {
        return give_up(app, job, &handler, GivenUp::Cancelled).await;
    }
    if job.attempt > job.max_attempts {
        let reason = format!("its worker died in each of {} attempts", job.max_attempts);
        return give_up(app, job, &handler, GivenUp::Failed(reason)).await;
    }
    match work(app, job, &handler, interrupts).await {
        Answer::Did(Ok(effects)) => succeed(app, job, &handler, effects).await,
        Answer::Did(Err(JobError::Retry(e))) if job.attempt < job.max_attempts => again(app, job, format!("{e:#}")),
        Answer::Did(Err(JobError::Retry(e) | JobError::Discard(e))) => {
            give_up(app, job, &handler, GivenUp::Failed(format!("{e:#}"))).await
        }
        Answer::Cancelled => give_up(app, job, &handler, GivenUp::Cancelled).await,
        Answer::Hurried => ("handed_back", Verdict::HandBack),
    }
}

enum Answer {
    Did(Result<Effects, JobError>),
    Cancelled,
    Hurried,
}

/// The job in a task of its own. A task that is not to go on is dropped, and what it was waiting for with
/// it: an inference notices that and stops too.
async fn work(app: &App, job: &ClaimedJob, handler: &Handler, interrupts: &Interrupts) -> Answer {
    let mut task = tokio::spawn((handler.run)(app.clone(), job.args.clone()).in_current_span());
    let answer = tokio::select! {
        biased;
        done = &mut task => return Answer::Did(done
            .unwrap_or_else(|e| Err(JobError::Retry(anyhow::anyhow!("the job crashed: {e}"))))),
        () = interrupts.hurry.cancelled() => Answer::Hurried,
        () = interrupts.cancelled.cancelled() => Answer::Cancelled,
        () = tokio::time::sleep(handler.timeout) => {
            Answer::Did(Err(JobError::Retry(anyhow::anyhow!("no answer within {:?}", handler.timeout))))
        }
    };
    task.abort();
    // Until it is gone it may still hold a connection or a session.
    let _ = task.await;
    answer
}

async fn succeed(app: &App, job: &ClaimedJob, handler: &Handler, effects: Effects) -> (&'static str, Verdict) {
    let plain = effects.0.is_none() && handler.keep.is_zero() && job.batch.is_none();
    if plain {
        return ("done", Verdict::Done);
    }
    match conclude(app, job, effects, &Ending::Done).await {
        Ok(_) => ("done", Verdict::Settled),
        // Should the commit have succeeded after all, the row is gone and this changes nothing.
        Err(e) => again(app, job, format!("its effects could not be saved: {e}")),
    }
}

fn again(app: &App, job: &ClaimedJob, reason: String) -> (&'static str, Verdict) {
    tracing::warn!(job.id = %job.id, job.name, job.attempt, "job is tried again: {reason}");
    ("retry", Verdict::Again { at: app.now() + backoff(job.attempt), reason })
}

/// The farewell's effects and the end become true together.
async fn give_up(app: &App, job: &ClaimedJob, handler: &Handler, why: GivenUp) -> (&'static str, Verdict) {
    let ending = match &why {
        GivenUp::Failed(reason) => {
            tracing::error!(job.id = %job.id, job.name, job.attempt, "job given up: {reason}");
            Ending::Dead(reason.clone())
        }
        GivenUp::Cancelled => Ending::Cancelled,
    };
    let mut farewell = tokio::spawn((handler.gave_up)(app.clone(), job.args.clone(), why).in_current_span());
    let effects = match tokio::time::timeout(handler.timeout, &mut farewell).await {
        Ok(Ok(Ok(effects))) => effects,
        Ok(Ok(Err(e))) => return again(app, job, format!("the farewell failed: {e}")),
        Ok(Err(e)) => return again(app, job, format!("the farewell crashed: {e}")),
        Err(_) => {
            farewell.abort();
            return again(app, job, format!("no farewell within {:?}", handler.timeout));
        }
    };
    match conclude(app, job, effects, &ending).await {
        Ok(_) => (ending.name(), Verdict::Settled),
        Err(e) => again(app, job, format!("its end could not be saved: {e}")),
    }
}

/// Keeps a job that nobody here can say farewell to.
async fn park(app: &App, job: &ClaimedJob, reason: String) -> (&'static str, Verdict) {
    tracing::error!(job.id = %job.id, job.name, "job parked: {reason}");
    match conclude(app, job, Effects::none(), &Ending::Dead(reason)).await {
        Ok(_) => ("dead", Verdict::Settled),
        Err(e) => again(app, job, format!("its end could not be saved: {e}")),
    }
}

/// 1, 4, 9, 16 … seconds with up to half as much again at random, so that retries do not march in step.
fn backoff(attempt: i32) -> chrono::Duration {
    let base = i64::from(attempt.clamp(1, 60)).pow(2) * 1_000;
    chrono::Duration::milliseconds(base + rand::random_range(0..=base / 2))
}
