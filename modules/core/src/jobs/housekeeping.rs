//! The job runner's own job.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::job::{BackgroundJob, Effects, JobError, Priority};
use super::ledger;
use super::registry::JobRegistry;
use super::schedule::Recurrence;
use crate::App;

/// Deletes ended jobs that need not be kept any longer.
#[derive(Serialize, Deserialize)]
struct ForgetEndedJobs;

impl BackgroundJob for ForgetEndedJobs {
    const NAME: &'static str = "core.forget_ended_jobs";
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    fn unique_key(&self) -> Option<String> {
        Some(String::new())
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let mut conn = app.conn().await?;
        let forgotten = ledger::sweep(&mut conn, app.now()).await?;
        tracing::info!(jobs = forgotten, "ended jobs forgotten");
        Ok(Effects::none())
    }
}

pub(crate) fn register(jobs: &mut JobRegistry) {
    jobs.register::<ForgetEndedJobs>().recur(Recurrence("17 * * * *"), &ForgetEndedJobs);
}
