use chrono::Months;
use keroxio_core::{App, BackgroundJob, Effects, JobError, Priority};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{model, service};

/// Forgets what was used more than two years ago.
#[derive(Serialize, Deserialize)]
pub struct Forget;

impl BackgroundJob for Forget {
    const NAME: &'static str = "subscription.forget";
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let now = app.now();
        let before = now.checked_sub_months(Months::new(service::KEPT_MONTHS)).unwrap_or(now);
        let mut tx = app.begin().await?;
        model::forget(&mut tx, before).await?;
        Ok(tx.into())
    }
}
