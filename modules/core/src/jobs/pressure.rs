//! How full a queue is, and how fast it empties.

use std::collections::HashMap;

use fred::interfaces::KeysInterface as _;
use serde_json::json;
use uuid::Uuid;

use super::job::Queue;
use crate::{App, Error, ErrorCode, Result};

const MINUTE: i64 = 60;
/// What to say while nothing is known of the pace, in seconds.
const UNKNOWN: i64 = 60;
/// However slow it is, asking again after this long does no harm, in seconds.
const LONGEST: i64 = 900;

fn key(app: &App, queue: Queue, minute: i64) -> String {
    app.redis().key(&format!("{{jobs:{}}}:ended:{minute}", queue.name()))
}

/// Counts ended jobs, for the pace. Losing a count changes an estimate, nothing else.
pub(crate) async fn count_ended(app: &App, ended: &HashMap<Queue, i64>) {
    let minute = app.now().timestamp() / MINUTE;
    for (queue, jobs) in ended {
        let count = app.redis().commands().pipeline();
        let key = key(app, *queue, minute);
        let counted = async {
            count.incr_by::<(), _>(&key, *jobs).await?;
            count.expire::<(), _>(&key, 3 * MINUTE, None).await?;
            count.all::<()>().await
        };
        if let Err(e) = counted.await {
            tracing::debug!(queue = queue.name(), "ended jobs not counted: {e}");
        }
    }
}

/// Jobs ended a second, over this minute and the last.
async fn pace(app: &App, queue: Queue) -> Result<f64> {
    let now = app.now().timestamp();
    let minute = now / MINUTE;
    let counts: Vec<Option<i64>> =
        app.redis().commands().mget(vec![key(app, queue, minute), key(app, queue, minute - 1)]).await?;
    let ended: i64 = counts.into_iter().flatten().sum();
    Ok(ended as f64 / (MINUTE + now % MINUTE) as f64)
}

impl App {
    /// Lets a request of an organization that will enqueue a job in. While Redis does not answer everybody
    /// is let in: the rows are kept, and worked off later.
    ///
    /// # Errors
    /// `QUEUE_FULL`, with the number of seconds after which there should be room again, computed from the
    /// pace of the last minute.
    pub async fn admit(&self, queue: Queue, org: Uuid) -> Result<()> {
        let settings = self.job_settings();
        let (waiting, own) = match self.waiting().standing(queue, org).await {
            Ok(standing) => standing,
            Err(e) => {
                tracing::warn!(queue = queue.name(), "nobody is turned away: {e}");
                return Ok(());
            }
        };
        let full = [(waiting, settings.queue_limit), (own, settings.org_limit)];
        let Some((jobs, limit)) = full.into_iter().find(|(jobs, limit)| jobs >= limit) else { return Ok(()) };
        // Until a tenth is free again.
        let excess = jobs.saturating_sub(limit - limit / 10) as f64;
        let pace = pace(self, queue).await.unwrap_or(0.0);
        let seconds = if pace > 0.0 { (excess / pace).ceil() as i64 } else { UNKNOWN };
        let seconds = seconds.clamp(1, LONGEST);
        Err(Error::new(
            ErrorCode::QUEUE_FULL,
            format!("Trop de tâches attendent en ce moment. Réessayez dans {seconds} secondes."),
            format!("Too many jobs are waiting at the moment. Try again in {seconds} seconds."),
        )
        .with_details(json!({ "retryAfterSeconds": seconds })))
    }
}
